"""A report passes the gate only where it is of all tests of the commit that is to be released."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from xml.sax.saxutils import quoteattr

import pytest

from lpa_core.health.check import Scope
from lpa_core.plugins.manager import PluginManager
from lpa_core.settings.settings import Settings
from lpa_ops.release import tests
from lpa_ops.release.gate import GateResult, GateState, Target
from lpa_ops.release.run import run

TESTS = {
    "packages/one/tests/test_a.py": "import pytest\n\n\n@pytest.mark.parametrize('n', [1, 2])\ndef test_a(n): pass\n",
    "tests/test_b.py": "class TestB:\n    def test_b(self): pass\n\n\ndef test_c(): pass\n",
    "tests/soak/test_load.py": "def test_apart(): pass\n",
}
ALL = ("packages.one.tests.test_a.test_a", "tests.test_b.TestB.test_b", "tests.test_b.test_c")


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """One with three tests, one of them with two parameters, and a commit."""
    for name, text in {**TESTS, "docs/configuration.md": "", "uv.lock": "", "pytest.ini": "[pytest]"}.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    identity = ["-c", "user.name=A", "-c", "user.email=a@example.com"]
    for command in (["init", "-q"], ["add", "-A"], [*identity, "commit", "-qm", "Begin"]):
        subprocess.run(["git", *command], cwd=tmp_path, check=True)
    return tmp_path


def judged(folder: Path, *reports: Path) -> GateResult:
    now, settings = time.time_ns() // 1_000_000 + 1000, Settings()
    target = Target(settings, PluginManager(settings), "0", folder, Scope(settings, now, now - 1), reports)
    ((_, outcome),) = run([tests.GATE], target)
    return outcome


def ran(folder: Path, *arguments: str) -> Path:
    """The report of a real run."""
    subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "lpa_ops.testing.run_report", "--import-mode=importlib",
         "--junit-xml=report.xml", *arguments],
        cwd=folder, check=False, capture_output=True,
    )  # fmt: skip
    return folder / "report.xml"


def written(folder: Path, *names: str, head: str = "", narrowed: str | None = "", skip: str | None = None) -> Path:
    """A report that names these tests, with these properties."""
    head = head or subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=folder, capture_output=True, text=True, check=True
    ).stdout.strip()  # fmt: skip
    properties = "" if narrowed is None else (
        f'<properties><property name="lpa.narrowed" value={quoteattr(narrowed)}/>'
        f'<property name="lpa.commit" value="{head}"/></properties>'
    )  # fmt: skip
    skipped = "" if skip is None else f'<skipped type="pytest.skip" message={quoteattr(skip)}/>'
    cases = "".join(
        f'<testcase classname="{name.rpartition(".")[0]}" name="{name.rpartition(".")[2]}">'
        f"{skipped if number == 0 else ''}</testcase>"
        for number, name in enumerate(names)
    )
    moment = time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime(time.time() + 1))
    file = folder / "written.xml"
    file.write_text(
        f'<testsuites><testsuite tests="{len(names)}" skipped="{int(skip is not None)}" timestamp="{moment}">'
        f"{properties}{cases}</testsuite></testsuites>"
    )
    return file


@pytest.mark.slow
def test_failure_17_the_report_of_a_whole_run_passes(repository: Path) -> None:
    time.sleep(max(0, 1 - time.time() % 1))  # the commit's time has no fractions
    report = ran(repository, "packages", "tests/test_b.py")
    outcome = judged(repository, report)
    assert (outcome.verdict, outcome.problems) == (GateState.PASSED, ())
    assert outcome.detail == (
        "4 tests passed or were skipped (0), in 1 reports: all 3 that the repository defines"
    )  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("-k", "test_a or test_c or test_b and not 2"), "narrowed by -k test_a or test_c or test_b and not 2"),
        (("packages/one/tests/test_a.py::test_a", "tests/test_b.py"), "by packages/one/tests/test_a.py::test_a"),
        (("packages", "tests/test_b.py", "--deselect", "packages/one/tests/test_a.py::test_a[1]"), "--deselect"),
    ],
)  # fmt: skip
def test_failure_17_a_report_that_was_narrowed_fails_though_every_test_is_in_it(
    arguments: tuple[str, ...], said: str, repository: Path
) -> None:
    outcome = judged(repository, ran(repository, *arguments))
    assert outcome.verdict is GateState.FAILED
    assert said in outcome.problems[0]


@pytest.mark.parametrize("left_out", ALL)
def test_failure_17_a_test_that_is_in_no_report_fails_the_gate(left_out: str, repository: Path) -> None:
    outcome = judged(repository, written(repository, *(set(ALL) - {left_out})))
    assert outcome.verdict is GateState.FAILED
    assert f"1 of 3 tests are in no report, such as {left_out}: give the whole reports of ./dev tests" in outcome.detail
    assert judged(repository, written(repository, *ALL)).verdict is GateState.PASSED


@pytest.mark.parametrize(
    ("made", "said"),
    [
        ({"narrowed": None}, "written.xml does not say how it was made"),
        ({"narrowed": "an early end"}, "is of a part of the tests: the run was narrowed by an early end"),
        ({"head": "0123456789abcdef"}, "written.xml is of the commit 0123456789ab, not of "),
        ({"skip": "unconditional skip"}, "1 tests are skipped without a reason, such as packages.one.tests.test_a"),
    ],
)
def test_failure_17_a_report_of_another_kind_or_commit_fails(
    made: dict[str, str | None], said: str, repository: Path
) -> None:
    outcome = judged(repository, written(repository, *ALL, **made))  # type: ignore[arg-type]
    assert outcome.verdict is GateState.FAILED
    assert said in outcome.detail


def test_failure_17_a_skip_with_a_reason_passes_and_a_report_that_lost_cases_does_not(repository: Path) -> None:
    report = written(repository, *ALL, skip="the recorded sessions are not there")
    assert judged(repository, report).verdict is GateState.PASSED
    report.write_text(report.read_text().replace('tests="3"', 'tests="4"'))
    assert "names 3 of its 4 tests" in judged(repository, report).detail
    report.write_text(report.read_text()[:-40])
    assert "is not a JUnit report as pytest writes it" in judged(repository, report).detail
