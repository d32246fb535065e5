"""Whether notes on cut-over and rollback are recorded for the version."""

from __future__ import annotations

import re
from typing import Final

from lpa_ops.release.gate import Gate, GateResult, Target, outcome

SECTIONS: Final = ("Cut-over", "Rollback", "Retention")
"""What the notes of a version have to say (docs/spec/operations.md section 7)."""


def judge(target: Target) -> GateResult:
    page = target.repository() / "docs" / "releases" / f"{target.version}.md"
    name = page.relative_to(target.repository())
    if not page.is_file():
        return outcome([f"{name} is missing: write down how to cut over to this version, and how to go back"], "")
    sections = re.findall(r"^## (.+)\n((?:(?!## ).*\n?)*)", page.read_text(encoding="utf-8"), re.MULTILINE)
    written = {title.strip() for title, text in sections if text.strip()}
    problems = [f"{name}: section {title} is missing or empty" for title in SECTIONS if title not in written]
    return outcome(problems, f"{name} has {', '.join(SECTIONS)}")


GATE: Final = Gate("notes", "Cut-over and rollback notes", judge)
