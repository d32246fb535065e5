"""Dashboards as values, and as the JSON that Grafana provisions.

A panel asks one question: a ClickHouse query from ``sql``, or PromQL. Panels flow from left to right over 24 columns.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from enum import StrEnum
from typing import Any, Final, final

import attrs

from lpa_sinks.clickhouse.sql_files import SqlFiles

_SQL: Final = SqlFiles(__package__)

SCHEMA_VERSION: Final = 41
"""Of dashboards as Grafana 12 writes them."""
CLICKHOUSE: Final = {"type": "grafana-clickhouse-datasource", "uid": "clickhouse"}
PROMETHEUS: Final = {"type": "prometheus", "uid": "prometheus"}
_COLUMNS: Final = 24
_SERIES, _TABLE = 0, 1
"""How the ClickHouse data source is to understand an answer."""


class PanelKind(StrEnum):
    """Grafana's names."""

    STAT = "stat"
    SERIES = "timeseries"
    TABLE = "table"
    BARS = "barchart"


@final
@attrs.frozen
class Panel:
    """One question and how its answer is drawn.

    Attributes:
        ask: name of a file in ``sql``, or PromQL.
        legend: of a PromQL series.
        unit: Grafana's name of it.
        yellow, red: the value from which on it is drawn in that colour.
        about: shown beside the title.
    """

    title: str
    kind: PanelKind
    ask: str
    width: int = 8
    height: int = 8
    unit: str = ""
    legend: str = ""
    yellow: float | None = None
    red: float | None = None
    stacked: bool = False
    about: str = ""

    @property
    def sql(self) -> str | None:
        """The ClickHouse query with Grafana's macros; None if Prometheus is asked."""
        if not self.ask.endswith(".sql"):
            return None
        return _SQL.text(self.ask).strip()


@final
@attrs.frozen
class PanelRow:
    title: str
    panels: Sequence[Panel]


@final
@attrs.frozen
class Variable:
    """A choice above the panels: several of the values that a query gives, or all."""

    name: str
    label: str
    ask: str

    @property
    def sql(self) -> str:
        return _SQL.text(self.ask).strip()


@final
@attrs.frozen
class Dashboard:
    """``uid`` names its file, too. ``refresh`` and ``begin`` are Grafana's durations."""

    uid: str
    title: str
    rows: Sequence[PanelRow]
    refresh: str = "30s"
    begin: str = "now-24h"
    variables: Sequence[Variable] = ()

    def as_json(self) -> dict[str, Any]:
        return {
            "uid": self.uid,
            "title": self.title,
            "tags": ["lpa"],
            "timezone": "utc",
            "editable": False,
            "graphTooltip": 1,
            "refresh": self.refresh,
            "schemaVersion": SCHEMA_VERSION,
            "time": {"from": self.begin, "to": "now"},
            "templating": {"list": [*map(_variable, self.variables)]},
            "panels": [*_panels(self.rows)],
        }


def _panels(rows: Sequence[PanelRow]) -> Iterator[dict[str, Any]]:
    number, top = 1, 0
    for row in rows:
        place = {"x": 0, "y": top, "w": _COLUMNS, "h": 1}
        yield {"id": number, "type": "row", "title": row.title, "collapsed": False, "gridPos": place, "panels": []}
        number, top, left, lowest = number + 1, top + 1, 0, 0
        for panel in row.panels:
            if left + panel.width > _COLUMNS:
                top, left, lowest = top + lowest, 0, 0
            place = {"x": left, "y": top, "w": panel.width, "h": panel.height}
            yield {"id": number, "gridPos": place, **_panel(panel)}
            number, left, lowest = number + 1, left + panel.width, max(lowest, panel.height)
        top += lowest


def _panel(panel: Panel) -> dict[str, Any]:
    source = PROMETHEUS if panel.sql is None else CLICKHOUSE
    return {
        "type": panel.kind.value,
        "title": panel.title,
        **({"description": panel.about} if panel.about else {}),
        "datasource": source,
        "targets": [{"refId": "A", "datasource": source, **_target(panel)}],
        "fieldConfig": {"defaults": _defaults(panel), "overrides": []},
        "options": _options(panel),
    }


def _target(panel: Panel) -> dict[str, Any]:
    if panel.sql is not None:
        series = panel.kind is PanelKind.SERIES
        return {
            "editorType": "sql",
            "queryType": "timeseries" if series else "table",
            "format": _SERIES if series else _TABLE,
            "rawSql": panel.sql,
        }
    now = panel.kind is not PanelKind.SERIES
    return {
        "expr": panel.ask,
        "legendFormat": panel.legend or "__auto",
        "instant": now,
        "range": not now,
        **({"format": "table"} if panel.kind is PanelKind.TABLE else {}),
    }


def _defaults(panel: Panel) -> dict[str, Any]:
    colours = (("green", None), ("yellow", panel.yellow), ("red", panel.red))
    steps = [{"color": colour, "value": value} for colour, value in colours if colour == "green" or value is not None]
    found: dict[str, Any] = {"unit": panel.unit, "thresholds": {"mode": "absolute", "steps": steps}}
    if panel.kind is PanelKind.SERIES:
        found["custom"] = {
            "fillOpacity": 10,
            "showPoints": "never",
            "stacking": {"mode": "normal" if panel.stacked else "none"},
            **({"thresholdsStyle": {"mode": "line"}} if len(steps) > 1 else {}),
        }
    return found


def _options(panel: Panel) -> dict[str, Any]:
    match panel.kind:
        case PanelKind.STAT:
            return {
                "colorMode": "value" if (panel.yellow, panel.red) != (None, None) else "none",
                "reduceOptions": {"calcs": ["lastNotNull"]},
            }
        case PanelKind.SERIES:
            return {"legend": {"displayMode": "list", "placement": "bottom"}, "tooltip": {"mode": "multi"}}
        case PanelKind.BARS:
            return {"orientation": "horizontal", "legend": {"showLegend": False}}
        case PanelKind.TABLE:
            return {"showHeader": True}


def _variable(variable: Variable) -> dict[str, Any]:
    return {
        "name": variable.name,
        "label": variable.label,
        "type": "query",
        "datasource": CLICKHOUSE,
        "query": variable.sql,
        "refresh": 2,
        "multi": True,
        "includeAll": True,
        "current": {"text": ["All"], "value": ["$__all"]},
    }
