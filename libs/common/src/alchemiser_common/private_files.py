"""Folders and files that only their owner can read, whatever the umask says.

They hold what an account has, wants and did. What is there already keeps its mode: `alchemiser doctor` names what
others can read.
"""

import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

FOLDER_MODE = 0o700
FILE_MODE = 0o600
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def make_private_folder(folder: Path) -> None:
    """Make the folder and those above it that are missing, each for its owner only. Raises OSError."""
    missing = []
    while not folder.is_dir():
        missing.append(folder)
        if folder == folder.parent:
            break
        folder = folder.parent
    for path in reversed(missing):
        with suppress(FileExistsError):  # another process made it at this moment, with the same mode
            path.mkdir(mode=FOLDER_MODE)
            path.chmod(FOLDER_MODE)


def make_private_file(file: Path) -> None:
    """Make the file, empty, for its owner only, unless it is there. Raises OSError."""
    with suppress(FileExistsError):
        handle = os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, FILE_MODE)
        try:
            os.fchmod(handle, FILE_MODE)
        finally:
            os.close(handle)


def open_to_others(path: Path) -> Iterator[Path]:
    """The file or folder and what is in it, as far as group or others can come to it; links are not followed.

    A closed folder closes what is in it. Raises OSError for what is not this user's to look at.
    """
    mode = path.lstat().st_mode
    if stat.S_ISLNK(mode) or not mode & _OTHERS:
        return
    yield path
    if stat.S_ISDIR(mode):
        for inner in sorted(path.iterdir()):
            with suppress(FileNotFoundError):  # gone meanwhile
                yield from open_to_others(inner)
