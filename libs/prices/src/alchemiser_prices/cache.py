"""What was imported once: a tidy file for each content, so that the next command reads that.

In: a path and the folder of the cache. Out: the path of a tidy file. Must never import pandas, except to import what
is not there yet.
"""

from pathlib import Path

from alchemiser_prices import tidy
from alchemiser_prices.files import content_hash

IMPORTER = 1
"""Raised whenever the same file would be read in another way: what earlier importers left is read anew."""


def place(path: Path, cache: Path) -> Path:
    """Where the tidy form of this content is, or would be. Raises UnusablePrices if there is nothing to read."""
    return cache / f"{content_hash(path)}-{IMPORTER}{tidy.SUFFIX}"


def tidy_file(path: Path, cache: Path) -> Path:
    """The file itself if it is tidy; otherwise its tidy form, imported now if that has not been done.

    What a person answered at `alchemiser prices import` stays answered: that import is in the cache. Raises
    UnusablePrices, AmbiguousPrices.
    """
    if tidy.is_tidy(path):
        return path
    kept = place(path, cache)
    if tidy.is_tidy(kept):
        return kept
    from alchemiser_prices.importing import import_prices  # pandas

    table, report = import_prices([path])
    tidy.write(kept, table, report=report)
    return kept
