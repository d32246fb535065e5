"""``lpa tap``: watch records as they pass a running worker."""

from __future__ import annotations

import threading
import time
from typing import Annotated, Any, Final

import cyclopts
import msgspec
from cyclopts import Parameter, validators

from lpa_core.admin.client import AdminClientOfJob
from lpa_core.commands.options import Json
from lpa_core.commands.output import plain, print_line, write_json_text
from lpa_core.counted import counted
from lpa_core.delivery.tap_messages import TapRequest, TapStage
from lpa_core.errors import UsageError
from lpa_core.plugins.context import AppContext
from lpa_core.settings.values import RECORD_PATH

_ASK_SECONDS: Final = 0.5
_SHOWN_OF_A_PAYLOAD: Final = 200


def tap_app(context: AppContext) -> cyclopts.App:
    settings = context.settings.lpa
    app = cyclopts.App(name="tap")

    @app.default
    def tap(
        *,
        stage: TapStage = TapStage.JUDGED,
        event_type: Annotated[str, Parameter(name="--type")] = "",
        reason: str = "",
        where: Annotated[tuple[str, ...], Parameter(negative="")] = (),
        sample: Annotated[int, Parameter(validator=validators.Number(gte=1))] = 1,
        rate: float = 10.0,
        seconds: float | None = None,
        address: str | None = None,
        json: Json = False,
    ) -> None:
        """Show records as they pass a running worker, until interrupted. Personal data is masked as in the tables.

        The worker never waits: what finds no room is dropped and counted. LPA_ADMIN_TOKEN has to be the worker's.

        Parameters
        ----------
        stage
            Where in the worker it is seen.
        event_type
            Show records of this type only, such as stream_trace.
        reason
            Show records with this failure reason, or ignored by this rule; duplicate_event for duplicates.
        where
            Show records with this text at a path, such as data.pipeline=live; may be given several times.
        sample
            Show every so manieth record that fits.
        rate
            Show at most so many records a second.
        seconds
            End after so many seconds.
        address
            The worker's admin endpoint, host:port. Default: LPA_ADMIN_ADDRESS.
        """
        if seconds is not None and not seconds > 0:
            raise UsageError(f"--seconds {seconds}: it has to be more than 0")
        conditions = dict(_condition(each) for each in where)
        try:
            asked = TapRequest(stage, event_type, reason, conditions, sample, rate)
        except ValueError as error:
            raise UsageError(str(error)) from None
        client = AdminClientOfJob(address or settings.admin_address, settings.admin_token)
        opened = client.open_tap(asked)
        until = None if seconds is None else time.monotonic() + seconds
        answer: dict[str, Any] = {}
        pause = threading.Event()
        try:
            while until is None or time.monotonic() < until:
                answer = client.take(opened)
                for record in answer["records"]:
                    _print(record, json=json)
                if answer["ended"]:
                    break
                pause.wait(_ASK_SECONDS)
        finally:
            client.close_tap(opened)
            if answer and not json:
                print_line(_counts(answer), "dim")

    return app


def _condition(text: str) -> tuple[str, str]:
    path, mark, value = text.partition("=")
    if not mark or not RECORD_PATH.fullmatch(path):
        raise UsageError(f"--where {text}: write a path and a text, such as data.pipeline=live")
    return path, value


def _print(record: dict[str, object], *, json: bool) -> None:
    if json:
        write_json_text(msgspec.json.encode(record).decode() + "\n")
        return
    place = f"{record['topic']}/{record['partition']}/{record['offset']}"
    told = " ".join(str(record[name]) for name in ("outcome", "type", "reason") if record[name])
    payload = str(record["payload"])
    beginning = payload[:_SHOWN_OF_A_PAYLOAD]
    rest = f" ... ({record['size']} bytes)" if len(beginning) < len(payload) or not payload else ""
    print_line(plain(f"{place} {told} {beginning}{rest}").plain)


def _counts(answer: dict[str, Any]) -> str:
    passed = counted(answer["passed"], "record")
    names = {"not_looked_at": "not looked at", "fitting": "fitting", "dropped": "dropped"}
    return f"{passed} passed; " + ", ".join(f"{answer[name]:,} {told}" for name, told in names.items())
