"""The cluster of Apache Flink that the pipeline can run on (``LPA_FLINK_*``)."""

from __future__ import annotations

from typing import final

import attrs

from lpa_core.settings.values import any_text, location_or_none, option, origin_or_none, text, token, whole


@final
@attrs.frozen
class FlinkSettings:
    """Where Flink is, and how the job runs there (``LPA_FLINK_*``). All have no effect on `lpa ingest`."""

    address: str = option(
        "",
        "an http or https URL without a path",
        "Flink's REST; health checks ask it if it is set, commands take http://127.0.0.1:8092 without it",
        origin_or_none,
    )
    token: str = option(
        "",
        "at least 16 letters, digits and -._~+/",
        "What is sent to a proxy before Flink's REST that asks for a token; never shown, never logged",
        token,
        secret=True,
    )
    jar: str = option("", "a file", "The jar of the job, which `lpa flink submit` uploads", any_text)
    job_name: str = option("livepeer-analytics", "any text", "Name of the job: one job of a name runs at a time", text)
    parallelism: int = option(
        1,
        "a whole number of at least 1, at most 128",
        "In how many parts the job runs; more than the topic has partitions is of no use",
        whole(1, 128),
    )
    state_dir: str = option(
        "",
        "a folder or the URL of an object store",
        "Where Flink keeps checkpoints and savepoints; default: `flink` in the data folder",
        location_or_none,
    )
    checkpoint_seconds: int = option(
        5,
        "a whole number of seconds, at least 1, at most 3600",
        "How often the job makes a checkpoint: rows are written after one",
        whole(1, 3600),
    )
