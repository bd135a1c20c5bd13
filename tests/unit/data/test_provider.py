"""A universe that makes no sense is refused before anything is read."""

import pytest

from alchemiser_common.errors import MarketDataRejected
from alchemiser_data.provider import Universe


@pytest.mark.parametrize(
    ("symbols", "words"),
    [((), "the universe is empty"), (("SPY", "TECL", "SPY"), "names symbols more than once: SPY")],
)
def test_an_empty_or_repeating_universe_is_refused(symbols: tuple[str, ...], words: str) -> None:
    with pytest.raises(MarketDataRejected, match=words):
        Universe(symbols, lookback=200)
