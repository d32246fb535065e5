"""The job without its safeguards: a gate that holds nothing back, and stages that never compare what is stored."""

from __future__ import annotations

import subprocess
import zipfile
from pathlib import Path
from typing import Final

from services.flink import JAR, ROOT, FlinkCluster

_SOURCES: Final = ROOT / "flink-jobs/src/main/java/com/livepeer/analytics/flink"
_FREEZES: Final = "      frozen.computeIfAbsent(checkpoint, any -> new ArrayList<>()).addAll(ranges);\n"
_SENDS: Final = "      ranges.forEach(range -> output.collect(new StreamRecord<>(range)));\n"
_WITHIN: Final = "com/livepeer/analytics/flink"


def python_without_comparison(folder: Path) -> str:
    """A folder for PYTHONPATH: with it, the stages take every range for new."""
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(
        "from lpa_flink.comparison import StoredComparison\nStoredComparison.concerns = lambda self, range_: False\n"
    )
    return str(folder)


def jar_without_gate(cluster: FlinkCluster) -> Path:
    """Compile the gate so that ranges go on before the checkpoint that holds them, and pack it."""
    folder = cluster.folder / "control"
    folder.mkdir()
    source = (_SOURCES / "Gate.java").read_text("utf-8")
    assert _FREEZES in source
    (folder / "Gate.java").write_text(source.replace(_FREEZES, _SENDS))
    jars = [str(jar) for jar in (cluster.folder / "lib").iterdir()]
    subprocess.run(
        [
            "javac",
            "-nowarn",
            "-d",
            str(folder / "classes"),
            "-cp",
            ":".join([str(JAR), *jars]),
            str(folder / "Gate.java"),
        ],
        check=True,
    )
    made = folder / JAR.name
    with zipfile.ZipFile(JAR) as before, zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as after:
        changed = {f"{_WITHIN}/{path.name}": path for path in (folder / "classes" / _WITHIN).glob("*.class")}
        for each in before.infolist():
            if each.filename not in changed:
                after.writestr(each, before.read(each))
        for name, path in changed.items():
            after.write(path, name)
    return made
