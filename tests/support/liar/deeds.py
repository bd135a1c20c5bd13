"""What people, other programs and machines do while a run is under way: one table."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from functools import partial

from alchemiser_common.records.trading_state import TradingState
from alchemiser_simulator.exchange.orders import OrderTicket, OrderType, Side, TimeInForce
from alchemiser_trading.account.trading_state import set_trading_state
from support.liar.world import ALIAS, STRANGERS, Trade, World

type Act = Callable[[World, str, float], None]
"""A world, a symbol and a size from 0 to 1."""


def _buys(world: World, symbol: str, size: float) -> None:
    _person(world, symbol, Side.BUY, Decimal(1 + int(size * 100)))


def _sells(world: World, symbol: str, size: float) -> None:
    _person(world, symbol, Side.SELL, min(Decimal(1 + int(size * 100)), world.held().get(symbol, Decimal(0)) // 2))


def _rests(world: World, symbol: str, _: float, *, client_order_id: str) -> None:
    price = (world.quote(symbol)[0] / 2).quantize(Decimal("0.01"))
    world.submit(_limit(symbol, price, client_order_id.format(symbol)))


def _halts(world: World, *_: object) -> None:
    world.halted_at = world.now
    _switch(world, TradingState.HALTED)


def _reduces(world: World, *_: object) -> None:
    _switch(world, TradingState.REDUCING)


def _jumps(world: World, _: str, size: float, *, direction: int) -> None:
    world.clock.skew = direction * timedelta(seconds=30 + 3600 * size)


def _pauses(world: World, symbol: str, _: float) -> None:
    _halt(world, symbol, halted=True)
    world.after(120, lambda: _halt(world, symbol, halted=False))


def _withdraws(world: World, _: str, size: float) -> None:
    world.transfer(-world.cash * Decimal(f"{size:.2f}"))


def _deposits(world: World, _: str, size: float) -> None:
    world.transfer(world.equity * Decimal(f"{size:.2f}"))


DEEDS: Mapping[str, Act] = {
    "a person buys": _buys,
    "a person sells": _sells,
    "a person's order stays open": partial(_rests, client_order_id="by-hand-1"),
    "another home's order stays open": partial(_rests, client_order_id=f"alc-{{}}-b1-1-{STRANGERS}"),
    "trading is halted": _halts,
    "trading may only reduce": _reduces,
    "the machine's clock jumps ahead": partial(_jumps, direction=1),
    "the machine's clock jumps back": partial(_jumps, direction=-1),
    "the symbol is halted for two minutes": _pauses,
    "cash is withdrawn": _withdraws,
    "cash is deposited": _deposits,
}


def _person(world: World, symbol: str, side: Side, shares: Decimal) -> None:
    if shares <= 0:
        return
    ticket = OrderTicket(
        symbol=symbol,
        side=side,
        type=OrderType.MARKET,
        time_in_force=TimeInForce.DAY,
        qty=shares,
        client_order_id=f"by-hand-{len(world.trades)}",
    )
    if world.submit(ticket) is not None:
        world.trades.append(Trade(world.now, symbol, shares if side is Side.BUY else -shares))


def _limit(symbol: str, price: Decimal, client_order_id: str) -> OrderTicket:
    return OrderTicket(
        symbol=symbol,
        side=Side.BUY,
        type=OrderType.LIMIT,
        time_in_force=TimeInForce.DAY,
        qty=Decimal(1),
        limit_price=price,
        client_order_id=client_order_id,
    )


def _switch(world: World, state: TradingState) -> None:
    set_trading_state(world.state, ALIAS, state, who="a person", reason="to be safe", now=world.now)


def _halt(world: World, symbol: str, *, halted: bool) -> None:
    venue = world.exchange.venue.exchange
    venue.set_asset(replace(venue.asset(symbol), halted=halted))
