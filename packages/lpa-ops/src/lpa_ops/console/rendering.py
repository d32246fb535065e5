"""Templates and what they may call. All text is escaped."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, final
from urllib.parse import urlencode

import jinja2

from lpa_ops.console import text, trends
from lpa_ops.console.evidence import page_of
from lpa_ops.console.page import ConsolePage
from lpa_ops.triage.session_words import time_of

RANGES: Final = ("1h", "6h", "24h", "7d", "30d")
STATES: Final[Mapping[str, tuple[str, str]]] = {
    "ok": ("●", "ok"),
    "warning": ("▲", "warning"),
    "critical": ("✖", "critical"),
    "not applicable": ("○", "not applicable"),
    "loading": ("…", "not judged yet"),
}
"""State of a check -> its sign and its name: the colour says nothing that they do not."""


@final
class Rendering:
    """Makes HTML of a template and names."""

    def __init__(self, pages: Sequence[ConsolePage]) -> None:
        self._templates = jinja2.Environment(
            loader=jinja2.PackageLoader(__package__.partition(".")[0], "console/templates"),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.globals.update(
            navigation=[page for page in pages if not page.within],
            ranges=RANGES,
            states=STATES,
            page_of=page_of,
            trend_box=f"0 0 {trends.WIDTH} {trends.HEIGHT}",
            url=url,
        )
        self._templates.filters.update(
            visible=text.visible,
            name=text.name,
            whole=text.whole,
            brief=text.brief,
            figure=text.figure,
            instant=time_of,
            measured=text.measured,
            part=text.part,
            prose=text.prose,
            sentence=text.sentence,
            size=text.size,
            age=text.age,
            at=text.at,
            moment=text.moment,
        )

    def html(self, template: str, names: Mapping[str, Any]) -> str:
        return self._templates.get_template(template).render(names)


def url(path: str, /, **values: object) -> str:
    """An address within the console; parameters without a value are left out."""
    query = urlencode({name: value for name, value in values.items() if value not in ("", None)})
    return f"/{path}?{query}" if query else f"/{path}"
