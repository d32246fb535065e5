"""One name, one thing: no two public classes of the packages are called the same."""

from __future__ import annotations

import ast
from collections import defaultdict
from pathlib import Path
from typing import Final

PACKAGES: Final = Path(__file__).parents[1] / "packages"


def test_no_two_public_classes_share_a_name() -> None:
    homes = defaultdict(list)
    for file in sorted(PACKAGES.glob("*/src/**/*.py")):
        for node in ast.parse(file.read_text("utf-8")).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                homes[node.name].append(str(file.relative_to(PACKAGES)))
    assert len(homes) > 300
    assert {name: files for name, files in homes.items() if len(files) > 1} == {}
