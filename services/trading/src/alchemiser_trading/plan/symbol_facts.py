"""Reads what a plan needs to know of symbols: last prices and what may be traded."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from alchemiser_common.messages.snapshot import Position
from alchemiser_common.ports.broker import Asset, MarketReader


@dataclass(frozen=True, slots=True)
class SymbolFacts:
    """Last prices in USD and metadata, each for the symbols that have them."""

    prices: dict[str, Decimal]
    assets: dict[str, Asset]


def read_symbols(broker: MarketReader, wanted: Sequence[str], positions: Sequence[Position]) -> SymbolFacts:
    """Facts about every symbol wanted or held. A price is the last trade's, or else the one positions are valued at."""
    symbols = sorted({*wanted, *(position.symbol for position in positions)})
    if not symbols:
        return SymbolFacts({}, {})
    prices = {position.symbol: position.price for position in positions}
    prices.update({trade.symbol: trade.price for trade in broker.latest_trades(symbols) if trade.price > 0})
    return SymbolFacts(prices, {asset.symbol: asset for asset in broker.assets(symbols)})
