"""Draw which folder imports which, as Mermaid text in docs/architecture.md.

``python tools/import_diagram.py`` writes the diagrams anew; ``./dev pages`` does so, too.

One diagram shows the packages, and one for each package its folders, if it has any. Modules that lie directly in a
package are left out: each is a subject of its own. An arrow from A to B says that A imports B. It is left out if there
is a longer way from A to B along other arrows, and an import for type checkers only counts like any other.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping, Set
from pathlib import Path
from typing import Final

import grimp

ROOT: Final = Path(__file__).resolve().parents[1]
PAGE: Final = ROOT / "docs" / "architecture.md"
PACKAGES: Final = ("lpa_ops", "lpa_flink", "lpa_replay", "lpa_sinks", "lpa_core")
BEGIN: Final = "<!-- diagrams: made by ./dev pages -->\n"
END: Final = "<!-- end of diagrams -->\n"

Graph = Mapping[str, Set[str]]
"""Folder -> the folders that it imports."""


def packages(graph: grimp.ImportGraph) -> Graph:
    """Which package imports which."""
    return _between(graph, {module: module.partition(".")[0] for module in graph.modules})


def folders(graph: grimp.ImportGraph, package: str) -> Graph:
    """Which folder of a package imports which; a folder includes those below it."""
    named = {each.rpartition(".")[2]: each for each in graph.find_children(package) if graph.find_children(each)}
    return _between(
        graph,
        {module: name for name, folder in named.items() for module in (folder, *graph.find_descendants(folder))},
    )


def _between(graph: grimp.ImportGraph, group_of: Mapping[str, str]) -> Graph:
    found: dict[str, set[str]] = {group: set() for group in group_of.values()}
    for module, group in group_of.items():
        imported = {group_of[each] for each in graph.find_modules_directly_imported_by(module) if each in group_of}
        found[group] |= imported - {group}
    return found


def reduced(graph: Graph) -> Graph:
    """Without the arrows that a longer way says already. The graph has no circle: lint sees to that."""
    return {
        start: {end for end in ends if not any(end in _reached(graph, other) for other in ends - {end})}
        for start, ends in graph.items()
    }


def _reached(graph: Graph, start: str) -> Set[str]:
    reached: set[str] = set()
    waiting = list(graph[start])
    while waiting:
        each = waiting.pop()
        if each not in reached:
            reached.add(each)
            waiting += graph[each]
    return reached


def drawn(title: str, graph: Graph) -> Iterator[str]:
    """The lines of a diagram with its title."""
    yield from (title, "", "```mermaid", "flowchart TD")
    arrows = [(start, end) for start, ends in sorted(reduced(graph).items()) for end in sorted(ends)]
    alone = sorted(graph.keys() - {each for arrow in arrows for each in arrow})
    yield from (f"    {name}" for name in alone)
    yield from (f"    {start} --> {end}" for start, end in arrows)
    yield from ("```", "")


def diagrams() -> str:
    """All diagrams, as they stand in the page."""
    sys.path[:0] = [str(path) for path in sorted(ROOT.glob("packages/*/src"))]
    graph = grimp.build_graph(*PACKAGES)
    lines: list[str] = [*drawn("The packages:", packages(graph))]
    for package in PACKAGES:
        if found := folders(graph, package):
            lines += drawn(f"The folders of `{package}`:", found)
    return "\n".join(lines)


def page_with(drawn_text: str, page: str) -> str:
    """The page with these diagrams in the place of those that it has."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{drawn_text}\n{END}{after}"


def main(arguments: Iterable[str]) -> None:
    if any(arguments):
        sys.exit(__doc__)
    PAGE.write_text(page_with(diagrams(), PAGE.read_text("utf-8")), "utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
