"""Ending the job with a savepoint, and noting beside it whose it is and where everything stood."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final, final

import attrs

from lpa_core.delivery.consumer_group import Commit, Partition
from lpa_core.errors import JobFailed
from lpa_core.kafka.admin import admin_client
from lpa_core.kafka.committed_offsets import commit, committed_in_the_end
from lpa_core.plugins.context import AppContext
from lpa_flink.identity import JobIdentity
from lpa_flink.rest import FlinkClient, new_id
from lpa_flink.rest_answers import FlinkJobState, ListedJob
from lpa_flink.rest_connection import FlinkError
from lpa_flink.states import JobNote, SavepointNote, StateFolder, StoredUpTo, for_flink, plain
from lpa_flink.stored import stored_from
from lpa_flink.submission import running_jobs

_SAVEPOINT_SECONDS: Final = 600
_END_SECONDS: Final = 60
_LOOK_AGAIN_SECONDS: Final = 0.5


class NoFlinkJobError(JobFailed):
    """No job of this name runs."""


@final
@attrs.frozen
class Stopped:
    """A savepoint that is there, with its note."""

    location: str
    note: SavepointNote


def running_job(client: FlinkClient, name: str) -> ListedJob:
    """The job of this name that runs. Raises NoFlinkJobError."""
    for job in running_jobs(client, name):
        return job
    raise NoFlinkJobError(f"{client.address}: no job {name} runs: see `lpa flink status`, and LPA_FLINK_JOB_NAME")


def stop(context: AppContext, client: FlinkClient, progress: Callable[[str], None], *, drain: bool) -> Stopped:
    """Stop the job with a savepoint, wait until it is there and the job has ended, and note it.

    A job that is drained leaves the group's committed offsets where its last rows end.

    Raises NoFlinkJobError, FlinkError if there is no savepoint or the job ended otherwise, FlinkStateError.
    """
    folder = StateFolder(context.settings)
    job = _noted(context, client, folder)
    request = new_id()
    progress(f"stopping the job {job.job_id} with a savepoint")
    client.stop(job.job_id, request, drain=drain, target=f"{for_flink(folder.root)}/savepoints")
    location = _made(client, job.job_id, request)
    progress(f"the savepoint is {plain(location)}; waiting for the job's end")
    _wait_for_end(client, job.job_id)
    stopped = _note(context, client, folder, job, location, drained=drain, stopped=True)
    if drain:
        _commit_what_is_stored(context, stopped.note)
    return stopped


def savepoint(context: AppContext, client: FlinkClient, progress: Callable[[str], None]) -> Stopped:
    """Have the running job make a savepoint, and go on. Raises what :func:`stop` raises."""
    folder = StateFolder(context.settings)
    job = _noted(context, client, folder)
    request = new_id()
    progress(f"the job {job.job_id} makes a savepoint")
    client.savepoint(job.job_id, request, target=f"{for_flink(folder.root)}/savepoints")
    location = _made(client, job.job_id, request)
    return _note(context, client, folder, job, location, drained=False, stopped=False)


def _noted(context: AppContext, client: FlinkClient, folder: StateFolder) -> JobNote:
    """Who the running job is: a job that somebody started over REST is noted now."""
    job = running_job(client, context.settings.lpa_flink.job_name)
    if job.id in (known := folder.jobs()):
        return known[job.id]
    identity = JobIdentity.published(job.name, client.parameters(job.id))
    if identity is None:
        raise NoFlinkJobError(
            f"{client.address}: the job {job.name} ({job.id}) is not lpa's: set LPA_FLINK_JOB_NAME to the name of lpa's"
        )
    note = JobNote(job.id, job.start_time, identity)
    folder.note_job(note)
    return note


def _made(client: FlinkClient, job_id: str, request: str) -> str:
    until = time.monotonic() + _SAVEPOINT_SECONDS
    while not (location := client.savepoint_location(job_id, request)):
        if time.monotonic() > until:
            raise FlinkError(
                f"{client.address}: the job {job_id} made no savepoint within {_SAVEPOINT_SECONDS} s: see `lpa flink "
                "status` for its checkpoints"
            )
        time.sleep(_LOOK_AGAIN_SECONDS)
    return location


def _wait_for_end(client: FlinkClient, job_id: str) -> None:
    until = time.monotonic() + _END_SECONDS
    while not (state := client.job(job_id).state).ended:
        if time.monotonic() > until:
            raise FlinkError(f"{client.address}: the job {job_id} is still {state}: see `lpa flink status`")
        time.sleep(_LOOK_AGAIN_SECONDS)
    if state is not FlinkJobState.FINISHED:
        why = client.newest_exception(job_id)
        raise FlinkError(f"{client.address}: the job {job_id} ended as {state}: {why}: `lpa flink restore` goes on")


def _note(
    context: AppContext,
    client: FlinkClient,
    folder: StateFolder,
    job: JobNote,
    location: str,
    *,
    drained: bool,
    stopped: bool,
) -> Stopped:
    commits = committed_in_the_end(admin_client(context.settings), context.settings)
    own = {partition: each for partition, each in commits.items() if partition.topic in job.identity.topics}
    stored = stored_from(context, dict.fromkeys(own, 0))
    note = SavepointNote(
        job=job,
        created_ms=time.time_ns() // 1_000_000,
        checkpoint_id=_number(client, job.job_id, location),
        drained=drained,
        stopped=stopped,
        partitions=[
            StoredUpTo(*partition, commit.offset, stored[partition].highest + 1 if partition in stored else 0)
            for partition, commit in sorted(own.items())
        ],
    )
    folder.note_savepoint(location, note)
    return Stopped(plain(location), note)


def _commit_what_is_stored(context: AppContext, note: SavepointNote) -> None:
    """Have the group stand after everything that is stored: the next reader begins there.

    Flink's source commits its last offsets without waiting for an answer, and ends. A drained job has stored all that
    it read, so nothing before its last row is missing.
    """
    behind = {
        Partition(each.topic, each.partition): Commit(each.stored, "")
        for each in note.partitions
        if each.committed < each.stored
    }
    commit(admin_client(context.settings), context.settings, behind)


def _number(client: FlinkClient, job_id: str, location: str) -> int:
    """Its number in the job's sequence of checkpoints, which Flink tells a little later."""
    until = time.monotonic() + _END_SECONDS
    while time.monotonic() < until:
        checkpoints = client.checkpoints(job_id)
        for each in (checkpoints.latest.savepoint, *checkpoints.history):
            if each is not None and plain(each.external_path) == plain(location):
                return each.id
        time.sleep(_LOOK_AGAIN_SECONDS)
    raise FlinkError(f"{client.address}: the job {job_id} does not list {location}: see `lpa flink savepoints`")
