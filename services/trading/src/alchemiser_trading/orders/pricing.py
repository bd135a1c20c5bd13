"""Quotes that may be traded on, and limit prices made from them. Pure; USD, Decimal.

An invalid quote never becomes a price: it is refused with its reason.
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from alchemiser_common.ids import Side
from alchemiser_common.messages.reasons import LegReason
from alchemiser_common.ports.broker import Quote, Trade
from alchemiser_common.settings import ExecutionSettings
from alchemiser_trading.plan.prices import NoPrice, PriceFigure, PriceLimits, Source, figure_of_trade, verified

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


@dataclass(frozen=True, slots=True)
class Prices:
    """What the market shows of a symbol at one moment; None where it shows nothing."""

    quote: Quote | None = None
    trade: Trade | None = None


@dataclass(frozen=True, slots=True)
class Unfit:
    """No quote to trade on, and why."""

    detail: str
    """For a person."""
    reason: LegReason
    trade: Decimal | None = None
    """USD: a fresh last trade that another figure confirms, or None."""


# No single figure becomes a price (`plan.prices.verified`): a quote needs the last trade or the plan's price beside it,
# and a fresh last trade that contradicts the quote ends in no price at all. The plan's price had two sources itself; it
# is a witness here, for it is some minutes old.
#
#     quote 20.00   trade 30 days old   plan 20.05     the quote
#     quote 20.00   trade 20.10         plan 14.00     the quote: the price has moved since
#     quote 20.00   trade  0.20         plan 20.05     nothing: both are named
#     no quote      trade 20.10         plan 20.05     no market; the trade serves, within the collar
#     no quote      trade 30 days old   plan 20.05     nothing: what is old is absent
def market_of(prices: Prices | None, planned: Decimal, now: datetime, settings: ExecutionSettings) -> BidAsk | Unfit:
    """The quote as a market, or why it must not be traded on. `planned` is the plan's price in USD."""
    prices, limits = prices or Prices(), PriceLimits.of(settings)
    trade, witness = figure_of_trade(prices.trade), PriceFigure(Source.PLAN, planned)
    quote = prices.quote
    fault = "no quote" if quote is None else _fault(quote, now, settings)
    if quote is None or fault:
        alone = verified([figure for figure in (trade, witness) if figure is not None], now, limits)
        if isinstance(alone, NoPrice):
            return Unfit(f"quote not fit to trade on: {fault}; {alone.detail}", alone.reason)
        return Unfit(f"quote not fit to trade on: {fault}", LegReason.NO_PRICE, alone)
    market = BidAsk(quote.bid, quote.ask)
    figures = (PriceFigure(Source.QUOTE, market.mid, quote.at), trade, witness)
    price = verified([figure for figure in figures if figure is not None], now, limits)
    return Unfit(price.detail, price.reason) if isinstance(price, NoPrice) else market


def _fault(quote: Quote, now: datetime, settings: ExecutionSettings) -> str:
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
