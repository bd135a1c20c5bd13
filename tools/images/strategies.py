"""A person's own strategies on their way into images: which files of the folder count, their hash, a copy of them.

What is hashed is what is copied is what an image gets. Nothing else of the folder leaves it: no notes, no data, no
hidden file (so neither .git nor .env), no caches.
"""

import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from alchemiser_common.settings_loading import SETTINGS_FILE
from alchemiser_strategy.own_portfolio import REQUIREMENTS, PortfolioFaulty, examine_files
from alchemiser_strategy.python_strategies import is_python_strategy
from alchemiser_strategy.user_strategies import is_symphony
from images.errors import ImagesError

WHEELS = "wheels"
"""Packages of one's own that no index has; the folder's requirements name them as ./wheels/….whl."""
_MARK = ".content-hash"


@dataclass(frozen=True, slots=True)
class OwnStrategies:
    """A folder's files that count, sorted, relative to it; at least one."""

    folder: Path
    files: tuple[Path, ...]

    def content_hash(self) -> str:
        """SHA-256 (hex) of names and contents."""
        digest = hashlib.sha256()
        for file in self.files:
            content = hashlib.sha256((self.folder / file).read_bytes()).hexdigest()
            digest.update(f"{file.as_posix()} {content}\n".encode())
        return digest.hexdigest()

    def examine(self) -> None:
        """Read them all, run none. Raises ImagesError with every fault."""
        try:
            examine_files(self.folder)
        except PortfolioFaulty as error:
            raise ImagesError(f"the strategies of {self.folder} cannot be built:\n{error}") from error


def own_strategies(root: Path, name: str) -> OwnStrategies | None:
    """Those of a folder below `root`, or elsewhere by its whole path; None if there is none of use.

    An empty name is none, too. Raises ImagesError if the folder is no folder or holds a link that leads to none.
    """
    folder = root / name
    if not name or not folder.exists():
        return None
    if not folder.is_dir():
        raise ImagesError(f"STRATEGIES is {name!r}, and that is no folder")
    files = tuple(sorted(file.relative_to(folder) for file in _that_count(folder)))
    return OwnStrategies(folder, files) if files else None


# A builder takes a file of the same size and time for the same file, whatever is in it and whatever folder it is in.
# So the copy's times follow its content, and a file in it says what the whole is: the build compares that with what it
# is told, and neither can an earlier result of other strategies be taken for this one.
@contextmanager
def copied(strategies: OwnStrategies | None) -> Iterator[Path | None]:
    """A build context with a copy of them in `strategies`, links followed, gone afterwards; None if there are none."""
    if strategies is None:
        yield None
        return
    with tempfile.TemporaryDirectory(prefix="alchemiser-strategies-") as context:
        target = Path(context) / "strategies"
        for file in strategies.files:
            copy = target / file
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(strategies.folder / file, copy)
            _date_by_content(copy)
        mark = target / _MARK
        mark.write_text(OwnStrategies(target, strategies.files).content_hash(), "ascii")
        _date_by_content(mark)
        yield Path(context)


def copied_hash(context: Path) -> str:
    """The content hash (SHA-256, hex) of a copy."""
    return (context / "strategies" / _MARK).read_text("ascii")


def _date_by_content(file: Path) -> None:
    seconds = int(hashlib.sha256(file.read_bytes()).hexdigest()[:7], 16)
    os.utime(file, (seconds, seconds))


def _that_count(folder: Path) -> Iterator[Path]:
    for path in folder.iterdir():
        if path.is_symlink() and not path.exists():
            raise ImagesError(f"{path} leads nowhere")
        if path.is_dir():
            if is_python_strategy(path):
                yield from _files(path, "*")
            elif path.name == WHEELS:
                yield from _files(path, "*.whl")
        elif path.name in {SETTINGS_FILE, REQUIREMENTS} or is_symphony(path) or is_python_strategy(path):
            yield path


def _files(folder: Path, pattern: str) -> Iterator[Path]:
    for path in folder.rglob(pattern):
        parts = path.relative_to(folder).parts
        hidden = any(part.startswith(".") or part == "__pycache__" for part in parts)
        if path.is_file() and not hidden and path.suffix not in {".pyc", ".pyo"}:
            yield path
