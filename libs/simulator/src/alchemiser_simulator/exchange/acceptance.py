"""Whether the exchange accepts an order: the broker's rules as one pure check.

In: a ticket and the situation it meets. Out: the price its reservation is counted at, or a Refusal. Changes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from alchemiser_simulator.exchange.orders import ZERO, Ledger, Order, OrderTicket, OrderType, Side, TimeInForce
from alchemiser_simulator.exchange.refusals import (
    forbidden,
    insufficient_buying_power,
    insufficient_quantity,
    invalid,
    sub_penny,
    unprocessable,
    wash_trade,
)
from alchemiser_simulator.market.market import Quote

_CENT = Decimal("0.01")
_FINE_TICK = Decimal("0.0001")
_MINIMUM = Decimal(1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asset:
    """A listed symbol as the control API left it."""

    symbol: str
    id: UUID
    fractionable: bool = True
    tradable: bool = True
    halted: bool = False
    active: bool = True
    listed_twice: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountFlags:
    """Blocks on the account as the control API left them; any of them refuses every new order."""

    trading_blocked: bool = False
    account_blocked: bool = False
    trade_suspended_by_user: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """What an order meets on arrival. Money in USD."""

    asset: Asset
    flags: AccountFlags
    ledger: Ledger  # as booked
    buying_power: Decimal  # net of what open buys reserve; of use for a buy only
    symbol_orders: Sequence[Order]  # open ones
    quote: Quote | None  # of use for a market order only
    collar: Decimal  # share of the ask that a market buy's reservation adds to it
    closing: bool = False  # a close-position call, which may leave the fraction rules and the least amount aside


# A halt refuses nothing: orders are taken and wait for the re-opening.
#
# The client sees the first rule that fails, so the order of the checks is part of the behaviour: account, asset, form,
# fractions, price, wash trade, then money or shares.
#
# What is promised is covered when it is promised:
#
#     buys:   sum of all reservations  <=  spending power     reservation = notional, or quantity x price
#     sales:  sum of all quantities    <=  shares held        a sale by amount counts amount / price shares
#
# The price is fixed here and kept with the order: its limit, the worst it can trade at; for a market buy the ask plus
# a collar, because the quote moves before the order trades; for a market sale the bid. Only a market buy that has to
# wait can cost more than its collar allowed for: Timeline._affordable looks again when it trades.
def check(ticket: OrderTicket, situation: Situation) -> Decimal:
    """The price in USD a share of an acceptable order is reserved at until it ends. Raises Refusal."""
    _check_account(situation.flags)
    _check_asset(situation.asset)
    _check_form(ticket)
    if not situation.closing:
        _check_fractions(ticket, situation.asset)
    price = _reserve_price(ticket, situation)
    _check_wash_trade(ticket, situation.symbol_orders)
    if ticket.side is Side.BUY:
        _check_buying_power(ticket, situation, price)
    else:
        _check_shares(ticket, situation, price)
    return price


def _check_account(flags: AccountFlags) -> None:
    if flags.account_blocked:
        raise forbidden("account is blocked")
    if flags.trading_blocked:
        raise forbidden("account is not allowed to trade")
    if flags.trade_suspended_by_user:
        raise forbidden("new orders are rejected by user request")


def _check_asset(asset: Asset) -> None:
    if not asset.active:
        raise unprocessable(f'asset "{asset.symbol}" is not active')
    if not asset.tradable:
        raise unprocessable(f'asset "{asset.symbol}" is not tradable')


def _check_form(ticket: OrderTicket) -> None:
    _check_amount(ticket)
    limit = ticket.limit_price
    if ticket.type is OrderType.MARKET:
        if limit is not None:
            raise invalid("market orders require no limit price")
        return
    if limit is None:
        raise invalid("limit orders require a limit price")
    if limit <= 0:
        raise invalid("limit price must be > 0")
    if limit % (_CENT if limit >= 1 else _FINE_TICK):
        raise sub_penny("limit_price", limit)


def _check_amount(ticket: OrderTicket) -> None:
    if (ticket.qty is None) == (ticket.notional is None):
        raise invalid("qty or notional is required, and only one of them")
    if ticket.qty is not None:
        if ticket.qty <= 0:
            raise invalid("qty must be > 0")
        if _decimals(ticket.qty) > 9:
            raise unprocessable("qty must be limited to 9 decimal places")
    if ticket.notional is not None:
        if ticket.notional <= 0:
            raise invalid("notional must be > 0")
        if _decimals(ticket.notional) > 2:
            raise unprocessable("notional value must be limited to 2 decimal places")


def _decimals(value: Decimal) -> int:
    exponent = value.normalize().as_tuple().exponent
    return -exponent if isinstance(exponent, int) else 0


def _check_fractions(ticket: OrderTicket, asset: Asset) -> None:
    if ticket.qty is not None and ticket.qty == ticket.qty.to_integral_value():
        return
    if not asset.fractionable:
        raise forbidden(f'asset "{asset.symbol}" is not fractionable')
    if ticket.time_in_force is not TimeInForce.DAY:
        raise unprocessable("fractional orders must be DAY orders")


def _reserve_price(ticket: OrderTicket, situation: Situation) -> Decimal:
    if ticket.limit_price is not None:
        return ticket.limit_price
    if situation.quote is None:
        raise unprocessable(f'asset "{ticket.symbol}" has no price yet')
    if ticket.side is Side.SELL:
        return situation.quote.bid
    return situation.quote.ask * (1 + situation.collar)


def _check_wash_trade(ticket: OrderTicket, orders: Sequence[Order]) -> None:
    """Opposite orders may rest side by side only as limits that cannot trade with each other."""
    for order in orders:
        existing = order.ticket
        if existing.side is ticket.side:
            continue
        if existing.limit_price is not None and ticket.limit_price is not None:
            buy, sell = (existing, ticket) if existing.side is Side.BUY else (ticket, existing)
            if (buy.limit_price or ZERO) < (sell.limit_price or ZERO):
                continue
        raise wash_trade(order.id, existing.type.value)


def _check_buying_power(ticket: OrderTicket, situation: Situation, price: Decimal) -> None:
    cost = ticket.notional if ticket.notional is not None else (ticket.qty or ZERO) * price
    if cost < _MINIMUM and not situation.closing:
        raise forbidden("cost basis must be >= minimal amount of order 1")
    if cost > situation.buying_power:
        raise insufficient_buying_power(situation.buying_power, cost)


def _check_shares(ticket: OrderTicket, situation: Situation, price: Decimal) -> None:
    """Short selling is not offered: a sale needs its shares."""
    holding = situation.ledger.holdings.get(ticket.symbol)
    held = holding.qty if holding else ZERO
    reserved = sum((order.held for order in situation.symbol_orders), ZERO)
    requested = ticket.qty if ticket.qty is not None else (ticket.notional or ZERO) / price
    if requested > held - reserved:
        related = [order.id for order in situation.symbol_orders if order.ticket.side is Side.SELL]
        raise insufficient_quantity(ticket.symbol, requested, held, reserved, related)
    amount = ticket.notional if ticket.notional is not None else requested * price
    if amount < _MINIMUM and not situation.closing:
        raise forbidden("cost basis must be >= minimal amount of order 1")
