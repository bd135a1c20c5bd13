"""Events that a price file does not hold, put into its history: gaps of the feed, splits, delistings, renamings.

In: a history and a change. Out: another history. Must never change a bar that has nothing to do with the event.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from typing import Annotated, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from alchemiser_simulator.market.derive import FloatArray
from alchemiser_simulator.market.history import Ending, PriceHistory, Split


class ChangeError(ValueError):
    """A change does not fit the history; the message names the value and the remedy."""


class _Change(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    symbol: str


class SkippedBars(_Change):
    """The bars feed shows no bar of the symbol on these days, though it trades: what happens on a thin feed."""

    kind: Literal["skipped_bars"] = "skipped_bars"
    days: tuple[date, ...] = Field(min_length=1)


class MadeSplit(_Change):
    """A split before the open of `day`: raw prices before it become `ratio` times what they were, adjusted ones stay.

    Without `ratio` it is one that the history has. `adjusted`: whether bars are adjusted for it; `announced`: whether
    corporate actions show it. Holdings become new shares when the clock passes it.
    """

    kind: Literal["split"] = "split"
    day: date
    ratio: float | None = Field(default=None, gt=0)
    adjusted: bool = True
    announced: bool = True


class Delisted(_Change):
    """From `day` on the symbol does not trade: no bars, no new orders; holdings stay at their last price."""

    kind: Literal["delisted"] = "delisted"
    day: date


class Renamed(_Change):
    """From `day` on the symbol is called `into`, which has its whole past; holdings follow. Before, nobody knows it."""

    kind: Literal["renamed"] = "renamed"
    day: date
    into: str


type MarketChange = Annotated[SkippedBars | MadeSplit | Delisted | Renamed, Field(discriminator="kind")]


def changed(history: PriceHistory, changes: Iterable[MarketChange]) -> PriceHistory:
    """The history after all changes, in their order. Raises ChangeError."""
    for change in changes:
        if change.symbol not in history.positions:
            raise ChangeError(f"the price history has no symbol {change.symbol!r}")
        match change:
            case SkippedBars():
                skipped = {*history.skipped, *((change.symbol, day) for day in change.days)}
                history = _with(history, skipped=frozenset(skipped))
            case MadeSplit():
                history = _split(history, change)
            case Delisted():
                history = _ended(history, Ending(change.symbol, change.day))
            case Renamed():
                history = _renamed(history, change)
    return history


def _with(history: PriceHistory, **fields: object) -> PriceHistory:
    """Changed, without what has been derived from the unchanged one."""
    return replace(history, **fields, _columns={})  # type: ignore[arg-type]


def _split(history: PriceHistory, change: MadeSplit) -> PriceHistory:
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
    return history if ratio is None else _scaled(history, change.symbol, change.day, ratio)


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

    own = tuple(replace(split, symbol=change.into) for split in history.splits if split.symbol == change.symbol)
    both = _with(
        history,
        symbols=(*history.symbols, change.into),
        close=doubled(history.close),
        given_open=doubled(history.given_open),
        given_high=doubled(history.given_high),
        given_low=doubled(history.given_low),
        given_volume=doubled(history.given_volume),
        adjusted_close=doubled(history.adjusted_close),
        splits=(*history.splits, *own),
        skipped=history.skipped | {(change.into, day) for symbol, day in history.skipped if symbol == change.symbol},
    )
    return _ended(both, Ending(change.symbol, change.day, change.into))
