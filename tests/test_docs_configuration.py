"""docs/configuration.md against the settings there are, its lpa.toml and its error messages."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from lpa_core.cli import run
from lpa_core.settings.loading import described, load
from lpa_core.settings.settings import Settings

PAGE = (Path(__file__).parents[1] / "docs" / "configuration.md").read_text()
BLOCKS = re.findall(r"^```\w+ ?(.*)\n((?:.*\n)*?)^```$", PAGE, re.MULTILINE)


def test_every_setting_is_documented_as_it_is_and_no_other() -> None:
    documented = [
        (section, row)
        for section, table in re.findall(r"^## .*`\[(\w+)\]`\n((?:(?!##).*\n)*)", PAGE, re.MULTILINE)
        for row in re.findall(r"^\| `.*", table, re.MULTILINE)
    ]
    expected = []
    for setting in described():
        section, name = setting.option.split(".")
        default = f"`{setting.default}`" if setting.default else "none"
        cells = (f"`{setting.variable}`", f"`{name}`", default, setting.accepts, setting.doc)
        expected.append((section, f"| {' | '.join(cells)} |"))
    assert documented == expected


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for setting in described():
        monkeypatch.delenv(setting.variable, raising=False)


def test_the_example_file_is_in_force_where_it_lies_in_the_working_folder() -> None:
    (text,) = [text for title, text in BLOCKS if title == "lpa.toml"]
    Path("lpa.toml").write_text(text)
    settings = load()
    assert settings.quality.dedup_ttl_minutes == 2880
    assert settings.quality.supported_versions == ("1", "v1", "2")
    assert settings.clickhouse.url == "https://clickhouse.example:8443"
    assert settings.lpa.data_dir == Path("/var/lib/lpa")
    assert settings.lpa.plugins_required == ("core", "sinks")
    assert settings.clickhouse.database == Settings().clickhouse.database
    assert settings.kafka["security.protocol"] == "SASL_SSL"


def test_the_documented_kafka_properties_have_the_documented_variables() -> None:
    rows = dict(re.findall(r"^\| ([a-z.]+) \| (LPA_KAFKA_[A-Z_]+) \|$", PAGE, re.MULTILINE))
    values = {variable: f"value {number}" for number, variable in enumerate(rows.values())}
    assert load(values).kafka == {name: values[variable] for name, variable in rows.items()}
    assert len(rows) == 5


@pytest.mark.parametrize(
    ("number", "environment", "file"),
    [
        (
            0,
            {"LPA_KAFKA_ENABLE_AUTO_COMMIT": "true", "LPA_KAFKA_SASL_JAAS_CONFIG": "a login of Java's"},
            '[kafka]\n"group.id" = "mine"\n',
        ),
        (1, {"QUALITY_DEDUP_TTL_MINUTES": "a day"}, '[lpa]\nlog_format = "xml"\n'),
        (2, {}, "[quality]\ndedup_ttl = 5\n"),
    ],
)
def test_the_error_messages_are_what_lpa_says(
    number: int,
    environment: dict[str, str],
    file: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    shown = [text for title, text in BLOCKS if title == "errors"]
    for variable, value in environment.items():
        monkeypatch.setenv(variable, value)
    Path("lpa.toml").write_text(file)
    assert run(["plugins"]) == 2
    assert capsys.readouterr() == ("", shown[number])
    assert len(shown) == 3


def test_what_an_object_store_takes_from_the_environment_is_there() -> None:
    root = Path(__file__).parents[1]
    sources = "".join(path.read_text() for path in root.glob("packages/*/src/**/*.py"))
    read = set(re.findall(r'"(AWS_[A-Z_]+)"', sources))
    assert read
    assert {name for name in read if f"`{name}`" not in PAGE} == set()
