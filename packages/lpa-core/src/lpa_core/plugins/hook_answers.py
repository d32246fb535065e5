"""What a plugin's hooks return, checked when it is loaded. Each check raises ValueError that names the hook."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import pluggy

from lpa_core.argument_checks import is_generator_function, items, require_function, require_named_function, shown_type
from lpa_core.events.event_type import EventType
from lpa_core.health.check import HealthCheck, is_health_check
from lpa_core.health.check_answer import message
from lpa_core.lifecycle.attribution import AttributionPolicy
from lpa_core.plugins.contracts import require_methods
from lpa_core.replays import ReplayTransform
from lpa_core.validation.chain import Validator
from lpa_core.validation.ignore_rules import IgnoreRule

if TYPE_CHECKING:
    import cyclopts

URI_HOOKS: Final = {
    "lpa_sources": "source",
    "lpa_dedup_stores": "dedup store",
    "lpa_sinks": "sink",
    "lpa_archives": "archive",
}
_SCHEME: Final = re.compile(r"-|[a-z][a-z0-9+.-]*")


def require_hooks(module: object, found: Iterable[pluggy.HookCaller], names: Iterable[str]) -> None:
    """Raise ValueError if a hook is not called when lpa calls it, or is not marked.

    Args:
        found: callers of the hooks that the module implements.
        names: of all hooks there are.
    """
    marked = set()
    for caller in found:
        marked.add(caller.name)
        for implementation in caller.get_hookimpls():
            if implementation.plugin is module:
                require_function(caller.name, implementation.function, *implementation.argnames)
                if is_generator_function(implementation.function):
                    raise ValueError(f"{caller.name} is a generator function: return a list instead of yielding")
    unmarked = [name for name in names if name not in marked and callable(getattr(module, name, None))]
    if unmarked:
        raise ValueError(f"{unmarked[0]} is not marked: write @hookimpl above it")
    if not marked:
        raise ValueError(
            "it has no hook: the entry point must name the module whose functions are marked with @hookimpl"
        )


def sequence(hook: str, answers: Sequence[object]) -> list[Any]:
    """What a hook returned, of all functions that implement it, as one list."""
    found: list[Any] = []
    for answer in answers:
        if isinstance(answer, str | bytes) or not isinstance(answer, Sequence):
            raise ValueError(f"{hook} returned {shown_type(answer)}: it must return a list, [] for nothing")
        found += answer
    return found


def event_types(answers: Sequence[object]) -> tuple[EventType, ...]:
    return items("lpa_event_types", sequence("lpa_event_types", answers), EventType)


def validators(answers: Sequence[object]) -> tuple[Validator, ...]:
    found = sequence("lpa_validators", answers)
    for each in found:
        require_named_function("lpa_validators", each, "document")
    return tuple(found)


def ignore_rules(answers: Sequence[object]) -> tuple[IgnoreRule, ...]:
    return items("lpa_ignore_rules", sequence("lpa_ignore_rules", answers), IgnoreRule)


def replay_transforms(answers: Sequence[object]) -> tuple[ReplayTransform, ...]:
    found = sequence("lpa_replay_transforms", answers)
    for each in found:
        require_named_function("lpa_replay_transforms", each, "record")
    return tuple(found)


def health_checks(answers: Sequence[object], taken: Iterable[str]) -> tuple[HealthCheck, ...]:
    names = set(taken)
    found = sequence("lpa_health_checks", answers)
    for check in found:
        if not is_health_check(check):
            raise ValueError(
                f"lpa_health_checks: {shown_type(check)} is none: "
                "a HealthCheck has texts, a judge to call, a State as severity, and True or False as costly"
            )
        if not re.fullmatch("[a-z][a-z0-9_]*", check.name):
            raise ValueError(
                f"lpa_health_checks: a check is named {check.name!r}: use lower-case letters, digits and underscores"
            )
        if check.name in names:
            raise ValueError(f"lpa_health_checks: there is a check {check.name} already: rename yours")
        require_function(f"lpa_health_checks: judge of {check.name}", check.judge, "scope")
        names.add(check.name)
    return tuple(found)


def attribution_policy(answer: AttributionPolicy | None) -> AttributionPolicy | None:
    if answer is not None:
        require_methods("lpa_attribution_policy", answer, AttributionPolicy)
    return answer


def commands(answers: Sequence[object]) -> tuple[cyclopts.App, ...]:
    found = sequence("lpa_cli_commands", answers)
    if not found:
        return ()
    import cyclopts

    taken: set[str] = set()
    for app in items("lpa_cli_commands", found, cyclopts.App):
        try:
            cyclopts.App(name="lpa").command(app)
        except Exception as error:  # whatever cyclopts refuses an App for
            raise ValueError(f"lpa_cli_commands: an App cannot be a command: {message(error)}") from None
        if not isinstance(app.help, str | None):
            raise ValueError(f"lpa_cli_commands: help of {app.name[0]} is {shown_type(app.help)}: it must be text")
        if not all(re.fullmatch(r"[A-Za-z0-9][\w-]*", name) for name in app.name):
            raise ValueError(f"lpa_cli_commands: an App is named {app.name!r}, which nobody can type as one word")
        for name in app.name:
            if name in taken:
                raise ValueError(f"lpa_cli_commands: two commands are named {name}: rename one")
            taken.add(name)
    return tuple(found)


def factories(hook: str, answers: Sequence[object], taken: Iterable[str]) -> Mapping[str, Any]:
    """URI scheme -> factory."""
    names = set(taken)
    found: dict[str, Any] = {}
    for answer in answers:
        if not isinstance(answer, Mapping):
            raise ValueError(
                f"{hook} returned {shown_type(answer)}: it must return a dict of schemes and factories, {{}} for none"
            )
        for name, factory in answer.items():
            if not isinstance(name, str) or _SCHEME.fullmatch(name) is None or not callable(factory):
                raise ValueError(f"{hook}: {name!r} must be a scheme in lower case, its value a factory to call")
            if name in names:
                raise ValueError(f"{hook}: there is a {URI_HOOKS[hook]} for {name}:// already")
            arguments = ("uri", "spool", "settings") if hook == "lpa_archives" else ("uri", "settings")
            require_function(f"{hook}: the factory for {name}://", factory, *arguments, class_=True)
            names.add(name)
            found[name] = factory
    return found
