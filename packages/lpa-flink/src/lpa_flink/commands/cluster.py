"""``lpa flink cluster``: a cluster on this machine, for trying."""

from __future__ import annotations

import cyclopts

from lpa_core.commands.options import Json
from lpa_core.commands.output import print_json, print_line
from lpa_core.plugins.context import AppContext
from lpa_flink.commands.progress import report_progress
from lpa_flink.connection import flink_client
from lpa_flink.local_cluster.cluster import LocalCluster
from lpa_flink.local_cluster.installation import default_python


def cluster_app(context: AppContext) -> cyclopts.App:
    settings = context.settings
    app = cyclopts.App(name="cluster", help="Start and stop a cluster on this machine, for trying.")

    @app.command
    def start(*, python: str = "", taskmanagers: int = 1, json: Json = False) -> None:
        """Start a job manager and task managers on loopback, and wait until they are there.

        They keep the environment of this command: its settings and secrets are those of the jobs.

        Parameters
        ----------
        python
            A Python whose environment has apache-flink and lpa-flink. Default: the one that runs lpa.
        taskmanagers
            How many task managers, each with two slots.
        """
        client = flink_client(settings)
        cluster = LocalCluster(settings, client)
        started = cluster.start(python or default_python(), taskmanagers, report_progress)
        if json:
            processes = [{"role": each.role, "pid": each.pid} for each in started]
            print_json({"address": client.address, "folder": str(cluster.folder), "processes": processes})
        else:
            print_line(client.address)

    @app.command
    def stop(*, json: Json = False) -> None:
        """End the processes that `lpa flink cluster start` started, and the Pythons that they started.

        A job that runs there is not stopped with a savepoint: `lpa flink stop` does that first.
        """
        there, killed = LocalCluster(settings, flink_client(settings)).stop()
        if json:
            print_json([{"role": each.role, "pid": each.pid, "killed": each in killed} for each in there])
            return
        for each in there:
            print_line(f"{'killed' if each in killed else 'ended'} {each.role} {each.pid}")
        if not there:
            print_line("No cluster that was started here runs.")

    return app
