"""Whether the documentation says what there is: settings, hooks, metrics, tables, commands, checks."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import cyclopts

from lpa_core import metrics
from lpa_core.cli import build_app
from lpa_core.plugins.hookspecs import HookSpecs
from lpa_core.settings import loading
from lpa_ops.health.checks import CHECKS
from lpa_ops.release.gate import Gate, GateResult, Target, outcome
from lpa_sinks.schema.ddl import SCHEMA_FILES, declared, sql_file


def judge(target: Target) -> GateResult:
    root = target.repository()
    problems = [*_problems(root, target)]
    return outcome(problems, "settings, hooks, metrics, tables, commands and health checks are documented")


def _problems(root: Path, target: Target) -> Iterator[str]:
    docs = root / "docs"
    configuration, template = _text(docs / "configuration.md"), _text(root / ".env.template")
    for setting in loading.described():
        if f"| `{setting.variable}` |" not in configuration:
            yield f"docs/configuration.md: the setting {setting.variable} is missing"
        if not re.search(rf"^(# )?{setting.variable}=", template, re.MULTILINE):
            yield f".env.template: the setting {setting.variable} is missing"
    plugins = _text(docs / "plugins.md")
    for hook in (name for name in vars(HookSpecs) if name.startswith("lpa_")):
        if f"### `{hook}`" not in plugins:
            yield f"docs/plugins.md: the hook {hook} is missing"
    endpoints = _text(docs / "operations" / "endpoints.md")
    for metric in metrics.described():
        if f"| `{metric.name}` |" not in endpoints:
            yield f"docs/operations/endpoints.md: the metric {metric.name} is missing"
    health = _text(docs / "operations" / "health.md")
    for check in CHECKS:
        if f"[{check.name}](#" not in health:
            yield f"docs/operations/health.md: the check {check.name} is missing"
    pages = "\n".join(map(_text, [*sorted(docs.rglob("*.md")), root / "README.md"]))
    for command in commands(build_app(target.settings, target.plugins)):
        if not re.search(rf"\blpa {command}\b|^\s*docker compose .*\b{command}\b", pages, re.MULTILINE):
            yield f"docs: the command lpa {command} is nowhere"
    data = _text(docs / "data.md")
    for table in declared(()):
        if f"### {table.removesuffix('_versions')}\n" not in data:
            yield f"docs/data.md: the table {table} is missing: ./dev pages"
    for file in SCHEMA_FILES:
        if _text(root / "configs" / "clickhouse-init" / file) != sql_file(file):
            yield f"configs/clickhouse-init/{file} is not the file of lpa-sinks: ./dev pages"


def commands(app: cyclopts.App, prefix: str = "") -> Iterator[str]:
    """The names of all commands, those of a group behind its name."""
    for name in app:
        if name.startswith("-"):
            continue
        inner = [*commands(app[name], f"{prefix}{name} ")]
        yield from inner or [f"{prefix}{name}"]


def _text(page: Path) -> str:
    return page.read_text(encoding="utf-8") if page.is_file() else ""


GATE: Final = Gate("documentation", "Documentation", judge)
