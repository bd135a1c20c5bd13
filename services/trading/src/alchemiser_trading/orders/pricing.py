"""Quotes that may be traded on, and limit prices made from them. Pure; USD, Decimal.

An invalid quote never becomes a price: it is refused with its reason.
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from alchemiser_common.ids import Side
from alchemiser_common.ports.broker import Quote, Trade
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


@dataclass(frozen=True, slots=True)
class Prices:
    """What the market shows of a symbol at one moment; None where it shows nothing."""

    quote: Quote | None = None
    trade: Trade | None = None


@dataclass(frozen=True, slots=True)
class Unfit:
    """No quote to trade on, and why."""

    reason: str
    trade: Decimal | None = None
    """USD: a fresh last trade that another figure confirms, or None."""


# No single figure becomes a price. Three tell what a share is worth: the quote's middle, the last trade, and the price
# that the plan was made with, which had two sources itself. Two of them have to agree.
#
#     quote 20.00   trade  0.20   plan 20.05     the quote: the plan confirms it, the trade stands alone
#     quote 20.00   trade 20.10   plan 14.00     the quote: the price has moved since
#     quote 20.00   trade 14.00   plan 14.05     no quote to trade on; the trade serves, if it is fresh
#     quote 20.00   trade  0.20   plan 14.00     nothing: all three are named
#     no quote      trade 30 days old            nothing: what is old is absent, it contradicts nobody
def market_of(
    prices: Prices | None, planned: Decimal, now: datetime, settings: ExecutionSettings
) -> BidAsk | Unfit:
    """The quote as a market, or why it must not be traded on. `planned` is the plan's price in USD."""
    prices = prices or Prices()
    trade = _fresh_trade(prices.trade, now, settings)
    confirmed = trade if trade is not None and _near(trade, planned, settings) else None
    quote = prices.quote
    if quote is None:
        return Unfit(f"no quote{_beside(trade, prices, planned)}", confirmed)
    fault = _fault(quote, now, settings)
    if fault:
        return Unfit(f"quote not fit to trade on: {fault}{_beside(trade, prices, planned)}", confirmed)
    market = BidAsk(quote.bid, quote.ask)
    if _near(market.mid, planned, settings) or (trade is not None and _near(market.mid, trade, settings)):
        return market
    reason = f"prices disagree by more than {settings.max_quote_move}: quote {market.mid}"
    return Unfit(f"{reason}{_beside(trade, prices, planned)}", confirmed)


def _near(price: Decimal, other: Decimal, settings: ExecutionSettings) -> bool:
    return abs(price / other - 1) <= settings.max_quote_move


def _fresh_trade(trade: Trade | None, now: datetime, settings: ExecutionSettings) -> Decimal | None:
    if trade is None or trade.price <= 0:
        return None
    age = (now - trade.at).total_seconds()
    return trade.price if -_CLOCK_TOLERANCE_SECONDS <= age <= settings.max_trade_age_seconds else None


def _beside(trade: Decimal | None, prices: Prices, planned: Decimal) -> str:
    """The other figures, for a person."""
    if trade is not None:
        return f", last trade {trade}, planned at {planned}"
    return f", {'no' if prices.trade is None else 'no fresh'} last trade, planned at {planned}"


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
