"""From a worker to the job and back: each record is stored once, events that come again across the seam too."""

from __future__ import annotations

from collections.abc import Callable

from flink.place import FlinkPlace
from lpa_core.testing.mutations import mutated_records

_EVENTS = 1_500


def test_a_worker_hands_over_to_the_job_and_the_job_to_a_worker(new_place: Callable[..., FlinkPlace]) -> None:
    place = new_place()
    first, second, third = ([*mutated_records(_EVENTS, seed, whole=0.9)] for seed in (1, 2, 3))
    place.cluster.start()
    place.worker.start()
    place.send(first)
    place.until_all_is_stored()
    place.worker.stop()
    place.send([*second, *first[::10]])
    job = place.cluster.run(place.cluster.upload())
    place.until_all_is_stored()
    place.send(first[1::10])
    place.cluster.stop(job, drain=True)
    place.send([*third, *first[2::10], *second[::10]])
    place.worker.start()
    place.until_all_is_stored()
    place.worker.stop()
    assert place.faults() == []
