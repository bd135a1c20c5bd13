"""What `--data` names becomes a price history: a tidy file as it is, other forms imported once and kept in the home."""

from dataclasses import replace
from pathlib import Path

from alchemiser_cli.console import note
from alchemiser_prices import tidy
from alchemiser_prices.cache import tidy_file
from alchemiser_simulator import PriceHistory, read_history


def cache_of(home: Path) -> Path:
    """Where a home keeps the tidy form of files that were imported."""
    return home / "prices"


def read_prices(data: Path, home: Path) -> PriceHistory:
    """The prices of a file or folder in any form. What a person should know of it is said on stderr.

    Raises UnusablePrices, AmbiguousPrices, HistoryError.
    """
    place = tidy_file(data, cache_of(home))
    history = replace(read_history(place), source=str(data))
    if odd := tidy.odd_lines(place):
        note(f"{data}: {'; '.join(odd)} (alchemiser prices show {data})")
    return history
