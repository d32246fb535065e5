"""What ``tools/check_imports.py`` finds: circles between folders, and imports of private modules."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

import pytest

SCRIPT = runpy.run_path(str(Path(__file__).parents[1] / "tools" / "check_imports.py"))
PACKAGES = {"p", "p.a", "p.b", "p.c"}


def circles(imports: dict[str, set[str]]) -> Any:
    return SCRIPT["circles"](imports, PACKAGES)


def test_imports_in_one_direction_make_no_circle() -> None:
    assert circles({"p.a.one": {"p.b.two", "p.c.three"}, "p.b.two": {"p.c.three"}}) == []


def test_modules_of_one_folder_may_import_each_other() -> None:
    assert circles({"p.a.one": {"p.a.two"}, "p.a.two": {"p.a.one"}}) == []


def test_two_folders_whose_modules_make_no_circle_do() -> None:
    assert circles({"p.a.one": {"p.b.two"}, "p.b.other": {"p.a.another"}}) == [
        [("p.a.one", "p.b.two"), ("p.b.other", "p.a.another")]
    ]


def test_a_circle_through_a_third_folder_is_one_circle_with_all_its_imports() -> None:
    found = circles({"p.a.one": {"p.b.two"}, "p.b.two": {"p.c.three"}, "p.c.three": {"p.a.one"}, "p.c.x": {"p.top"}})
    assert found == [[("p.a.one", "p.b.two"), ("p.b.two", "p.c.three"), ("p.c.three", "p.a.one")]]


def test_circles_that_share_no_folder_are_counted_apart() -> None:
    imports = {"p.a.one": {"p.b.two"}, "p.b.two": {"p.a.one"}, "p.c.three": {"p.top"}, "p.top": {"p.c.three"}}
    assert len(circles(imports)) == 2


def test_a_module_beside_the_root_counts_as_a_folder() -> None:
    assert circles({"p.top": {"p.a.one"}, "p.a.one": {"p.top"}})
    assert circles({"p.top": {"p.other"}, "p.other": {"p.top"}})


@pytest.mark.parametrize(
    ("importer", "imported", "allowed"),
    [
        ("p.a.one", "p.a._two", True),
        ("p.a.deep.one", "p.a._two", True),
        ("p.b.one", "p.a._two", False),
        ("p.ab", "p.a._two", False),
        ("p.a.one", "p.a._deep.two", True),
        ("p.b.one", "p.a._deep.two", False),
        ("p.b.one", "p.a.__main__", True),
    ],
)
def test_private_modules_are_imported_from_their_own_folder_only(importer: str, imported: str, allowed: bool) -> None:
    assert (SCRIPT["private_imports"]({importer: {imported}}) == []) is allowed
