"""Events that a price file does not hold, put into its history: gaps of the feed and corporate actions.

In: a history and a change. Out: another history. Must never change a bar that has nothing to do with the event.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from decimal import Decimal

import numpy as np

from alchemiser_simulator.market.actions import (
    Action,
    CashDividend,
    Delisted,
    MadeSplit,
    MarketChange,
    Merger,
    Renamed,
    SkippedBars,
    SpinOff,
    StockDividend,
    WorthlessRemoval,
)
from alchemiser_simulator.market.derive import FloatArray
from alchemiser_simulator.market.history import Distribution, Ending, PriceHistory, Split

__all__ = [
    "CashDividend",
    "ChangeError",
    "Delisted",
    "MadeSplit",
    "MarketChange",
    "Merger",
    "Renamed",
    "SkippedBars",
    "SpinOff",
    "StockDividend",
    "WorthlessRemoval",
    "changed",
]


class ChangeError(ValueError):
    """A change does not fit the history; the message names the value and the remedy."""


def changed(history: PriceHistory, changes: Iterable[MarketChange]) -> PriceHistory:
    """The history after all changes, in their order. Raises ChangeError."""
    for change in changes:
        if change.symbol not in history.positions:
            raise ChangeError(f"the price history has no symbol {change.symbol!r}")
        match change:
            case SkippedBars():
                skipped = {*history.skipped, *((change.symbol, day) for day in change.days)}
                history = _with(history, skipped=frozenset(skipped))
            case Delisted():
                history = _ended(history, Ending(change.symbol, change.day))
            case _:
                history = _acted(history, change)
    return history


def _acted(history: PriceHistory, action: Action) -> PriceHistory:
    """After a corporate action, which the history knows from then on."""
    if any((other.symbol, other.day) == (action.symbol, action.day) for other in history.actions):
        raise ChangeError(f"{action.symbol} has a corporate action on {action.day} already; choose another day")
    match action:
        case MadeSplit():
            history, action = _split(history, action)
        case Renamed():
            history = _renamed(history, action)
        case CashDividend():
            history = _distributed(history, action.symbol, action.day, action.rate)
        case StockDividend():
            history = _diluted(history, action)
        case SpinOff():
            worth = _price_of_new(history, action) * action.new_rate / action.source_rate
            history = _distributed(history, action.symbol, action.day, worth)
        case Merger(acquirer=str(acquirer)) if acquirer not in history.positions:
            raise ChangeError(f"the price history has no symbol {acquirer!r}, the acquirer")
        case Merger() | WorthlessRemoval():
            history = _ended(history, Ending(action.symbol, action.day))
    return _with(history, actions=(*history.actions, action))


def _with(history: PriceHistory, **fields: object) -> PriceHistory:
    """Changed, without what has been derived from the unchanged one."""
    return replace(history, **fields, _columns={})  # type: ignore[arg-type]


def _split(history: PriceHistory, change: MadeSplit) -> tuple[PriceHistory, MadeSplit]:
    """The history after the split, and the split with its ratio."""
    known = [split for split in history.splits if (split.symbol, split.day) == (change.symbol, change.day)]
    others = tuple(split for split in history.splits if split not in known)
    ratio = change.ratio
    if ratio is None and not known:
        raise ChangeError(f"the history has no split of {change.symbol} on {change.day}; give its ratio")
    if ratio is not None and known:
        raise ChangeError(f"the history has a split of {change.symbol} on {change.day}; leave its ratio out")
    split = Split(
        change.symbol,
        change.day,
        known[0].ratio if ratio is None else ratio,
        adjusted=change.adjusted,
        announced=change.announced,
    )
    history = _with(history, splits=(*others, split))
    if ratio is not None:
        history = _scaled(history, change.symbol, change.day, ratio)
    return history, change.model_copy(update={"ratio": split.ratio})


def _close_before(history: PriceHistory, symbol: str, day: date) -> float:
    """The last close in USD before a day. Raises ChangeError if there is none."""
    closes = history.close[: bisect_left(history.dates, day), history.positions[symbol]]
    known = closes[~np.isnan(closes)]
    if not len(known):
        raise ChangeError(f"{symbol} has no price before {day}; choose a later day")
    return float(known[-1])


def _price_of_new(history: PriceHistory, action: SpinOff) -> Decimal:
    """What a share of the new symbol is worth: its last close before the day, or else its first one from then on."""
    if action.new_symbol not in history.positions:
        raise ChangeError(f"the price history has no symbol {action.new_symbol!r}, the new one")
    closes, row = history.close[:, history.positions[action.new_symbol]], bisect_left(history.dates, action.day)
    before, since = closes[:row][~np.isnan(closes[:row])], closes[row:][~np.isnan(closes[row:])]
    if not len(before) and not len(since):
        raise ChangeError(f"{action.new_symbol} has no price")
    return Decimal(str(float(before[-1] if len(before) else since[0])))


# What is paid out leaves the price. From the day on prices are lower in the proportion that the payment has to the last
# close before it, so nothing that has been seen changes, and whoever adds the payment to the price goes on without a
# jump:
#
#     close before 100.00, 2.00 paid:    prices from the day on x 98/100, adjusted bars before it x 98/100
def _distributed(history: PriceHistory, symbol: str, day: date, amount: Decimal) -> PriceHistory:
    """After a payment of `amount` USD a share."""
    close = _close_before(history, symbol, day)
    if float(amount) >= close:
        raise ChangeError(f"{symbol} closes at {close} before {day} and cannot pay {amount}; choose less")
    factor = (close - float(amount)) / close
    payment = Distribution(symbol, day, amount, factor)
    return _lowered(_with(history, distributions=(*history.distributions, payment)), symbol, day, factor)


def _diluted(history: PriceHistory, action: StockDividend) -> PriceHistory:
    """After a stock dividend: a split in all but name, which bars are adjusted for."""
    ratio = float(1 + action.rate)
    split = Split(action.symbol, action.day, ratio, announced=False)
    return _lowered(
        _with(history, splits=(*history.splits, split)), action.symbol, action.day, 1 / ratio, volumes=ratio
    )


def _lowered(
    history: PriceHistory, symbol: str, day: date, factor: float, volumes: float | None = None
) -> PriceHistory:
    """Prices from the day on times `factor`, rounded to ticks; the adjusted close is what it was."""
    column, row = history.positions[symbol], bisect_left(history.dates, day)

    def lowered(array: FloatArray | None) -> FloatArray | None:
        if array is None:
            return None
        result = array.copy()
        prices = result[row:, column] * factor
        result[row:, column] = np.where(prices >= 1, np.round(prices, 2), np.round(prices, 4))
        return result

    volume = history.given_volume
    if volume is not None and volumes is not None:
        volume = volume.copy()
        volume[row:, column] = np.floor(volume[row:, column] * volumes)
    return _with(
        history,
        close=lowered(history.close),
        given_open=lowered(history.given_open),
        given_high=lowered(history.given_high),
        given_low=lowered(history.given_low),
        given_volume=volume,
    )


def _scaled(history: PriceHistory, symbol: str, day: date, ratio: float) -> PriceHistory:
    """Raw prices before the day times `ratio`, volumes divided by it. The adjusted close is what it was."""
    column, row = history.positions[symbol], bisect_left(history.dates, day)

    def scaled(array: FloatArray | None, by: float) -> FloatArray | None:
        if array is None:
            return None
        result = array.copy()
        result[:row, column] *= by
        return result

    return _with(
        history,
        close=scaled(history.close, ratio),
        given_open=scaled(history.given_open, ratio),
        given_high=scaled(history.given_high, ratio),
        given_low=scaled(history.given_low, ratio),
        given_volume=scaled(history.given_volume, 1 / ratio),
    )


def _ended(history: PriceHistory, ending: Ending) -> PriceHistory:
    close = history.close.copy()
    close[bisect_left(history.dates, ending.day) :, history.positions[ending.symbol]] = np.nan
    return _with(history, close=close, endings=(*history.endings, ending))


def _renamed(history: PriceHistory, change: Renamed) -> PriceHistory:
    if change.into in history.positions:
        raise ChangeError(f"the price history has a symbol {change.into!r} already; choose another name")
    column = history.positions[change.symbol]

    def doubled(array: FloatArray | None) -> FloatArray | None:
        return None if array is None else np.column_stack([array, array[:, column]])

    splits = tuple(replace(split, symbol=change.into) for split in history.splits if split.symbol == change.symbol)
    payments = tuple(
        replace(paid, symbol=change.into) for paid in history.distributions if paid.symbol == change.symbol
    )
    both = _with(
        history,
        symbols=(*history.symbols, change.into),
        close=doubled(history.close),
        given_open=doubled(history.given_open),
        given_high=doubled(history.given_high),
        given_low=doubled(history.given_low),
        given_volume=doubled(history.given_volume),
        adjusted_close=doubled(history.adjusted_close),
        splits=(*history.splits, *splits),
        distributions=(*history.distributions, *payments),
        skipped=history.skipped | {(change.into, day) for symbol, day in history.skipped if symbol == change.symbol},
    )
    return _ended(both, Ending(change.symbol, change.day, change.into))
