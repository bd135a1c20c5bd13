"""A price that more than one source vouches for: the rule for plan and orders alike. Pure; USD.

    figure                  counts as
    a fresh one             a price, if another source agrees
    a stale one             absent: the last trade of a thin symbol may be days old
    one without a moment    a witness: it can agree, and is no price by itself

Two fresh ones that disagree are no price at all: one of them is wrong and nothing says which.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from itertools import combinations

from alchemiser_common.messages.reasons import LegReason
from alchemiser_common.ports.broker import Quote, Trade
from alchemiser_common.settings import ExecutionSettings

_CLOCK_TOLERANCE = timedelta(seconds=5)


class Source(StrEnum):
    """Where a price was read, as a person reads it."""

    QUOTE = "the quote's middle"
    TRADE = "the last trade"
    POSITION = "the position's price"
    CLOSE = "the last close"
    PLAN = "the plan's price"


_SAME_ORIGIN = frozenset({Source.TRADE, Source.POSITION})
"""The broker values positions at the last trade: these two are one witness, not two."""


@dataclass(frozen=True, slots=True)
class PriceFigure:
    """One source's price in USD as received, and when it was one; None if the source does not say."""

    source: Source
    price: Decimal
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class PriceLimits:
    """How far apart two prices may be, as a fraction of the higher, and how old a price is fresh."""

    max_move: Decimal
    quote_age: timedelta
    trade_age: timedelta

    @classmethod
    def of(cls, rules: ExecutionSettings) -> "PriceLimits":
        """As the settings say."""
        return cls(
            max_move=rules.max_quote_move,
            quote_age=timedelta(seconds=rules.max_quote_age_seconds),
            trade_age=timedelta(seconds=rules.max_trade_age_seconds),
        )


@dataclass(frozen=True, slots=True)
class NoPrice:
    """Why there is none: a word of the list, and a line with the figures."""

    reason: LegReason
    detail: str


def figure_of_quote(quote: Quote | None, max_spread: Decimal) -> PriceFigure | None:
    """The middle of a quote with two sides that fit together; None if it is no market, whatever its age."""
    if quote is None or not (0 < quote.bid <= quote.ask):
        return None
    mid = (quote.bid + quote.ask) / 2
    return PriceFigure(Source.QUOTE, mid, quote.at) if (quote.ask - quote.bid) / mid <= max_spread else None


def figure_of_trade(trade: Trade | None) -> PriceFigure | None:
    """The last trade's price; None if there is none above zero."""
    return PriceFigure(Source.TRADE, trade.price, trade.at) if trade is not None and trade.price > 0 else None


# Why a contradiction outweighs a majority: a wrong last trade values the position, too, and a quote of a broken feed
# may be what the next trade is made at. With two fresh figures far apart the only safe answer is to ask again later.
# A witness without a moment may be of yesterday, so it contradicts nothing that two fresh figures agree on.
def verified(figures: Sequence[PriceFigure], now: datetime, limits: PriceLimits) -> Decimal | NoPrice:
    """The first fresh price of `figures`, which stand in order of preference, that another source agrees with."""
    known = [figure for figure in figures if figure.price.is_finite() and figure.price > 0]
    fresh = [figure for figure in known if figure.at is not None and _fresh(figure, figure.at, now, limits)]
    for one, other in combinations(fresh, 2):
        if not agree(one.price, other.price, limits):
            return _disagreement(one, other)
    if not fresh:
        stale = [f"{figure.source.value} {figure.price}{_when(figure)}" for figure in known]
        return NoPrice(LegReason.NO_PRICE, f"no fresh price{f' ({", ".join(stale)})' if stale else ''}")
    witnesses = [figure for figure in known if figure.at is None]
    for one in fresh:
        others = [other for other in (*fresh, *witnesses) if _independent(one, other)]
        if any(agree(one.price, other.price, limits) for other in others):
            return one.price
    against = next((other for other in witnesses if _independent(fresh[0], other)), None)
    if against is not None:
        return _disagreement(fresh[0], against)
    return NoPrice(
        LegReason.NO_PRICE, f"only {fresh[0].source.value} {fresh[0].price}, and no second source confirms it"
    )


def agree(one: Decimal, other: Decimal, limits: PriceLimits) -> bool:
    """Whether two prices are within the limit of each other."""
    return abs(one - other) <= limits.max_move * max(one, other)


def _independent(one: PriceFigure, other: PriceFigure) -> bool:
    return one.source is not other.source and not {one.source, other.source} <= _SAME_ORIGIN


def _fresh(figure: PriceFigure, at: datetime, now: datetime, limits: PriceLimits) -> bool:
    oldest = limits.quote_age if figure.source is Source.QUOTE else limits.trade_age
    return -_CLOCK_TOLERANCE <= now - at <= oldest


def _disagreement(one: PriceFigure, other: PriceFigure) -> NoPrice:
    return NoPrice(
        LegReason.PRICES_DISAGREE, f"{one.source.value} {one.price} against {other.source.value} {other.price}"
    )


def _when(figure: PriceFigure) -> str:
    return "" if figure.at is None else f" of {figure.at.isoformat(timespec='seconds')}"
