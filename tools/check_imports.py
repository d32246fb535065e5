"""Show each circle of imports between folders, and each import of another folder's private module.

``python tools/check_imports.py PACKAGE ...`` prints what it finds and ends with status 1 if it found anything.

A folder is a package with the modules that lie directly in it. The modules beside a root package's ``__init__`` belong
to no subject together: each of them counts as a folder of its own, and so does that ``__init__``. Every import counts,
also one inside a function or under ``TYPE_CHECKING``: each makes one file depend on the other.

Two folders are in one circle if each imports the other, directly or through others. A module or folder whose name
begins with an underscore is private: only modules in the folder that it lies in, or below, may import it.
"""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterator, Mapping, Sequence

Imports = Mapping[str, Collection[str]]
"""Module -> the modules that it imports."""


def folder_of(module: str, packages: Collection[str]) -> str:
    """The folder that a module is in; ``packages`` are all modules that are packages."""
    if module in packages:
        return module
    parent = module.rpartition(".")[0]
    return parent if "." in parent else module


def circles(imports: Imports, packages: Collection[str]) -> list[list[tuple[str, str]]]:
    """For each circle the imports that make it, in order: importing module, imported module."""
    reached = _reached(imports, packages)
    groups = {
        frozenset(other for other in reached[folder] if folder in reached[other])
        for folder in reached
        if folder in reached[folder]
    }
    return sorted(
        sorted(
            (importer, imported)
            for importer, imported in _pairs(imports)
            if folder_of(importer, packages) != folder_of(imported, packages)
            and {folder_of(importer, packages), folder_of(imported, packages)} <= group
        )
        for group in groups
    )


def private_imports(imports: Imports) -> list[tuple[str, str]]:
    """The imports of private modules from elsewhere: importing module, imported module."""
    return sorted(
        (importer, imported)
        for importer, imported in _pairs(imports)
        if any(not f"{importer}.".startswith(f"{owner}.") for owner in _owners(imported))
    )


def _owners(module: str) -> Iterator[str]:
    """The folders of the private parts of a module's name."""
    parts = module.split(".")
    for index, part in enumerate(parts):
        if part.startswith("_") and not part.startswith("__"):
            yield ".".join(parts[:index])


def _pairs(imports: Imports) -> Iterator[tuple[str, str]]:
    return ((importer, imported) for importer, found in imports.items() for imported in found)


def _reached(imports: Imports, packages: Collection[str]) -> dict[str, set[str]]:
    """Folder -> the folders that it imports, directly or through others."""
    direct: dict[str, set[str]] = {folder_of(module, packages): set() for pair in _pairs(imports) for module in pair}
    for importer, imported in _pairs(imports):
        source, target = folder_of(importer, packages), folder_of(imported, packages)
        if source != target:
            direct[source].add(target)
    reached = {}
    for folder, found in direct.items():
        seen: set[str] = set()
        ahead = [*found]
        while ahead:
            following = ahead.pop()
            if following not in seen:
                seen.add(following)
                ahead += direct[following]
        reached[folder] = seen
    return reached


def _graph(roots: Sequence[str]) -> tuple[Imports, Collection[str]]:
    # Imported here: grimp comes with import-linter, and the rest can be tested without it.
    import grimp

    graph = grimp.build_graph(*roots, cache_dir=None)
    imports = {module: graph.find_modules_directly_imported_by(module) for module in graph.modules}
    packages = {module for module in graph.modules if graph.find_children(module)}
    return imports, packages | set(roots)


def main(roots: Sequence[str]) -> int:
    imports, packages = _graph(roots)
    found = circles(imports, packages)
    for pairs in found:
        folders = sorted({folder_of(module, packages) for pair in pairs for module in pair})
        print(f"a circle of {len(folders)} folders: {', '.join(folders)}")
        for importer, imported in pairs:
            print(f"  {importer} imports {imported}")
    private = private_imports(imports)
    for importer, imported in private:
        print(f"{importer} imports {imported}, which is private to its folder")
    print(f"{len(imports)} modules: {len(found)} circles between folders, {len(private)} imports of private modules")
    return 1 if found or private else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
