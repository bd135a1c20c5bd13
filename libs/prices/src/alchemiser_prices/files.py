"""A path becomes the files in it, unpacked: a file, a folder, a zip; each file's bytes with what to call it.

In: a path. Out: names and bytes, in the order of their names. Must never import pandas: the cache hashes what is here.
"""

import bz2
import gzip
import hashlib
import io
import lzma
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from alchemiser_prices.errors import UnusablePrices

_TABLES = (
    ".csv", ".txt", ".tsv", ".gz", ".bz2", ".xz", ".zip", ".parquet", ".pq", ".feather", ".arrow", ".json", ".ipc",
)  # fmt: skip
_PACKED = (".gz", ".bz2", ".xz")
_SHEETS = (".xlsx", ".xls", ".ods")


@dataclass(frozen=True, slots=True)
class Found:
    """A file with a table in it."""

    name: str
    """As a person knows it: `prices.zip/aapl.csv`."""
    stem: str
    """Its last part without endings: `aapl`; a symbol, perhaps."""
    data: bytes


def stem_of(name: str) -> str:
    """`prices.zip/aapl.us.csv.gz` gives `aapl.us`."""
    stem = PurePosixPath(name).name
    while (suffix := PurePosixPath(stem).suffix.lower()) in _TABLES:
        stem = stem[: -len(suffix)]
    return stem


def paths_in(path: Path) -> list[Path]:
    """The files that count: the path itself, or every table below the folder. Raises UnusablePrices without any."""
    if path.is_file():
        return [path]
    if not path.exists():
        raise UnusablePrices(f"{path}: no such file or folder; give daily prices in one, see docs/prices.md")
    found = sorted(
        each
        for each in path.rglob("*")
        if each.is_file() and each.suffix.lower() in _TABLES and not _hidden(each.relative_to(path).parts)
    )
    if not found:
        raise UnusablePrices(f"{path}: no file in this folder ends in {', '.join(_TABLES)}")
    return found


def content_hash(path: Path) -> str:
    """Of the bytes, and of the names in a folder: it may be they that say which symbol a file is of."""
    digest = hashlib.sha256()
    whole = path.is_file()
    for each in paths_in(path):
        digest.update(f"{each.name if whole else each.relative_to(path).as_posix()}\n".encode())
        with each.open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()[:32]


def files_in(path: Path) -> Iterator[Found]:
    """Every file that holds a table, unpacked. Raises UnusablePrices."""
    for each in paths_in(path):
        try:
            yield from _unpacked(str(each), each.read_bytes())
        except (OSError, EOFError, zlib.error, lzma.LZMAError, zipfile.BadZipFile, NotImplementedError) as error:
            raise UnusablePrices(f"{each}: cannot be unpacked ({error}); download or export it again") from error


def _hidden(parts: tuple[str, ...]) -> bool:
    return any(part.startswith((".", "__MACOSX")) for part in parts)


def _unpacked(name: str, data: bytes) -> Iterator[Found]:
    if name.lower().endswith(_SHEETS):
        raise UnusablePrices(f"{name}: a spreadsheet is not read; save its sheet as CSV")
    if data[:2] == b"\x1f\x8b":
        yield from _unpacked(_without_packing(name), gzip.decompress(data))
    elif data[:3] == b"BZh":
        yield from _unpacked(_without_packing(name), bz2.decompress(data))
    elif data[:6] == b"\xfd7zXZ\x00":
        yield from _unpacked(_without_packing(name), lzma.decompress(data))
    elif data[:4] == b"PK\x03\x04":
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            for inner in sorted(archive.namelist()):
                if inner.lower().endswith(_TABLES) and not _hidden(PurePosixPath(inner).parts):
                    yield from _unpacked(f"{name}/{inner}", archive.read(inner))
    else:
        yield Found(name, stem_of(name), data)


def _without_packing(name: str) -> str:
    return name[: name.rfind(".")] if name.lower().endswith(_PACKED) else name
