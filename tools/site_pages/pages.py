"""Pages as they are in the repository, for a site that has docs/ alone. Pure."""

import re
from pathlib import Path

_LINK = re.compile(r"(?<!!)\[(?P<text>[^\]]+)\]\((?P<target>[^)\s]+)\)")


def copied(text: str, folder: Path, docs: Path) -> str:
    """A page of docs/: a link to a file outside becomes the file's name."""

    def link(found: re.Match[str]) -> str:
        target = found["target"]
        if "://" in target or target.startswith(("#", "mailto:")):
            return found[0]
        path = (folder / target.partition("#")[0]).resolve()
        return found[0] if path.is_relative_to(docs.resolve()) else found["text"]

    return _LINK.sub(link, text)


def front(readme: str, root: Path) -> str:
    """The README as the first page: its links into docs/ lead to the pages, those elsewhere are left out."""

    def link(found: re.Match[str]) -> str:
        target = found["target"]
        if "://" in target or target.startswith("#"):
            return found[0]
        if target.startswith("docs/"):
            inside = target.removeprefix("docs/")
            return (
                f"[{found['text']}]({inside or '#'})"
                if (root / "docs" / inside.partition("#")[0]).is_file()
                else found["text"]
            )
        return found["text"]

    return re.sub(r"(!\[[^\]]*\]\()docs/", r"\1", _LINK.sub(link, readme))
