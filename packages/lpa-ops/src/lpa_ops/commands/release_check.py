"""``lpa release-check``: may this version be released."""

from __future__ import annotations

import time
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Final

import cyclopts
from cyclopts import Parameter

from lpa_core.commands.listing import ListColumn, print_list
from lpa_core.commands.options import SinkUri
from lpa_core.commands.output import Format, console, plain, print_json, print_line
from lpa_core.health.check import Scope
from lpa_core.plugins.context import AppContext
from lpa_ops.health.window import since as beginning
from lpa_ops.release import GATES
from lpa_ops.release.gate import GateResult, GateState, Target
from lpa_ops.release.run import Judged, passed, run

_PROBLEMS_SHOWN: Final = 10
_STYLES: Final = {GateState.PASSED: "green", GateState.FAILED: "bold red", GateState.NOT_JUDGED: "bold red"}


def release_check_app(context: AppContext) -> cyclopts.App:
    settings = context.settings
    app = cyclopts.App(name="release-check")

    @app.default
    def release_check(
        *,
        junit: Annotated[Sequence[Path], Parameter(negative="")] = (),
        sink: SinkUri = None,
        since: str = "24h",
        json: Format = False,
        markdown: Format = False,
    ) -> int:
        """Go through the release list; exit with 1 unless every gate is passed. What cannot be judged is not passed.

        Parameters
        ----------
        junit
            Test reports, as ./dev tests --junit-xml=report.xml writes them; may be given several times.
            Default: report*.xml of the working folder.
        since
            Compare rows from then on: 15m, 24h, 7d, or a time, UTC if it has no zone.
        json
            Print JSON.
        markdown
            Print a table for a pull request.
        """
        now = time.time_ns() // 1_000_000
        scope = Scope(settings, now, beginning(since, now), sink, event_types=context.plugins.event_types())
        target = Target(settings, context.plugins, version("lpa-ops"), Path.cwd(), scope, junit)
        judged = run(GATES, target)
        if json:
            print_json(_as_json(judged, target.version))
        elif markdown:
            for line in as_markdown(judged, target.version).split("\n"):
                print_line(line)
        else:
            _print(judged, target.version)
        return 0 if passed(judged) else 1

    return app


def _as_json(judged: Sequence[Judged], name: str) -> dict[str, object]:
    gates = [
        {
            "name": gate.name,
            "title": gate.title,
            "verdict": outcome.verdict.value,
            "detail": outcome.detail,
            "problems": [*outcome.problems],
        }
        for gate, outcome in judged
    ]
    return {"version": name, "passed": passed(judged), "gates": gates}


def as_markdown(judged: Sequence[Judged], name: str) -> str:
    """A table for a pull request."""
    lines = [
        f"### Release check of {name}: {'passed' if passed(judged) else 'not passed'}",
        "",
        "| gate | verdict | found |",
        "|---|---|---|",
    ]
    for gate, outcome in judged:
        detail = outcome.detail.replace("|", r"\|").replace("<", "&lt;")
        verdict = outcome.verdict.value if outcome.verdict is GateState.PASSED else f"**{outcome.verdict.value}**"
        lines.append(f"| {gate.title} | {verdict} | {detail} |")
    return "\n".join(lines)


def _print(judged: Sequence[Judged], name: str) -> None:
    rows = [
        (gate.title, plain(outcome.verdict.value, _STYLES[outcome.verdict]), _found(outcome))
        for gate, outcome in judged
    ]
    columns = ("gate", "verdict", ListColumn("found", prose=True))
    print_list(console(), columns, rows, title=f"Release check of {name}")


def _found(outcome: GateResult) -> str:
    return "; ".join(outcome.problems[:_PROBLEMS_SHOWN]) or outcome.detail
