"""From a red check to green again in the console, beside a worker, Kafka and a ClickHouse server."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from services.console import WIDE, Person, console, from_red_to_green, without_pipeline
from services.job import Job

from lpa_core.generate.generator import generate


@pytest.mark.parametrize("keyboard_alone", [False, True], ids=["mouse", "keyboard alone"])
def test_from_red_to_green_in_six_clicks_and_one_edit(
    new_job: Callable[..., Job], chromium: Any, keyboard_alone: bool
) -> None:
    job = new_job()
    job.start()
    job.produce([*generate(300, duplicates=0, bad=0, sessions=3, seed=3), *map(without_pipeline, range(60))])
    job.until_committed(360)

    def until_arrived() -> None:
        job.until(lambda: job.stored().total() == 360, "what was sent again is stored")

    with console(job.folder, "--sink", job.sink, **job.environment) as url:
        person = Person(chromium.new_page(viewport=WIDE), keyboard_alone)
        person.log_in(url)
        from_red_to_green(person, url, until_arrived)
        assert person.clicks <= 6
        person.view.close()
