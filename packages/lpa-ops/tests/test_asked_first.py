"""Commands that take something away ask on a terminal, and leave everything as it is without a yes."""

from __future__ import annotations

from pathlib import Path

import pytest

from lpa_core.cli import run


@pytest.mark.parametrize(
    ("words", "does", "said"),
    [
        (
            "backup restore backups/one --replace",
            "lpa_ops.commands.backup.restore_backup",
            "backups/one takes the place of all that is in livepeer_analytics now.\nRestore? [y/N] ",
        ),
        (
            "backup prune",
            "lpa_ops.commands.backup.prune_backups",
            "backups/old\nRemove these 1? [y/N] ",
        ),
        (
            "savepoint restore savepoints/one",
            "lpa_ops.savepoint.keeper.restore",
            "The offsets of flink-quality-gate-v1 and the claims here go back to\nsavepoints/one.\nRestore? [y/N] ",
        ),
    ],
)
def test_no_is_no(
    words: str,
    does: str,
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(does, lambda *arguments, **named: pytest.fail("it was done"))
    monkeypatch.setattr("lpa_ops.commands.backup.to_prune", lambda *arguments: ["backups/old"])
    for stream in ("stdin", "stdout"):
        monkeypatch.setattr(f"sys.{stream}.isatty", lambda: True, raising=False)
    monkeypatch.setattr("builtins.input", lambda: "n")
    assert run(words.split()) == 1
    assert capsys.readouterr() == ("", said)
