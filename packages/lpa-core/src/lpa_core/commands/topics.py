"""``lpa topics``: make the Kafka topics, or show how they are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import attrs
import cyclopts
from cyclopts import Parameter

from lpa_core.commands.listing import ListColumn, print_list, print_paragraph
from lpa_core.commands.options import Json
from lpa_core.commands.output import console, print_json
from lpa_core.kafka.admin import admin_client
from lpa_core.kafka.topics import BROKERS_DEFAULT, TopicState, apply, compare, wanted_topics
from lpa_core.plugins.context import AppContext

_Partitions = Annotated[int | None, Parameter(validator=cyclopts.validators.Number(gte=1))]


def topics_app(context: AppContext) -> cyclopts.App:
    settings = context.settings
    app = cyclopts.App(name="topics", help="Make or show the Kafka topics: input, dead letters and quarantine.")

    @app.command(name="apply")
    def apply_topics(*, partitions: _Partitions = None, json: Json = False) -> None:
        """Make the missing topics. Topics that exist keep their settings.

        Parameters
        ----------
        partitions
            Partitions of each input topic. Default: what the broker gives a new topic.
        """
        topics = wanted_topics(settings, partitions or BROKERS_DEFAULT)
        _print(apply(admin_client(settings), topics, settings), json=json)

    @app.command
    def show(*, partitions: _Partitions = None, json: Json = False) -> int:
        """Show whether the topics are there and as they should be; exit with 1 if they are not.

        Parameters
        ----------
        partitions
            Partitions that each input topic should have at least.
        """
        topics = wanted_topics(settings, partitions or BROKERS_DEFAULT)
        states = compare(admin_client(settings), topics, settings)
        _print(states, json=json)
        return 0 if all(state.present and not state.differences for state in states) else 1

    return app


def _print(states: Sequence[TopicState], *, json: bool) -> None:
    if json:
        print_json([attrs.asdict(state) for state in states])
        return
    rows = []
    for state in states:
        name = "created" if state.created else "present" if state.present else "missing"
        differs = "; ".join(f"{each.setting} is {each.found}, should be {each.wanted}" for each in state.differences)
        rows.append((state.name, name, str(state.partitions or ""), differs))
    screen = console()
    print_list(
        screen, ("topic", "state", ListColumn("partitions", right=True), ListColumn("differs", prose=True)), rows
    )
    if not all(state.readable for state in states):
        print_paragraph(
            screen, "Some settings were not compared: this login lacks the ACL DESCRIBE_CONFIGS on the topics."
        )
    if any(state.differences for state in states):
        print_paragraph(
            screen, "Settings of topics that exist are not changed: use kafka-configs or kafka-topics for that."
        )
