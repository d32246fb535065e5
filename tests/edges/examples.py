"""An example of every command, to be run in the prepared folder."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import cyclopts

from lpa_core.cli import build_app
from lpa_core.plugins.manager import PluginManager
from lpa_core.settings.loading import load

EXAMPLES: Final[Mapping[str, Sequence[str]]] = {
    "archive mirror": ("copy --archive archive",),
    "backup create": ("",),
    "backup list": ("",),
    "backup prune": ("",),
    "backup restore": ("{backup} --replace",),
    "backup verify": ("{backup}",),
    "check assertions": ("",),
    "check parity": ("facts_are_read_once --start 2026-01-08 --end 2026-01-09",),
    "config": ("",),
    "doctor": ("",),
    "erase list": ("",),
    "erase plan": ("--path data.stream_id --value nobody",),
    "erase run": ("--path data.stream_id --value nobody",),
    "flink cluster start": ("",),
    "flink cluster stop": ("",),
    "flink restore": ("",),
    "flink savepoints": ("",),
    "flink status": ("",),
    "flink stop": ("--yes",),
    "flink submit": ("",),
    "generate": ("--events 20000", "--events 20000 --output made.ndjson.zst", "--events 100 --rate 100"),
    "health": ("", "--watch"),
    "ingest": ("{file}", "- --archive archive", "kafka://{dead}/topic"),
    "materialize": ("--sink clickhouse://{dead}",),
    "materialize rebuild": ("--start 2026-01-01 --end 2026-02-01",),
    "mcp": ("",),
    "plugins": ("",),
    "plugins check": ("",),
    "plugins new": ("edges",),
    "query": ("{query}", "{query} --csv"),
    "recover clickhouse-corruption": ("",),
    "recover doubled-rows": ("",),
    "recover lost-claims": ("redis://{dead}/0",),
    "recover offset-loss": ("",),
    "recover schema-rollback": ("--migrations migrations",),
    "recover total-loss": ("",),
    "recover wrong-times": ("",),
    "release-check": ("",),
    "replay check": ("{file}",),
    "replay list": ("",),
    "replay plan": ("--all --from dlq-table --to local --fix fix.toml",),
    "replay run": ("--plan plan.json",),
    "replay show": ("{replay}",),
    "replay verify": ("{replay}",),
    "savepoint create": ("",),
    "savepoint list": ("",),
    "savepoint restore": ("{savepoint} --yes",),
    "schema apply": ("--migrations migrations",),
    "schema check": ("",),
    "schema plan": ("--migrations migrations",),
    "schema rollback": ("--migrations migrations",),
    "schema show": ("",),
    "console": ("--sink clickhouse://{dead}",),
    "serve": ("--sink clickhouse://{dead}",),
    "tap": ("--address {dead}",),
    "topics apply": ("",),
    "topics show": ("",),
    "trace": ("nobody",),
    "triage": ("",),
    "triage ignored": ("",),
    "triage sessions": ("",),
    "types check": ("sensors.toml",),
    "types infer": ("documents.ndjson",),
    "types try": ("sensors.toml documents.ndjson",),
}
"""Command -> its arguments, in one way or more. A command that is not here fails a test."""

ENDLESS: Final = "health --watch"
"""Runs until it is stopped."""


def commands() -> list[str]:
    """Every command that does something, as the tree of commands has them: a new one is here by being there."""
    settings = load()
    return sorted(_below(build_app(settings, PluginManager(settings)), ()))


def _below(app: cyclopts.App, path: tuple[str, ...]) -> Iterator[str]:
    names = [name for name in app if not name.startswith("-")]
    if path and (not names or app.default_command is not None):
        yield " ".join(path)
    for name in names:
        yield from _below(app[name], (*path, name))
