""".github/workflows: they follow their schema, run the sessions of ./dev, and publish without a stored token."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any, Final

import pytest
from ruamel.yaml import YAML

ROOT: Final = Path(__file__).parents[1]
WORKFLOWS: Final = {path.stem: path for path in sorted((ROOT / ".github" / "workflows").glob("*.yml"))}
READ: Final[dict[str, Any]] = {name: YAML(typ="safe").load(path) for name, path in WORKFLOWS.items()}
NOXFILE: Final = ast.parse((ROOT / "noxfile.py").read_text("utf-8"))
SESSIONS: Final = {
    node.name
    for node in NOXFILE.body
    if isinstance(node, ast.FunctionDef) and any("nox.session" in ast.unparse(each) for each in node.decorator_list)
}
MATRIX: Final = READ["checks"]["jobs"]["session"]["strategy"]["matrix"]
PROJECTS: Final = [
    tomllib.loads(path.read_text("utf-8"))["project"] for path in sorted(ROOT.glob("packages/*/pyproject.toml"))
]


def runs() -> set[tuple[str, str]]:
    """Session and Python of each job that the matrix makes."""
    product = {(session, python) for session in MATRIX["session"] for python in MATRIX["python"]}
    return product | {(each["session"], each["python"]) for each in MATRIX["include"]}


def steps() -> list[dict[str, Any]]:
    return [step for read in READ.values() for job in read["jobs"].values() for step in job.get("steps", [])]


def test_they_follow_the_schema() -> None:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.github-workflows"]
    done = subprocess.run([*command, *map(str, WORKFLOWS.values())], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_they_run_every_session_that_must_pass_and_only_sessions_that_exist() -> None:
    script = (ROOT / ".ci" / "run").read_text("utf-8")
    required = {
        *" ".join(re.findall(r"for session in ([\w ]+);", script)).split(),
        *" ".join(re.findall(r"^(?:run|together) ([\w ]+)$", script, re.M)).split(),
    }
    assert {"lint", "types", "tests", "slow", "kills", "fuzz", "integration"} < required
    assert {session for session, _ in runs()} >= required
    assert {session for session, _ in runs()} <= SESSIONS


@pytest.mark.parametrize("session", ["types", "tests"])
def test_types_and_tests_run_on_every_python_from_the_oldest_on(session: str) -> None:
    pythons = {python for each, python in runs() if each == session}
    assert pythons == {"3.11", "3.12", "3.13", "3.14"}
    assert {project["requires-python"] for project in PROJECTS} == {">=3.11"}


def test_packages_claim_no_python_that_the_tests_do_not_run_on() -> None:
    for project in PROJECTS:
        claimed = {found[1] for each in project["classifiers"] if (found := re.search(r":: (3\.\d+)$", each))}
        assert claimed, project["name"]
        assert claimed <= {python for session, python in runs() if session == "tests"}


def test_actions_are_pinned_to_commits_and_jobs_can_only_read() -> None:
    used = [step["uses"] for step in steps() if "uses" in step]
    assert [each for each in used if not re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}", each)] == []
    assert [read["permissions"] for read in READ.values()] == [{"contents": "read"}] * len(READ)
    assert {
        name: job["permissions"] for read in READ.values() for name, job in read["jobs"].items() if "permissions" in job
    } == {"publish": {"id-token": "write"}}


def test_no_script_contains_a_value_that_somebody_else_chooses() -> None:
    """It would be run: a branch may be named like a command."""
    assert [step["run"] for step in steps() if "${{" in step.get("run", "")] == []


def test_wheels_are_published_after_all_checks_without_a_token_and_with_attestations() -> None:
    jobs = READ["publish"]["jobs"]
    assert jobs["checks"]["uses"] == f"./{WORKFLOWS['checks'].relative_to(ROOT)}"
    assert (jobs["build"]["needs"], jobs["publish"]["needs"]) == ("checks", "build")
    assert next(step["run"] for step in jobs["build"]["steps"] if "run" in step) == "./dev wheels"
    *_, publish = jobs["publish"]["steps"]
    assert publish["uses"].startswith("pypa/gh-action-pypi-publish@")
    assert publish["with"] == {"attestations": True}
    assert not any("secrets." in path.read_text("utf-8") for path in WORKFLOWS.values())


def test_the_packages_that_are_compared_with_the_tag_are_all_there_are() -> None:
    (compared,) = [step["run"] for step in steps() if "GITHUB_REF_NAME" in step.get("run", "")]
    (names,) = re.findall(r"for package in ([\w ]+);", compared)
    assert {f"lpa-{name}" for name in names.split()} == {project["name"] for project in PROJECTS}
