"""Write the site's sources into a folder: ``python -m site_pages FOLDER``. The folder is replaced."""

import shutil
import sys
from pathlib import Path

from site_pages.pages import copied, front
from site_pages.reference import commands_page, messages_page, settings_page

ROOT = Path(__file__).parents[2]


def write(folder: Path) -> None:
    """Every page, as the site's builder reads it."""
    docs = ROOT / "docs"
    shutil.rmtree(folder, ignore_errors=True)
    for source in sorted(docs.rglob("*")):
        target = folder / source.relative_to(docs)
        if source.is_dir():
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.suffix == ".md":
            target.write_text(copied(source.read_text(encoding="utf-8"), source.parent, docs), encoding="utf-8")
        else:
            shutil.copyfile(source, target)
    (folder / "index.md").write_text(front((ROOT / "README.md").read_text(encoding="utf-8"), ROOT), encoding="utf-8")
    reference = folder / "reference"
    reference.mkdir()
    for name, text in (("commands", commands_page()), ("settings", settings_page()), ("messages", messages_page())):
        (reference / f"{name}.md").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write(Path(sys.argv[1]))
