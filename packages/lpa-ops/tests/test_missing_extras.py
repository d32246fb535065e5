"""Commands that need an extra say how to install it, whatever of it is missing."""

from __future__ import annotations

import subprocess

import pytest
from services.preloaded import preloaded_python

BLOCK = """
import sys

class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {missing}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

assert not [name for name in sys.modules if name.partition(".")[0] in {missing}], "nothing is asked of the blocker"
sys.meta_path.insert(0, Blocker())
sys.argv = ["lpa", {command!r}]
from lpa_core.entry_point import main
main()
"""
PAGES = ("jinja2", "markupsafe")
WEB = ("starlette", "uvicorn")
AGENTS = ("mcp", "mcp_types")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("command", "missing", "what"),
    [
        ("console", (*PAGES, *WEB), "the console is not installed: pip install 'lpa-ops[console]'"),
        ("console", PAGES, "the console is not installed: pip install 'lpa-ops[console]'"),
        ("mcp", (*PAGES, *WEB, *AGENTS), "tools for agents are not installed: pip install 'lpa-ops[mcp]'"),
        ("mcp", AGENTS, "tools for agents are not installed: pip install 'lpa-ops[mcp]'"),
        ("serve", WEB, "the read API is not installed: pip install 'lpa-ops[serve]'"),
    ],
)
def test_a_command_says_what_to_install(command: str, missing: tuple[str, ...], what: str) -> None:
    done = subprocess.run(
        [preloaded_python(), "-c", BLOCK.format(missing=missing, command=command)],
        capture_output=True, text=True, check=False, timeout=60, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr) == (2, "", f"lpa: {what}\n")
