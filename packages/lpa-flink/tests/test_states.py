"""Which state is the newest, whose it is, and what is refused."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lpa_core.settings.loading import load
from lpa_flink.identity import JobIdentity
from lpa_flink.states import (
    FlinkStateError,
    JobNote,
    SavepointNote,
    StateFolder,
    StoredUpTo,
    for_flink,
    newest,
    plain,
)

NAME = "livepeer-analytics"
FIRST, SECOND = "a" * 32, "b" * 32
IDENTITY = JobIdentity(NAME, "group", ["events"], "0.1.0", 1, "f" * 16)


@pytest.fixture
def folder(tmp_path: Path) -> StateFolder:
    return StateFolder(load({"LPA_FLINK_STATE_DIR": str(tmp_path / "flink")}))


def job(job_id: str, started_ms: int, identity: JobIdentity = IDENTITY) -> JobNote:
    return JobNote(job_id, started_ms, identity)


def whole(folder: StateFolder, path: str) -> str:
    made = Path(folder.root) / path
    made.mkdir(parents=True)
    (made / "_metadata").touch()
    return str(made)


def note(of: JobNote, number: int, *, drained: bool = False) -> SavepointNote:
    return SavepointNote(of, 5, number, drained, True, [StoredUpTo("events", 0, 7, 7)])


def test_nothing_is_there(folder: StateFolder) -> None:
    assert folder.states() == []
    assert folder.jobs() == {}
    assert newest([], NAME) is None
    with pytest.raises(FlinkStateError, match="no whole savepoint or checkpoint"):
        folder.located("savepoints/x")


def test_states_are_in_the_order_of_jobs_and_of_their_numbers(folder: StateFolder) -> None:
    folder.note_job(job(FIRST, 2))
    folder.note_job(job(SECOND, 1))
    chk_9 = whole(folder, f"checkpoints/{FIRST}/chk-9")
    chk_10 = whole(folder, f"checkpoints/{FIRST}/chk-10")
    earlier = whole(folder, f"checkpoints/{SECOND}/chk-99")
    savepoint = whole(folder, "savepoints/savepoint-aaaaaa-0123456789ab")
    folder.note_savepoint(f"file:{savepoint}", note(job(FIRST, 2), 11))
    assert [state.location for state in folder.states()] == [earlier, chk_9, chk_10, savepoint]
    last = newest(folder.states(), NAME)
    assert last is not None
    assert (last.location, last.savepoint, last.number) == (savepoint, True, 11)
    assert last.note is not None
    assert last.note.partitions == [StoredUpTo("events", 0, 7, 7)]
    assert folder.located(f"file://{chk_9}").number == 9


def test_what_is_not_whole_is_not_a_state(folder: StateFolder) -> None:
    folder.note_job(job(FIRST, 1))
    (Path(folder.root) / "checkpoints" / FIRST / "chk-1").mkdir(parents=True)
    (Path(folder.root) / "checkpoints" / FIRST / "shared").mkdir(parents=True)
    (Path(folder.root) / "savepoints" / "savepoint-aaaaaa-0123456789ab").mkdir(parents=True)
    whole(folder, "savepoints/another-folder")
    assert folder.states() == []


def test_a_state_of_nobody_knows_whom_is_listed_and_never_the_newest(folder: StateFolder) -> None:
    whole(folder, f"checkpoints/{FIRST}/chk-1")
    whole(folder, "savepoints/savepoint-aaaaaa-0123456789ab")
    assert {state.problem for state in folder.states()} == {"nothing says which job it is of"}
    assert newest(folder.states(), NAME) is None


def test_a_savepoint_that_was_made_over_rest_belongs_to_its_job(folder: StateFolder) -> None:
    folder.note_job(job(FIRST, 1))
    made = whole(folder, "savepoints/savepoint-aaaaaa-0123456789ab")
    last = newest(folder.states(), NAME)
    assert last is not None
    assert last.location == made
    assert last.number is None
    whole(folder, f"checkpoints/{FIRST}/chk-3")
    with pytest.raises(FlinkStateError, match=r"made without `lpa flink`.*move the older one away"):
        newest(folder.states(), NAME)


def test_a_job_of_another_name_leaves_nothing_to_this_one(folder: StateFolder) -> None:
    other = JobIdentity("other", "group", ["events"], "0.1.0", 1, "f" * 16)
    folder.note_job(job(FIRST, 9, other))
    folder.note_job(job(SECOND, 1))
    whole(folder, f"checkpoints/{FIRST}/chk-1")
    mine = whole(folder, f"checkpoints/{SECOND}/chk-1")
    last = newest(folder.states(), NAME)
    assert last is not None
    assert last.location == mine


@pytest.mark.parametrize("text", ["", "{", "[]", '{"job_id": 1}', "\x00"])
def test_a_note_that_is_none_is_named(folder: StateFolder, text: str) -> None:
    jobs = Path(folder.root) / "jobs"
    jobs.mkdir(parents=True)
    (jobs / f"{FIRST}.json").write_text(text)
    with pytest.raises(FlinkStateError, match=rf"{FIRST}\.json: not a note of lpa's.*move it away"):
        folder.states()


def test_a_folder_that_cannot_be_read_names_the_setting(tmp_path: Path) -> None:
    (tmp_path / "flink").write_text("a file")
    folder = StateFolder(load({"LPA_FLINK_STATE_DIR": str(tmp_path / "flink")}))
    with pytest.raises(FlinkStateError, match="LPA_FLINK_STATE_DIR"):
        folder.note_job(job(FIRST, 1))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"name": "other"}, "set LPA_FLINK_JOB_NAME=livepeer-analytics"),
        ({"topics": ["elsewhere"]}, "it is of the topic events, not elsewhere: set QUALITY_INPUT_TOPIC"),
        ({"group": "others"}, "set QUALITY_GROUP_ID=group"),
        ({"state_version": 2, "version": "0.2.0"}, "its state has version 1 (lpa-flink 0.1.0)"),
    ],
)
def test_a_state_of_another_job_topic_group_or_version_does_not_fit(change: Mapping[str, object], words: str) -> None:
    given: dict[str, object] = {field: getattr(IDENTITY, field) for field in IDENTITY.__struct_fields__}
    (why,) = IDENTITY.strange_to(JobIdentity(**{**given, **change}))  # type: ignore[arg-type]
    assert words in why
    assert list(IDENTITY.strange_to(IDENTITY)) == []


names = st.text(st.characters(codec="ascii", categories=["L", "N"]), min_size=1)


@given(st.builds(JobIdentity, names, names, st.lists(names, min_size=1).map(sorted), names, st.integers(), names))
def test_what_a_job_publishes_is_read_back(identity: JobIdentity) -> None:
    assert JobIdentity.published(identity.name, identity.parameters()) == identity
    assert JobIdentity.published("x", {"lpa.group": "only"}) is None
    assert JobIdentity.published("x", {**identity.parameters(), "lpa.state_version": "n/a"}) is None


@pytest.mark.parametrize("written", ["file:/a/b", "file:///a/b", "/a/b", "/a/b/"])
def test_flinks_forms_of_a_local_path_are_one(written: str) -> None:
    assert plain(written) == "/a/b"
    assert for_flink(plain(written)) == "file:///a/b"


def test_an_object_store_stays_as_it_is() -> None:
    assert plain("s3://bucket/flink") == for_flink("s3://bucket/flink") == "s3://bucket/flink"
