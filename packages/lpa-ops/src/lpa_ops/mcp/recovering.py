"""Tools of recoveries: what is damaged and what would be done about it, and doing it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Final, Literal, final

from clickhouse_connect.driver.exceptions import ClickHouseError
from msgspec import Meta

from lpa_ops.backup.store import default_root
from lpa_ops.mcp.tool import Arguments, Tool, ToolSources
from lpa_ops.recover.run import execute, plan
from lpa_ops.recover.scenario import Context, RecoveryError, Scenario
from lpa_ops.recover.scenarios import FROM_BACKUPS, FROM_TABLES, recovery_json
from lpa_ops.recover.validation import validate
from lpa_sinks.clickhouse.database import opened
from lpa_sinks.clickhouse.errors import describe, explain

_PURPOSES: Final = {new().name: purpose for new, purpose in {**FROM_BACKUPS, **FROM_TABLES}.items()}
_SCENARIOS: Final[dict[str, Callable[[], Scenario[Any]]]] = {new().name: new for new in (*FROM_BACKUPS, *FROM_TABLES)}


@final
class RecoverArguments(Arguments, frozen=True):
    scenario: Annotated[
        Literal["clickhouse-corruption", "total-loss", "offset-loss", "doubled-rows", "wrong-times"],
        Meta(description=" ".join(f"{name}: {purpose}" for name, purpose in _PURPOSES.items())),
    ]


def _plan(sources: ToolSources, arguments: RecoverArguments) -> dict[str, Any]:
    scenario, context = _scenario(sources, arguments)
    try:
        shown, steps = plan(scenario, context)
    except ClickHouseError as error:
        raise _refused(scenario, error) from None
    return recovery_json(shown, steps, [])


def _run(sources: ToolSources, arguments: RecoverArguments) -> dict[str, Any]:
    scenario, context = _scenario(sources, arguments)
    try:
        shown, steps = plan(scenario, context)
        if not shown.damage:
            return recovery_json(shown, steps, [])
        execute(scenario, context)
        with opened(context.sink, context.settings) as (client, database):
            checks = validate(client, database, context.sink, context.settings)
    except ClickHouseError as error:
        raise _refused(scenario, error) from None
    return recovery_json(shown, [(step, True) for step, _ in steps], checks)


def _scenario(sources: ToolSources, arguments: RecoverArguments) -> tuple[Scenario[Any], Context]:
    settings = sources.context.settings
    context = Context(settings, sources.context.plugins, sources.sink, default_root(settings))
    return _SCENARIOS[arguments.scenario](), context


def _refused(scenario: Scenario[Any], error: ClickHouseError) -> RecoveryError:
    return RecoveryError(f"{scenario.name}: {describe(error)}: {explain(error)}")


TOOLS: Final[tuple[Tool[Any], ...]] = (
    Tool(
        "recover_plan",
        "What is damaged, what cannot be brought back, and the steps of a recovery. Nothing is done.",
        RecoverArguments,
        _plan,
    ),
    Tool(
        "recover_run",
        "Carry a recovery out, and validate the result. If it was interrupted, call it again: it continues there.",
        RecoverArguments,
        _run,
        permission="recover",
    ),
)
