"""Quotes that may be traded on, and limit prices made from them. Pure; USD, Decimal.

An invalid quote never becomes a price: it is refused with its reason.
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from alchemiser_common.ids import Side
from alchemiser_common.ports.broker import Quote
from alchemiser_common.settings import ExecutionSettings

_CENT = Decimal("0.01")
_SUB_PENNY = Decimal("0.0001")
_DOLLAR = Decimal(1)
_CLOCK_TOLERANCE_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class BidAsk:
    """A quote that passed: bid and ask in USD, bid <= ask."""

    bid: Decimal
    ask: Decimal

    @property
    def mid(self) -> Decimal:
        """Middle of bid and ask, USD."""
        return (self.bid + self.ask) / 2

    @property
    def relative_spread(self) -> Decimal:
        """Spread as a fraction of mid."""
        return (self.ask - self.bid) / self.mid


def sane(quote: Quote | None, reference: Decimal, now: datetime, settings: ExecutionSettings) -> BidAsk | str:
    """The quote as a market, or why it must not be traded on. `reference` is the last trade's price in USD."""
    if quote is None:
        return "no quote"
    return _fault(quote, reference, now, settings) or BidAsk(quote.bid, quote.ask)


def _fault(quote: Quote, reference: Decimal, now: datetime, settings: ExecutionSettings) -> str:
    if quote.bid <= 0 or quote.ask <= 0:
        return f"one side is empty (bid {quote.bid}, ask {quote.ask})"
    if quote.bid > quote.ask:
        return f"crossed (bid {quote.bid} over ask {quote.ask})"
    age = (now - quote.at).total_seconds()
    if age > settings.max_quote_age_seconds or age < -_CLOCK_TOLERANCE_SECONDS:
        return f"{age:.0f} s old"
    market = BidAsk(quote.bid, quote.ask)
    if market.relative_spread > settings.max_spread:
        return f"spread of {market.relative_spread:.4f} of mid (bid {quote.bid}, ask {quote.ask})"
    move = abs(market.mid / reference - 1)
    if move > settings.max_quote_move:
        return f"mid {market.mid} is {move:.4f} from the last trade at {reference}"
    return ""


def walk_limit(market: BidAsk, side: Side, fraction: Decimal) -> Decimal:
    """A limit at `fraction` of the way from the passive to the far side, on the tick grid's passive side."""
    spread = market.ask - market.bid
    price = market.bid + spread * fraction if side is Side.BUY else market.ask - spread * fraction
    return to_tick(price, side)


def collared_limit(far_side: Decimal, side: Side, collar: Decimal) -> Decimal:
    """A limit through the far side by the collar, a fraction: takes what is there, at no worse price than this."""
    return to_tick(far_side * (1 + collar if side is Side.BUY else 1 - collar), side)


def to_tick(price: Decimal, side: Side) -> Decimal:
    """On the exchange's grid (a cent from 1 USD on, else 1/10000), down for a buy and up for a sell; never zero."""
    tick = _CENT if price >= _DOLLAR else _SUB_PENNY
    rounding = ROUND_FLOOR if side is Side.BUY else ROUND_CEILING
    return max(price.quantize(tick, rounding=rounding), tick)
