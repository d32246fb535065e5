"""Fails unless each public name of lpa-core, and all that belongs to it, has a complete type.

.nox/types/bin/python tools/check_public_types.py     prints the share, and what lacks a type
"""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any, Final

import lpa_core
import lpa_core.plugin

VERIFY: Final = ("basedpyright", "--verifytypes", "lpa_core", "--ignoreexternal", "--outputjson")
"""Its own share is that of all modules; public are only the names of two."""


def homes() -> dict[str, str]:
    """Public name -> its module."""
    offered = (lpa_core._HOMES, lpa_core.plugin._HOMES)
    return {name: home for each in offered for home, names in each.items() for name in names.split()}


def main() -> int:
    report: dict[str, Any] = json.loads(subprocess.run(VERIFY, capture_output=True, check=False).stdout)
    symbols = report["typeCompleteness"]["symbols"]
    wanted = {f"{home}.{name}" for name, home in homes().items()}
    public = [each for each in symbols if any(f"{each['name']}.".startswith(f"{name}.") for name in wanted)]
    missing = wanted - {each["name"] for each in public}
    partial = [each for each in public if not each["isTypeKnown"] or each["isTypeAmbiguous"]]
    for each in partial:
        print(each["name"], *(found["message"] for found in each["diagnostics"]), sep="\n  ")
    for name in sorted(missing):
        print(f"{name}: not in the report")
    print(f"{len(public) - len(partial)} of {len(public)} public symbols have a complete type")
    return 1 if partial or missing else 0


if __name__ == "__main__":
    sys.exit(main())
