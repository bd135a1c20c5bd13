"""The project's pages: their fenced blocks and the command lines that they show."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from deploy.template import ROOT

_FENCE = re.compile(r"^```([^\n]*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
_SPAN = re.compile(r"`([^`\n]+)`")
_INNER = re.compile(r'eval "\$\((alchemiser [^)]*)\)"')


@dataclass(frozen=True)
class Line:
    """One command line, and where it stands."""

    page: str
    text: str
    in_block: bool
    """To be typed as it is, not mentioned in a sentence."""

    def __str__(self) -> str:
        return f"{self.page}: {self.text}"


@dataclass(frozen=True)
class Block:
    """A fenced block; `mark` is what follows the fence."""

    page: str
    mark: str
    text: str


def pages() -> list[Path]:
    """What a person reads."""
    return [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]


def runbooks() -> list[Path]:
    return sorted((ROOT / "docs" / "runbooks").glob("*.md"))


def blocks(page: Path) -> Iterator[Block]:
    for mark, text in _FENCE.findall(page.read_text("utf-8")):
        yield Block(str(page.relative_to(ROOT)), mark.strip(), text)


def commands(program: str) -> list[Line]:
    """Every line of a block, and every code span, that calls the program."""
    found = []
    for page in pages():
        where = str(page.relative_to(ROOT))
        text = page.read_text("utf-8")
        lines = [(line, True) for block in blocks(page) for line in block.text.splitlines()]
        spans = [(span, False) for span in _SPAN.findall(_FENCE.sub("", text))]
        for line, in_block in (*lines, *spans):
            bare = re.split(r"\s+#|\s→|\s─", line.strip())[0].strip().removeprefix("$ ")
            candidates = [inner[1] for inner in _INNER.finditer(bare)] or [bare]
            found += [Line(where, one, in_block) for one in candidates if one.startswith(f"{program} ")]
    return found
