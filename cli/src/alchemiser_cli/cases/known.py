"""Captured cases by name: those that `capture` wrote here, and those of a checkout."""

from pathlib import Path

from alchemiser_common.errors import InvalidSettings

OWN = Path("cases")
"""Where `capture` writes if it is not told otherwise, below the folder that it is called in."""


def find_case(name: str, checkouts: Path) -> Path:
    """The folder that is meant: a folder's path, or the name of a case below `cases` or among a checkout's.

    Raises InvalidSettings, which lists the names.
    """
    asked = Path(name)
    places = (OWN, checkouts)
    found = next((folder for folder in (asked, *(place / name for place in places)) if folder.is_dir()), None)
    if found is not None:
        return found
    names = sorted({case.name for place in places if place.is_dir() for case in place.iterdir() if case.is_dir()})
    have = f"there are {', '.join(names)}" if names else f"there is none in {OWN} or {checkouts}"
    raise InvalidSettings(
        f"{name!r} is no folder, and no captured case is called so: {have}; `alchemiser capture` makes one"
    )
