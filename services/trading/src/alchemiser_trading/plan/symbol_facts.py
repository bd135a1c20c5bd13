"""Reads what a plan needs to know of symbols: prices that two sources agree on, and what may be traded."""

import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from alchemiser_common.errors import BrokerRefused, BrokerUnavailable
from alchemiser_common.messages.snapshot import Position
from alchemiser_common.ports.broker import Asset, MarketReader, Quote, Trade
from alchemiser_common.ports.clock import Clock
from alchemiser_common.settings import ExecutionSettings
from alchemiser_trading.plan.prices import (
    NoPrice,
    PriceFigure,
    PriceLimits,
    Source,
    figure_of_quote,
    figure_of_trade,
    verified,
)

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class SymbolFacts:
    """Prices in USD, or why there is none, for every symbol; metadata for those that the broker knows."""

    prices: Mapping[str, Decimal | NoPrice]
    assets: Mapping[str, Asset]


def read_symbols(
    broker: MarketReader,
    wanted: Collection[str],
    positions: Sequence[Position],
    closes: Mapping[str, Decimal],
    rules: ExecutionSettings,
    clock: Clock,
) -> SymbolFacts:
    """Facts about every symbol wanted or held; `closes` are the snapshot's last ones.

    What is not confirmed is asked again until it is, or `settle_seconds` have passed: a wrong answer mostly passes.
    Raises BrokerUnavailable if a price is then missing because the broker did not answer.
    """
    symbols = sorted({*wanted, *(position.symbol for position in positions)})
    if not symbols:
        return SymbolFacts({}, {})
    assets = {asset.symbol: asset for asset in broker.assets(symbols)}
    witnesses = _Witnesses({position.symbol: position.price for position in positions}, closes)
    ends = clock.now() + timedelta(seconds=rules.settle_seconds)
    prices: dict[str, Decimal | NoPrice] = {}
    open_symbols = symbols
    while True:
        market = _read_market(broker, open_symbols)
        prices |= {symbol: _price(symbol, market, witnesses, rules, clock.now()) for symbol in open_symbols}
        open_symbols = [symbol for symbol in symbols if symbol in assets and isinstance(prices[symbol], NoPrice)]
        if not open_symbols:
            break
        if clock.now() >= ends:
            if market.unavailable is not None:
                raise market.unavailable
            break
        clock.sleep(rules.poll_seconds)
    return SymbolFacts(prices, assets)


@dataclass(frozen=True, slots=True)
class _Witnesses:
    """Prices without a moment."""

    positions: Mapping[str, Decimal]
    closes: Mapping[str, Decimal]


@dataclass(frozen=True, slots=True)
class _Market:
    """The market as just read, and the error of what could not be."""

    trades: Mapping[str, Trade] = field(default_factory=dict)
    quotes: Mapping[str, Quote] = field(default_factory=dict)
    unavailable: BrokerUnavailable | None = None


def _read_market(broker: MarketReader, symbols: Sequence[str]) -> _Market:
    """Both feeds; one that does not answer leaves the other's prices, which the closes may confirm."""
    errors: list[BrokerUnavailable] = []
    trades = _answered(lambda: broker.latest_trades(symbols), errors)
    quotes = _answered(lambda: broker.latest_quotes(symbols), errors)
    return _Market(
        {trade.symbol: trade for trade in trades},
        {quote.symbol: quote for quote in quotes},
        errors[0] if errors else None,
    )


def _answered[T](read: Callable[[], Sequence[T]], errors: list[BrokerUnavailable]) -> Sequence[T]:
    try:
        return read()
    except BrokerRefused as error:
        _log.warning("prices refused", extra={"reason": str(error)})
        return ()
    except BrokerUnavailable as error:
        errors.append(error)
        return ()


# A quantity is not a limit: a quote that is too old to make a limit from still says what a share is worth. What an
# order is sent at is verified again, by quotes that are fresh then.
def _price(
    symbol: str, market: _Market, witnesses: _Witnesses, rules: ExecutionSettings, now: datetime
) -> Decimal | NoPrice:
    limits = PriceLimits.of(rules)
    sized = PriceLimits(limits.max_move, max(limits.quote_age, limits.trade_age), limits.trade_age)
    figures = (
        figure_of_trade(market.trades.get(symbol)),
        figure_of_quote(market.quotes.get(symbol), rules.max_spread),
        _witness(Source.POSITION, witnesses.positions.get(symbol)),
        _witness(Source.CLOSE, witnesses.closes.get(symbol)),
    )
    return verified([figure for figure in figures if figure is not None], now, sized)


def _witness(source: Source, price: Decimal | None) -> PriceFigure | None:
    return None if price is None else PriceFigure(source, price)
