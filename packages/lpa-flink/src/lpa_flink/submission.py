"""Starting the job: with the state that it left, or where the worker's group stands."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import version
from typing import Final, final

import attrs
import structlog

from lpa_core.delivery.commit_metadata import MARK
from lpa_core.delivery.consumer_group import Commit, Partition
from lpa_core.errors import JobFailed
from lpa_core.kafka.admin import admin_client
from lpa_core.kafka.committed_offsets import committed_in_the_end, require_stopped
from lpa_core.plugins.context import AppContext
from lpa_flink.beginning import require_begun
from lpa_flink.identity import JobIdentity
from lpa_flink.jar import ENTRY_CLASS, require_jar
from lpa_flink.rest import FlinkClient, FlinkRun
from lpa_flink.rest_answers import FlinkJobState, ListedJob
from lpa_flink.rest_connection import FlinkError
from lpa_flink.states import FlinkState, FlinkStateError, JobNote, StateFolder, for_flink, newest
from lpa_flink.stored import stored_beyond, stored_short

_log = structlog.get_logger("lpa.flink")

LATEST: Final = "latest"
_START_SECONDS: Final = 120
_LOOK_AGAIN_SECONDS: Final = 0.5


class SubmissionRefused(JobFailed):
    """The job was not started, since it would lose or repeat events. Nothing was done."""


@final
@attrs.frozen
class Submitted:
    """A job that runs. ``state`` is what it began with; None if it began where the group stands."""

    job_id: str
    identity: JobIdentity
    state: FlinkState | None


def submit(
    context: AppContext,
    client: FlinkClient,
    progress: Callable[[str], None],
    *,
    location: str = "",
    tables_restored_too: bool = False,
) -> Submitted:
    """Upload the jar and start the job, and return once it runs.

    Args:
        location: of the savepoint or checkpoint to begin with; ``latest`` for the newest; empty for none.
        tables_restored_too: the tables were taken back to a time not after that state: an older one is accepted.

    Raises SubmissionRefused, FlinkBeginningError, FlinkStateError, FlinkJarError and what the client, Kafka and the
    sink raise.
    """
    settings = context.settings
    identity = JobIdentity.of(settings, context.plugins.plugins)
    jar = require_jar(settings.lpa_flink.jar, version("lpa-flink"))
    folder = StateFolder(settings)
    require_none_running(client, identity.name)
    admin = admin_client(settings)
    require_stopped(admin, settings)
    commits = committed_in_the_end(admin, settings)
    require_begun(settings.quality, commits)
    if location:
        state = _restorable(folder, identity, location, context, tables_restored_too=tables_restored_too)
    else:
        state = None
        _require_nothing_left(folder, identity)
        _require_nothing_prepared(commits)
    now_ms = time.time_ns() // 1_000_000
    run = FlinkRun(
        ENTRY_CLASS,
        settings.lpa_flink.parallelism,
        identity.expected(),
        for_flink(state.location) if state else "",
    )
    folder.note_job(JobNote(run.job_id, now_ms, identity, state.location if state else ""))
    progress(f"uploading {jar.name}")
    jar_id = client.upload(jar)
    progress(f"starting the job {run.job_id}")
    job_id = client.run(jar_id, run)
    _wait_until_it_runs(client, job_id)
    return Submitted(job_id, identity, state)


def running_jobs(client: FlinkClient, name: str) -> list[ListedJob]:
    """The jobs of this name that have not ended, the newest first."""
    return [job for job in client.jobs() if job.name == name and not job.state.ended]


def require_none_running(client: FlinkClient, name: str) -> None:
    if running := running_jobs(client, name):
        raise SubmissionRefused(
            f"{client.address}: the job {name} runs already ({running[0].id}, {running[0].state}): stop it first by "
            "`lpa flink stop`"
        )


def _require_nothing_left(folder: StateFolder, identity: JobIdentity) -> None:
    """The committed offsets run ahead of the rows by what the gate held: only the state has it."""
    left = newest(folder.states(), identity.name)
    if left is not None and not _is_drained(left):
        raise SubmissionRefused(
            f"an earlier job {identity.name} left {left.location}, which holds ranges that are not stored: go on with "
            f"it by `lpa flink restore`; if the tables are without it on purpose, move {folder.root} away first"
        )


def _require_nothing_prepared(commits: Mapping[Partition, Commit]) -> None:
    prepared = [str(partition) for partition, commit in sorted(commits.items()) if commit.metadata.startswith(MARK)]
    if prepared:
        raise SubmissionRefused(
            f"a worker was killed amid a range of {', '.join(prepared)}: start `lpa ingest` once more, and stop it by "
            "SIGTERM, which finishes the range"
        )


def _restorable(
    folder: StateFolder, identity: JobIdentity, location: str, context: AppContext, *, tables_restored_too: bool
) -> FlinkState:
    states = folder.states()
    last = newest(states, identity.name)
    if location == LATEST:
        if last is None:
            raise FlinkStateError(f"{folder.root} has no state of the job {identity.name}: see `lpa flink savepoints`")
        state = last
    else:
        state = folder.located(location)
    _require_own(state, identity)
    if state.job is not None and state.job.identity.fingerprint != identity.fingerprint:
        _log.warning("the state was made under other settings or plugins", location=state.location)
    if state.note is not None and (short := stored_short(context, state.note.partitions)):
        raise FlinkStateError(
            f"{state.location} is newer than the tables: {short}; what is between would be lost. Restore a later "
            "backup, or an older savepoint with --tables-restored-too"
        )
    if tables_restored_too:
        return state
    if last is not None and state.location != last.location:
        raise FlinkStateError(
            f"{state.location} is older than {last.location}: the tables would hold twice what came since. Restore "
            "that one, or take the tables back first (`lpa backup restore`) and add --tables-restored-too"
        )
    if state.note is not None and (beyond := stored_beyond(context, state.note.partitions)):
        raise FlinkStateError(
            f"{state.location} is older than the tables: {beyond}; somebody else has written since. Take the tables "
            "back first (`lpa backup restore`) and add --tables-restored-too"
        )
    return state


def _require_own(state: FlinkState, identity: JobIdentity) -> None:
    if state.job is None:
        raise FlinkStateError(
            f"{state.location}: {state.problem}, so nothing shows that it fits: begin with one that `lpa flink "
            "savepoints` names a job of"
        )
    strange: Sequence[str] = [*state.job.identity.strange_to(identity)]
    if strange:
        raise FlinkStateError(f"{state.location}: {strange[0]}")
    if _is_drained(state):
        raise FlinkStateError(
            f"{state.location} is of a job that was drained: nothing is left to go on with; `lpa flink submit` begins "
            "where it ended"
        )


def _is_drained(state: FlinkState) -> bool:
    return state.note is not None and state.note.drained


def _wait_until_it_runs(client: FlinkClient, job_id: str) -> None:
    until = time.monotonic() + _START_SECONDS
    while True:
        job = client.job(job_id)
        if job.state is FlinkJobState.RUNNING and all(each.status == "RUNNING" for each in job.vertices):
            return
        if job.state.ended or job.state is FlinkJobState.RESTARTING:
            why = client.newest_exception(job_id)
            raise FlinkError(
                f"{client.address}: the job {job_id} is {job.state}: {why or 'see the task managers logs'}"
            )
        if time.monotonic() > until:
            raise FlinkError(
                f"{client.address}: the job {job_id} does not run within {_START_SECONDS} s: are there task managers "
                "with free slots? see `lpa flink status`"
            )
        time.sleep(_LOOK_AGAIN_SECONDS)
