"""What a tool is: a name, what it takes, and the call that answers."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final, Generic, TypeVar, final

import attrs
import msgspec

from lpa_core.errors import ConfigurationError, UsageError
from lpa_core.plugins.context import AppContext
from lpa_ops.console.page import ConsoleSources
from lpa_ops.mcp.schema import advice, schema_of

PERMISSIONS: Final = ("replay", "recover")
"""What ``--allow`` takes: each adds tools that change data."""


def permissions(asked: Iterable[str], token: str) -> frozenset[str]:
    """What ``--allow`` was given, each with commas between. Raises UsageError, and ConfigurationError without a token.

    A token is a second decision of a person: an option alone is easily copied from somewhere.
    """
    wanted = frozenset(name.strip() for each in asked for name in each.split(","))
    unknown = sorted(wanted - {*PERMISSIONS})
    if unknown:
        raise UsageError(f"--allow {','.join(unknown)}: there are {' and '.join(PERMISSIONS)}")
    if wanted and not token:
        raise ConfigurationError("--allow lets an agent change data, and needs a token: set LPA_MCP_TOKEN")
    return wanted


class Arguments(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a call gives a tool: its JSON schema tells agents, and its types are checked."""


A = TypeVar("A", bound=Arguments)


@final
@attrs.frozen
class ToolSources:
    """What tools read from and work on.

    Attributes:
        console: what pages of the console read from; its ``health`` and ``partitions`` ask now.
        sink: the database, as the command was given it.
        clock: gives epoch ms.
    """

    console: ConsoleSources
    context: AppContext
    sink: str | None
    clock: Callable[[], int]


@final
@attrs.frozen
class Tool(Generic[A]):
    """One tool.

    Attributes:
        description: for the agent, which knows nothing else of it.
        call: the answer, as JSON has it. It may block. Raises LpaError.
        permission: one of :data:`PERMISSIONS` if it changes data; empty if it only reads.
        trusted: whether all of the answer is lpa's own text, which its packages hold.
    """

    name: str
    description: str
    arguments: type[A]
    call: Callable[[ToolSources, A], Any]
    permission: str = ""
    trusted: bool = False

    @property
    def schema(self) -> dict[str, Any]:
        """JSON schema of the arguments."""
        return schema_of(self.arguments)

    def answer(self, sources: ToolSources, arguments: dict[str, Any]) -> Any:
        """Call it. Raises UsageError if the arguments are not as the schema says, and what the tool raises."""
        try:
            given = msgspec.convert(arguments, self.arguments)
        except msgspec.ValidationError as error:
            raise UsageError(f"{self.name}: {error}: {advice(error, self.schema)}") from None
        return self.call(sources, given)
