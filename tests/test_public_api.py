"""The names that lpa_core and lpa_core.plugin offer, against the pages and the examples that use them."""

from __future__ import annotations

import ast
import importlib
import pkgutil
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Final

import pytest

import lpa_core
import lpa_core.plugin

ROOT: Final = Path(__file__).parents[1]
PUBLIC: Final = {"lpa_core": lpa_core, "lpa_core.plugin": lpa_core.plugin}
PLUGINS: Final = ROOT / "docs" / "plugins.md"
README: Final = ROOT / "packages" / "lpa-core" / "README.md"
EXAMPLES: Final = sorted((ROOT / "examples").rglob("*.py"))
PAGES: Final = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md"), *(ROOT / "packages").glob("*/README.md")]
CODE: Final = re.compile(r"^```python(?! signature).*\n((?:.*\n)*?)^```$", re.MULTILINE)
NAME: Final = re.compile(r"`(\w+)`")


def section(page: Path, title: str) -> str:
    """The rows of a section's table."""
    text = page.read_text("utf-8").partition(f"## {title}\n")[2].partition("\n## ")[0]
    return "\n".join(line for line in text.splitlines() if line.startswith("|"))


def imports_for_type_checkers(module: ModuleType) -> dict[str, str]:
    """Name -> the module that it comes from."""
    tree = ast.parse(Path(module.__file__ or "").read_text("utf-8"))
    guarded = next(node for node in tree.body if isinstance(node, ast.If) and not node.orelse)
    found = [node for node in guarded.body if isinstance(node, ast.ImportFrom)]
    return {alias.name: node.module or "" for node in found for alias in node.names}


@pytest.mark.parametrize("module", PUBLIC.values(), ids=PUBLIC)
def test_each_name_is_the_one_of_its_module_for_type_checkers_and_when_run(module: ModuleType) -> None:
    told = imports_for_type_checkers(module)
    assert sorted(told) == sorted(module.__all__)
    for name, home in told.items():
        offered = getattr(module, name)
        if isinstance(offered, ModuleType):
            assert offered.__name__ == f"{home}.{name}"
        else:
            assert offered is getattr(importlib.import_module(home), name)


@pytest.mark.parametrize("module", PUBLIC.values(), ids=PUBLIC)
def test_there_is_no_other_name(module: ModuleType) -> None:
    with pytest.raises(AttributeError, match=f"module '{module.__name__}' has no attribute 'nothing_here'"):
        _ = module.nothing_here


def test_no_name_of_lpa_core_is_that_of_a_module_in_it() -> None:
    assert not {each.name for each in pkgutil.iter_modules(lpa_core.__path__)} & set(lpa_core.__all__)


@pytest.mark.parametrize("name", PUBLIC)
def test_an_import_alone_imports_nothing_more(name: str) -> None:
    look = f"import sys, {name}; print(*sorted(each for each in sys.modules if each.split('.')[0] == 'lpa_core'))"
    printed = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=True).stdout
    assert printed.split() == sorted({"lpa_core", "lpa_core.lazy_imports", name})


def test_the_pages_name_all_there_is_and_nothing_else() -> None:
    assert sorted(NAME.findall(section(README, "What to import"))) == sorted(lpa_core.__all__)
    errors = [
        *NAME.findall("\n".join(row.split("|")[1] for row in section(PLUGINS, "Errors").splitlines())),
        "LpaError",
    ]
    used = {*NAME.findall(section(PLUGINS, "What to import")), *errors}
    assert sorted(used) == sorted(lpa_core.plugin.__all__)


def imported(code: str) -> list[tuple[str, str]]:
    """Module and name of each import of lpa_core."""
    nodes = list(ast.walk(ast.parse(code)))
    whole = [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    parts = [
        (node.module or "", alias.name) for node in nodes if isinstance(node, ast.ImportFrom) for alias in node.names
    ]
    return [each for each in [*((name, "") for name in whole), *parts] if each[0].partition(".")[0] == "lpa_core"]


def test_pages_and_examples_import_from_the_two_public_modules_only() -> None:
    codes = [code for page in PAGES for code in CODE.findall(page.read_text("utf-8"))]
    codes += [file.read_text("utf-8") for file in EXAMPLES]
    found = [each for code in codes for each in imported(code)]
    assert {module for module, _ in found} == set(PUBLIC)
    assert [each for each in found if each[1] not in PUBLIC[each[0]].__all__] == []
