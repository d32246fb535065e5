"""The docs site, built by ./dev docs: these pages, and the reference of the public API made from docstrings."""

from __future__ import annotations

import inspect
import re
from importlib.metadata import version as version_of
from pathlib import Path
from types import ModuleType

from pygments.lexers.special import TextLexer
from sphinx.application import Sphinx

import lpa_core
import lpa_core.plugin

DOCS = Path(__file__).parents[2] / "docs"

project = "lpa"
version = release = version_of("lpa-core")

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]

myst_heading_anchors = 4  # as forges make them

html_theme = "furo"
html_title = f"lpa {version}"

autodoc_default_options = {"members": True, "undoc-members": True}
autodoc_member_order = "bysource"
autodoc_typehints = "description"
napoleon_numpy_docstring = False
napoleon_use_ivar = True


def name_what_is_not_on_the_site(app: Sphinx, page: str, source: list[str]) -> None:
    """Replace a link to a file outside docs/, or to a folder, by its name and its place in the repository."""

    def replaced(link: re.Match[str]) -> str:
        target = (DOCS / page).parent.joinpath(link[2]).resolve()
        if target.is_relative_to(DOCS) and not target.is_dir():
            return link[0]
        return f"{link[1]} (`{target.relative_to(DOCS.parent)}`)"

    source[0] = re.sub(r"\[([^][]+)\]\(((?:\.\./)[^)#\s]*)(?:#[^)\s]*)?\)", replaced, source[0])


def add_reference(app: Sphinx, page: str, source: list[str]) -> None:
    """Add every public name to the page of its module. What both modules offer is explained once."""
    module = {"reference/lpa_core": lpa_core, "reference/plugin": lpa_core.plugin}.get(page)
    if module is None:
        return
    names = sorted(module.__all__, key=str.lower)
    also = [name for name in names if module is not lpa_core and name in lpa_core.__all__]
    if also:
        source[0] += f"\nAs in `lpa_core`: {', '.join(f'{{py:obj}}`{name} <lpa_core.{name}>`' for name in also)}.\n"
    directives = "\n".join(directive(module, name) for name in names if name not in also)
    source[0] += f"\n```{{eval-rst}}\n{directives}\n```\n"


def directive(module: ModuleType, name: str) -> str:
    """What has autodoc explain a name."""
    offered = getattr(module, name)
    if inspect.ismodule(offered):
        return f".. automodule:: {offered.__name__}"
    if inspect.isclass(offered):
        return f".. autoclass:: {module.__name__}.{name}"
    if inspect.isfunction(offered):
        return f".. autofunction:: {module.__name__}.{name}"
    return f".. autodata:: {module.__name__}.{name}\n   :no-value:"


def setup(app: Sphinx) -> None:
    app.connect("source-read", name_what_is_not_on_the_site)
    app.connect("source-read", add_reference)
    app.add_lexer("mermaid", TextLexer)  # forges draw it; here it is text, because nothing is loaded from elsewhere
