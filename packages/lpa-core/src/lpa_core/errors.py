"""The family of errors: everything that lpa raises at a person or a program derives from :class:`LpaError`.

Four branches say what the one who meets an error can do. An error derives from exactly one of them; the number is the
exit status of ``lpa``:

- :class:`UsageError`, 2: ask for something else.
- :class:`ConfigurationError`, 2: change a setting, a permission, a plugin or a table.
- :class:`Unavailable`, 1: wait, and do the same again.
- :class:`JobFailed`, 1: read the message; it says what to do.

Names end in one of three words:

- ``...Unavailable``: it may pass. These derive from :class:`Unavailable`, and nothing else does.
- ``...Refused``: lpa refuses what was given, a request or rows, and did nothing.
- ``...Error``: anything else.

``SinkMisconfigured``, ``CommandFailed`` and ``NotApplicable`` are older than the rule. Plugins raise them: they stay.

An exception whose name begins with an underscore is not an error: the module that raises it catches it, and nobody else
sees it.
"""

from __future__ import annotations

from typing import ClassVar


class LpaError(Exception):
    """Says in one line what is wrong, where, and what to do. Raise one of its branches.

    Attributes:
        args: the message; several if there are several problems, a line for each.
        exit_status: of a command that ends with it.
        remedy: what to do, if the rest does not say it; ``str()`` has both.
    """

    exit_status: ClassVar[int] = 1
    remedy: str = ""

    def __init__(self, *message: object, remedy: str = "") -> None:
        super().__init__(*message)
        self.remedy = remedy

    def __str__(self) -> str:
        what = "\n".join(map(str, self.args))
        return f"{what}: {self.remedy}" if self.remedy else what


class UsageError(LpaError):
    """What was asked for cannot be: an option, an argument or a request is wrong."""

    exit_status = 2


class ConfigurationError(LpaError):
    """Something is not set up as it has to be: a setting, a login, a plugin, a table. Waiting does not help."""

    exit_status = 2


class Unavailable(LpaError):
    """Something does not answer or takes nothing now. The same may succeed later."""

    exit_status = 1


class JobFailed(LpaError):
    """The work could not be done, or was not done to its end."""

    exit_status = 1


class ContractError(ConfigurationError):
    """Something that a plugin made did what its contract does not allow.

    Attributes:
        returned_by: the object at fault.
    """

    def __init__(self, returned_by: object, method: str, did: str, expected: str) -> None:
        """``did`` says what the method did, such as ``returned None``; ``expected`` what it must: ``return a list``."""
        kind = type(returned_by)
        super().__init__(f"{kind.__module__}.{kind.__qualname__}.{method} {did}: it must {expected}")
        self.returned_by = returned_by
