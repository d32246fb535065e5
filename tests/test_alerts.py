"""configs/prometheus/alerts.yml: valid, tested, about metrics that exist, and each with a runbook."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from lpa_core.metrics import described
from lpa_ops.health.checks import CHECKS

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "configs" / "prometheus"
PAGE = (ROOT / "docs" / "operations" / "alerts.md").read_text()


def _yaml(file: str) -> Any:
    return YAML(typ="safe", pure=True).load((FOLDER / file).read_text())


RULES = [rule for group in _yaml("alerts.yml")["groups"] for rule in group["rules"]]
TESTS = [each for test in _yaml("alerts_test.yml")["tests"] for each in test["alert_rule_test"]]


@pytest.mark.slow
@pytest.mark.parametrize("command", [("check", "rules", "alerts.yml"), ("test", "rules", "alerts_test.yml")])
def test_promtool_finds_nothing_wrong(command: tuple[str, ...]) -> None:
    promtool = shutil.which("promtool")
    assert promtool, "./dev tests installs Prometheus where it can"
    done = subprocess.run([promtool, *command], cwd=FOLDER, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_an_alert_is_tested_where_it_fires_and_where_it_does_not(rule: dict[str, Any]) -> None:
    about = [test for test in TESTS if test["alertname"] == rule["alert"]]
    assert any(test.get("exp_alerts") for test in about)
    assert any(not test.get("exp_alerts") for test in about)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_an_alert_is_about_metrics_that_exist(rule: dict[str, Any]) -> None:
    labels = {metric.name: set(metric.labels) for metric in described()}
    for name, selector in re.findall(r"\b(lpa_\w+)(?:\{(.*?)\})?", rule["expr"]):
        assert set(re.findall(r"(\w+)=", selector)) <= labels[name]


def test_every_alert_is_documented_as_it_is_and_no_other() -> None:
    documented = re.findall(r"^\| (Lpa\w+) \| (\w+) \| (.+) \|$", PAGE, re.MULTILINE)
    assert documented == [(rule["alert"], rule["labels"]["severity"], rule.get("for", "at once")) for rule in RULES]
    assert re.findall(r"^### (Lpa\w+)$", PAGE, re.MULTILINE) == [rule["alert"] for rule in RULES]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_a_runbook_is_a_section_that_exists(rule: dict[str, Any]) -> None:
    link = rule["annotations"]["runbook"]
    checks = [check.name.replace("_", "-") for check in CHECKS] if "$labels.check" in link else [""]
    for check in checks:
        page, _, anchor = re.sub(r"\{\{.*\}\}", check, link).partition("#")
        headings = re.findall(r"^#+ (.+)$", (ROOT / page).read_text(), re.MULTILINE)
        assert anchor in {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_prometheus_reads_the_file_that_the_compose_file_mounts() -> None:
    assert _yaml("prometheus.yml")["rule_files"] == ["alerts.yml"]
    compose = YAML(typ="safe", pure=True).load((ROOT / "docker-compose.yml").read_text())
    mounts = compose["services"]["prometheus"]["volumes"]
    assert "./configs/prometheus/alerts.yml:/etc/prometheus/alerts.yml:ro" in mounts
