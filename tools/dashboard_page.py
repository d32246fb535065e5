"""Write what each Grafana dashboard shows: ``python tools/dashboard_page.py`` prints the page ``dashboards.md``."""

from __future__ import annotations

from collections.abc import Iterator

from lpa_ops.dashboards.dashboard import Dashboard, Panel, PanelKind
from lpa_ops.dashboards.files import DASHBOARDS

KINDS = {
    PanelKind.STAT: "a figure",
    PanelKind.SERIES: "lines over time",
    PanelKind.TABLE: "a table",
    PanelKind.BARS: "bars",
}
HEAD = """# Grafana dashboards

The files of `configs/grafana/dashboards` show what ClickHouse and Prometheus know. [Deployment](../deployment.md) says
where Grafana runs. This page is a sketch of their panels, row by row as they lie on the screen. `./dev pages` makes it
from the dashboards.
"""


def page() -> str:
    return "\n".join([HEAD, *(line for dashboard in DASHBOARDS for line in sketch(dashboard))])


def sketch(dashboard: Dashboard) -> Iterator[str]:
    yield f"## {dashboard.title}\n"
    for row in dashboard.rows:
        if row.title:
            yield f"### {row.title}\n"
        yield "| panel | shows | width | from | about |"
        yield "|---|---|---|---|---|"
        yield from (described(panel) for panel in row.panels)
        yield ""


def described(panel: Panel) -> str:
    source = "Prometheus" if panel.sql is None else "ClickHouse"
    width = f"{panel.width} of 24"
    return f"| {panel.title} | {KINDS[panel.kind]} | {width} | {source} | {panel.about.replace('|', '/')} |"


if __name__ == "__main__":
    print(page(), end="")
