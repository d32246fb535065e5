"""Writes the docs for language models: llms.txt (llmstxt.org) and each page as it is, in Markdown.

python tools/site/llms.py SITE
"""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

DOCS = Path(__file__).parents[2] / "docs"
TREE = re.compile(r"^```\{toctree\}\n(.*?)^```$", re.DOTALL | re.MULTILINE)
OPTIONAL = ("decisions/", "releases/", "spec/")
"""Folders whose pages a reader can leave out: the format has a section for them."""


def write(site: Path) -> None:
    """Write ``llms.txt`` and the pages, each at its place below ``docs``."""
    site.mkdir(parents=True, exist_ok=True)
    for page in sorted(DOCS.rglob("*.md")):
        copy = site / page.relative_to(DOCS)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(page, copy)
    (site / "llms.txt").write_text(llms_text(), encoding="utf-8")


def llms_text() -> str:
    """The list of all pages, in the order of the site's first page."""
    title, summary = (DOCS / "index.md").read_text("utf-8").split("\n\n")[:2]
    sections: dict[str, list[str]] = {}
    for caption, page in listed():
        name = page.relative_to(DOCS).as_posix()
        section = "Optional" if name.startswith(OPTIONAL) else caption
        sections.setdefault(section, []).append(f"- [{heading(page)}]({name}){described(page)}")
    sections["Optional"] = sections.pop("Optional")  # the format has it last
    parts = [f"## {section}\n\n" + "\n".join(lines) for section, lines in sections.items()]
    return "\n\n".join([title, f"> {summary}", *parts]) + "\n"


def listed() -> Iterator[tuple[str, Path]]:
    """Caption and page of every entry of the first page's trees, each page once."""
    seen = set()
    for tree in TREE.findall((DOCS / "index.md").read_text("utf-8")):
        caption = re.search(r"^:caption: (.*)$", tree, re.MULTILINE)
        for line in tree.splitlines():
            for page in sorted(DOCS.glob(f"{line}.md")) if line and not line.startswith(":") else ():
                if page not in seen:
                    seen.add(page)
                    yield caption[1] if caption else "Pages", page


def heading(page: Path) -> str:
    return page.read_text("utf-8").split("\n", 1)[0].lstrip("# ")


def described(page: Path) -> str:
    """A colon and the page's first sentence; nothing if it does not begin with one."""
    first = page.read_text("utf-8").split("\n\n", 2)[1:2]
    text = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", " ".join(first).replace("\n", " ")).strip()
    sentence = re.split(r"(?<=[.:]) ", text, maxsplit=1)[0].rstrip(":")
    return f": {sentence}" if re.match(r"[A-Z`]", sentence) and not sentence.startswith("```") else ""


if __name__ == "__main__":
    write(Path(sys.argv[1]))
