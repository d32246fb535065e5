"""What is masked: which paths may be, and that the key is a secret that has to be there."""

from __future__ import annotations

from pathlib import Path

import pytest

from lpa_core.plugins.fingerprint import fingerprint
from lpa_core.settings.loading import SettingsError, load
from lpa_core.settings.settings_file import SETTINGS_FILE

KEY = "a key of sixteen or more"


@pytest.fixture(autouse=True)
def in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def masked(paths: str, key: str = KEY) -> dict[str, str]:
    return {"QUALITY_MASKED_PATHS": paths, "QUALITY_MASK_KEY": key}


def refusal(environment: dict[str, str]) -> str:
    with pytest.raises(SettingsError) as refused:
        load(environment)
    (line,) = str(refused.value).splitlines()
    assert KEY not in line
    return line


def test_paths_are_lists_of_keys_each_with_what_becomes_of_it() -> None:
    quality = load(masked("data.user_info.ip = hash, data.clientIP=drop")).quality
    assert quality.masked_paths == ("data.user_info.ip=hash", "data.clientIP=drop")
    assert KEY not in repr(quality)


@pytest.mark.parametrize(
    "paths",
    [
        "data.ip",
        "data.ip=remove",
        "data..ip=hash",
        "data.ip=hash,data.ip=drop",
        "data.user=drop,data.user.ip=hash",
        "id=hash",
        "data=drop",
        "data.type=hash",
        "__replay_id=hash",
    ],
)
def test_a_path_that_is_none_or_tells_what_the_record_is_is_refused(paths: str) -> None:
    assert "expected path=hash or path=drop, comma separated, each path once" in refusal(masked(paths))


def test_without_a_key_of_some_length_there_is_no_hash() -> None:
    assert "expected any text of at least 16 characters" in refusal(masked("data.ip=hash", "short"))
    needed = refusal({"QUALITY_MASKED_PATHS": "data.ip=drop"})
    assert needed.startswith("QUALITY_MASKED_PATHS needs QUALITY_MASK_KEY: ")
    Path(SETTINGS_FILE).write_text('[quality]\nmasked_paths = ["data.ip=drop"]\n')
    assert refusal({}).startswith(f"{SETTINGS_FILE}: QUALITY_MASKED_PATHS needs QUALITY_MASK_KEY: ")


def test_a_range_that_was_prepared_with_other_paths_or_another_key_is_known_as_such() -> None:
    found = [
        fingerprint(load(environment), [])
        for environment in ({}, masked("data.ip=hash"), masked("data.ip=drop"), masked("data.ip=hash", KEY + "!"))
    ]
    assert len(set(found)) == 4
