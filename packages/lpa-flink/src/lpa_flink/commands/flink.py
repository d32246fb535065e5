"""``lpa flink``: submit, status, stop, savepoints, restore; and ``lpa flink cluster``."""

from __future__ import annotations

from typing import Annotated

import cyclopts
from cyclopts import Parameter

from lpa_core.commands.consent import confirmed
from lpa_core.commands.options import Json, Switch, Yes
from lpa_core.commands.output import print_json, print_line
from lpa_core.plugins.context import AppContext
from lpa_flink.commands.cluster import cluster_app
from lpa_flink.commands.progress import report_progress
from lpa_flink.commands.report import (
    note_as_json,
    print_states,
    print_status,
    state_as_json,
    status_as_json,
    submitted_as_json,
)
from lpa_flink.connection import flink_client
from lpa_flink.states import StateFolder
from lpa_flink.status import status_of
from lpa_flink.stopping import savepoint, stop
from lpa_flink.submission import LATEST, submit

TablesRestoredToo = Annotated[
    bool,
    Parameter(
        negative="",
        help="The tables were taken back too, to a time not before that state: accept one that is not the newest.",
    ),
]


def flink_app(context: AppContext) -> cyclopts.App:
    settings = context.settings
    app = cyclopts.App(name="flink", help="Run the job on a cluster of Apache Flink, instead of `lpa ingest`.")
    app.command(cluster_app(context))

    @app.command(name="submit")
    def submit_job(
        *, from_savepoint: str = "", tables_restored_too: TablesRestoredToo = False, json: Json = False
    ) -> None:
        """Upload the jar and start the job. Without a savepoint it begins where the worker's group stands.

        It is refused while the group has members, and while a job of this name runs.

        Parameters
        ----------
        from_savepoint
            The savepoint or checkpoint to begin with, as `lpa flink savepoints` shows it; `latest` for the newest.
        """
        _start(from_savepoint, tables_restored_too, json)

    @app.command
    def restore(
        location: str = LATEST,
        /,
        *,
        tables_restored_too: TablesRestoredToo = False,
        yes: Yes = False,
        json: Json = False,
    ) -> int:
        """Start the job with the state that it left.

        Parameters
        ----------
        location
            The savepoint or checkpoint, as `lpa flink savepoints` shows it; `latest` for the newest.
        """
        plan = (
            f"The job {settings.lpa_flink.job_name} goes on with {location}, and the tables are as they were then.",
        )
        if tables_restored_too and not confirmed(plan, "Restore?", yes=yes):
            return 1
        _start(location, tables_restored_too, json)
        return 0

    @app.command
    def status(*, json: Json = False) -> int:
        """Show the cluster and the job: state, checkpoints, restarts, what waits. Status 1 if it does not run."""
        found = status_of(flink_client(settings), settings.lpa_flink.job_name)
        if json:
            print_json(status_as_json(found))
        else:
            print_status(found)
        return 0 if found.runs else 1

    @app.command(name="stop")
    def stop_job(*, drain: Switch = False, yes: Yes = False, json: Json = False) -> int:
        """Stop the job with a savepoint, wait for both, and note beside it whose it is.

        Parameters
        ----------
        drain
            Finish everything that the job holds, to go back to `lpa ingest`: no job goes on with such a savepoint.
        """
        plan = (f"The job {settings.lpa_flink.job_name} ends{', and never goes on with its state' if drain else ''}.",)
        if not confirmed(plan, "Stop?", yes=yes):
            return 1
        stopped = stop(context, flink_client(settings), report_progress, drain=drain)
        if json:
            print_json({"location": stopped.location, **note_as_json(stopped.note)})
        else:
            print_line(stopped.location)
        return 0

    @app.command
    def savepoints(*, create: Switch = False, json: Json = False) -> None:
        """List the savepoints, and the checkpoints that jobs left; the newest last.

        Parameters
        ----------
        create
            Have the running job make one first. It goes on.
        """
        if create:
            savepoint(context, flink_client(settings), report_progress)
        folder = StateFolder(settings)
        found = folder.states()
        if json:
            print_json([state_as_json(each) for each in found])
        elif found:
            print_states(found)
        else:
            print_line(f"There is neither a savepoint nor a checkpoint in {folder.root}.")

    def _start(location: str, tables_restored_too: bool, json: bool) -> None:
        submitted = submit(
            context, flink_client(settings), report_progress, location=location, tables_restored_too=tables_restored_too
        )
        if json:
            print_json(submitted_as_json(submitted))
        else:
            print_line(submitted.job_id)

    return app
