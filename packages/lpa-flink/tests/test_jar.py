"""Which jar is taken."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from lpa_flink.jar import FlinkJarError, require_jar


def jar(folder: Path, manifest: str) -> str:
    path = folder / "job.jar"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("META-INF/MANIFEST.MF", manifest)
    return str(path)


MANIFEST = "Manifest-Version: 1.0\r\nImplementation-Title: {}\r\nImplementation-Version: {}\r\n\r\n"


def test_the_jobs_jar_of_this_version_is_taken(tmp_path: Path) -> None:
    path = jar(tmp_path, MANIFEST.format("livepeer-analytics-flink", "0.1.0"))
    assert require_jar(path, "0.1.0") == Path(path)


@pytest.mark.parametrize(
    ("manifest", "words"),
    [
        (MANIFEST.format("livepeer-analytics-flink", "0.0.9"), "is of version 0.0.9, and lpa-flink of 0.1.0"),
        (MANIFEST.format("another", "0.1.0"), "is not the job's jar"),
        ("", "is not the job's jar"),
    ],
)
def test_another_jar_is_refused_with_the_reason(tmp_path: Path, manifest: str, words: str) -> None:
    with pytest.raises(FlinkJarError, match=words):
        require_jar(jar(tmp_path, manifest), "0.1.0")


def test_without_a_jar_the_message_says_what_builds_it(tmp_path: Path) -> None:
    for path in ("", str(tmp_path / "none.jar")):
        with pytest.raises(FlinkJarError) as refused:
            require_jar(path, "0.1.0")
        command = str(refused.value).split("`")[1]
        pom = Path(__file__).parents[3] / command.split()[command.split().index("--file") + 1]
        assert command == "mvn --file flink-jobs/pom.xml package"
        assert "<artifactId>livepeer-analytics-flink</artifactId>" in pom.read_text()


def test_what_is_no_jar_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FlinkJarError, match="set LPA_FLINK_JAR"):
        require_jar("", "0.1.0")
    with pytest.raises(FlinkJarError, match="No such file"):
        require_jar(str(tmp_path / "none.jar"), "0.1.0")
    (tmp_path / "half.jar").write_bytes(b"PK\x03\x04half")
    with pytest.raises(FlinkJarError, match="not a whole jar"):
        require_jar(str(tmp_path / "half.jar"), "0.1.0")
    with zipfile.ZipFile(tmp_path / "empty.jar", "w"):
        pass
    with pytest.raises(FlinkJarError, match="not a whole jar"):
        require_jar(str(tmp_path / "empty.jar"), "0.1.0")
