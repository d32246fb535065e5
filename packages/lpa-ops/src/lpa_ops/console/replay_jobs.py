"""Replays that were asked for in the console: each step is a command in a process of its own.

A folder ``LPA_DATA_DIR/console/replays/ID`` holds the fix file, the plan, and what each command printed. The process of
a step holds the folder's lock as long as it lives. So a step goes on without the console that started it, and another
console finds it running.
"""

from __future__ import annotations

import fcntl
import re
import secrets
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from http import HTTPStatus
from pathlib import Path
from typing import IO, Any, Final, final

import attrs
import msgspec

from lpa_core.durable import write_file
from lpa_core.replays import ReplayError
from lpa_ops.console.replay_choice import CANARY, FIX_FILE, PLAN_FILE, ReplayChoice
from lpa_ops.read_api.problem import ReadRefused
from lpa_replay.spool.run_folder import RunFolder

_ID: Final = re.compile(r"[0-9]{8}T[0-9]{6}-[0-9a-f]{6}")
_CHOICE: Final = "choice.json"
_PROGRAM: Final = (sys.executable, "-c", "from lpa_core.entry_point import main; main()")
_LINES_SHOWN: Final = 5
_MOST_RUNNING: Final = 4
"""Each is a process, with the embedded engine in it."""
_PAUSES: Final = (0.01, 0.05, 0.2)
"""Seconds."""


class ReplayStep(StrEnum):
    PLAN = "plan"
    CANARY = "canary"
    RUN = "run"
    VERIFY = "verify"


class StepState(StrEnum):
    WAITING = "waiting"
    """Nobody has started it."""
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


@final
@attrs.frozen
class StepReport:
    """A step of a replay.

    Attributes:
        answer: what the command answered as JSON; empty before it is done.
        error: why it failed, in the words of the command.
        answered_ms: when the command wrote its answer, epoch ms; None before it is done.
    """

    step: ReplayStep
    state: StepState
    command: tuple[str, ...]
    answer: dict[str, Any]
    error: str
    answered_ms: int | None


@final
@attrs.frozen
class ReplayJob:
    """A replay that was asked for in the console, and its steps in their order.

    Attributes:
        sent, total: records of the step that sends; None while it is not known.
    """

    id: str
    choice: dict[str, Any]
    fix: str
    steps: tuple[StepReport, ...]
    sent: int | None
    total: int | None

    @property
    def running(self) -> bool:
        return any(each.state is StepState.RUNNING for each in self.steps)

    def step(self, step: ReplayStep) -> StepReport:
        return next(each for each in self.steps if each.step is step)

    def is_open(self, step: ReplayStep) -> bool:
        """Whether it may be started: the one before is done, it itself is not, unless it is a verification."""
        if self.running:
            return False
        at = [each.step for each in self.steps].index(step)
        before = self.steps[at - 1].state if at else StepState.DONE
        again = step is ReplayStep.VERIFY
        return before is StepState.DONE and (again or self.steps[at].state is not StepState.DONE)


Start = Callable[[Sequence[str], Path, Path, int], None]
"""Starts a program whose standard output and error go into two files; it inherits the descriptor."""


def start_detached(arguments: Sequence[str], output: Path, errors: Path, inherited: int) -> None:
    """Start ``lpa`` with arguments. It goes on if this process ends."""
    with output.open("wb") as out, errors.open("wb") as err:
        process = subprocess.Popen(
            [*_PROGRAM, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
            start_new_session=True,
            pass_fds=(inherited,),
        )
    _started.append(process)
    _started[:] = [each for each in _started if each.poll() is None]


_started: Final[list[subprocess.Popen[bytes]]] = []
"""Asked for their status when the next one starts, so that none that has ended stays a zombie."""


@final
class ReplayJobs:
    """Keeps them in folders. Several threads and several consoles may use them."""

    def __init__(self, folder: Path, runs: Path, sink: str | None, start: Start = start_detached) -> None:
        """``runs`` holds the folders of all runs of ``lpa replay``, which tell how far one is."""
        self._folder, self._runs, self._sink, self._start = folder, runs, sink, start

    def begin(self, choice: ReplayChoice, fix: str, now: int) -> str:
        """Start planning, and return the id. ``fix`` is the text of a fix file, or empty; ``now`` is epoch ms."""
        if sum(each.running for each in self.latest(_MOST_RUNNING * 5)) >= _MOST_RUNNING:
            detail = (
                f"{_MOST_RUNNING} replays have a step that runs, each in a process of its own: wait for one of them"
            )
            raise ReadRefused(HTTPStatus.TOO_MANY_REQUESTS, detail)
        replay = f"{datetime.fromtimestamp(now / 1000, UTC):%Y%m%dT%H%M%S}-{secrets.token_hex(3)}"
        folder = self._folder / replay
        try:
            folder.mkdir(parents=True, mode=0o700)
            if fix:
                write_file(folder / FIX_FILE, [fix.encode()], private=True)
            command = choice.plan_command(self._sink, str(folder / FIX_FILE) if fix else None, str(folder / PLAN_FILE))
            kept = {"choice": choice.values(), "plan": command}
            write_file(folder / _CHOICE, [msgspec.json.encode(kept)], private=True)
        except OSError as error:
            raise _unwritable(error) from None
        self.start(replay, ReplayStep.PLAN)
        return replay

    def start(self, replay: str, step: ReplayStep) -> None:
        """Start a step. Raises ReadRefused if there is no such replay, or it is not the step's turn."""
        job = self.job(replay)
        _require_open(job, step)
        folder = self._folder / replay
        try:
            with (folder / "lock").open("w") as lock:
                _lock(lock)
                job = self._found(replay, alone=True) or job
                _require_open(job, step)  # another one may have started it, and it may have ended
                _, *arguments = job.step(step).command
                self._start(
                    [*arguments, "--json"], folder / f"{step}-answer.json", folder / f"{step}.log", lock.fileno()
                )
        except BlockingIOError:
            raise ReadRefused(HTTPStatus.CONFLICT, f"replay {replay}: a step of it runs: load its page again") from None
        except OSError as error:
            raise _unwritable(error) from None

    def job(self, replay: str) -> ReplayJob:
        """Raises ReadRefused if there is none of that id."""
        found = self._found(replay) if _ID.fullmatch(replay) else None
        if found is None:
            raise ReadRefused(
                HTTPStatus.NOT_FOUND, f"{replay[:100]}: no replay of that id was asked for in this console"
            )
        return found

    def latest(self, most: int) -> list[ReplayJob]:
        """The newest first."""
        names = [path.name for path in self._folder.iterdir()] if self._folder.is_dir() else []
        newest = sorted((name for name in names if _ID.fullmatch(name)), reverse=True)[:most]
        return [found for found in map(self._found, newest) if found is not None]

    def _found(self, replay: str, *, alone: bool = False) -> ReplayJob | None:
        """None if its folder is not whole: the disk was full when it was made. ``alone``: this thread has its lock."""
        folder = self._folder / replay
        kept = _answer(folder / _CHOICE)
        if not {"choice", "plan"} <= kept.keys():
            return None
        fix = folder / FIX_FILE
        busy = not alone and _is_locked(folder / "lock")  # first: a step that ends meanwhile has not failed
        answers = {step: _answer(folder / f"{step}-answer.json") for step in ReplayStep}
        started = [step for step in ReplayStep if (folder / f"{step}-answer.json").exists()]
        running = None
        if started and busy:
            running = max(started, key=lambda step: (folder / f"{step}-answer.json").stat().st_ctime_ns)
        run_id = str(answers[ReplayStep.PLAN].get("id", ""))
        steps = tuple(
            StepReport(
                step,
                _state(step, started, running, answers[step]),
                tuple(self._command(step, kept["plan"], folder, run_id)),
                {} if step is running else answers[step],
                "" if step is running or answers[step] else _error(folder / f"{step}.log"),
                _written_ms(folder / f"{step}-answer.json") if answers[step] and step is not running else None,
            )
            for step in ReplayStep
        )
        sent, total = self._progress(run_id, running)
        return ReplayJob(replay, kept["choice"], fix.read_text("utf-8") if fix.exists() else "", steps, sent, total)

    def _command(self, step: ReplayStep, plan: list[str], folder: Path, run_id: str) -> list[str]:
        run = ["lpa", "replay", "run", "--plan", str(folder / PLAN_FILE)]
        match step:
            case ReplayStep.PLAN:
                return plan
            case ReplayStep.CANARY:
                return [*run, "--canary", CANARY, "--canary-only"]
            case ReplayStep.RUN:
                return run
            case ReplayStep.VERIFY:
                return ["lpa", "replay", "verify", run_id or "ID", *(["--sink", self._sink] if self._sink else [])]

    def _progress(self, run_id: str, running: ReplayStep | None) -> tuple[int | None, int | None]:
        """How many records of how many the step has sent."""
        if running not in (ReplayStep.CANARY, ReplayStep.RUN) or not run_id:
            return None, None
        folder = RunFolder(self._runs, run_id)
        try:
            manifest = folder.manifest
        except ReplayError:
            return None, None  # the step itself says so
        if manifest is None:
            return None, None
        if running is ReplayStep.CANARY and manifest.canary is not None:
            return folder.noted_sent, manifest.canary.records
        return folder.noted_sent, manifest.outgoing.count + manifest.exhausted.count


def _require_open(job: ReplayJob, step: ReplayStep) -> None:
    """Raise ReadRefused if it is not the step's turn."""
    if not job.is_open(step):
        why = "a step of it runs" if job.running else "the step before it is not done, or it is done itself"
        raise ReadRefused(HTTPStatus.CONFLICT, f"replay {job.id}: {step} cannot start: {why}: load its page again")


def _state(
    step: ReplayStep, started: Sequence[ReplayStep], running: ReplayStep | None, answer: dict[str, Any]
) -> StepState:
    if step is running:
        return StepState.RUNNING
    if answer:
        return StepState.DONE
    return StepState.FAILED if step in started else StepState.WAITING


def _answer(path: Path) -> dict[str, Any]:
    """Empty if the command has not answered, or was ended before."""
    try:
        answer = msgspec.json.decode(path.read_bytes())
    except (OSError, msgspec.DecodeError):
        return {}
    return answer if isinstance(answer, dict) else {}


def _written_ms(path: Path) -> int:
    return path.stat().st_mtime_ns // 1_000_000


def _error(path: Path) -> str:
    """The end of what the command said."""
    try:
        lines = [line for line in path.read_text(errors="replace").splitlines() if line.strip()]
    except OSError:
        return ""
    said = "\n".join(lines[-_LINES_SHOWN:])
    return said or "It ended before it was done. Start it again: it continues where it stopped."


def _is_locked(path: Path) -> bool:
    try:
        with path.open() as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
            return False
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True


def _lock(file: IO[str]) -> None:
    """Raises BlockingIOError if a step has it. A page that looks at it has it for a moment only."""
    for pause in _PAUSES:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(pause)
        else:
            return
    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _unwritable(error: OSError) -> ReplayError:
    return ReplayError(
        f"{error.filename}: {error.strerror}: make LPA_DATA_DIR a folder that can be written and has free space"
    )
