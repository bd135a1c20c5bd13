"""An exchange of the sample market on a Monday morning, and tickets for it, without HTTP."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

from alchemiser_simulator import SimulatorConfig, sample_history
from alchemiser_simulator.exchange.exchange import Exchange
from alchemiser_simulator.exchange.orders import Order, OrderTicket, OrderType, Side, TimeInForce
from alchemiser_simulator.market.market import Market

OPEN = datetime(2020, 6, 1, 15, tzinfo=UTC)  # 11:00 in New York
NIGHT = datetime(2020, 6, 2, 1, tzinfo=UTC)
MARKET = Market(sample_history(), SimulatorConfig(history=sample_history()).spread)


def exchange_at(
    start: datetime = OPEN, multiplier: int = 2, cash: str = "100000", depth: Decimal | None = None
) -> Exchange:
    config = SimulatorConfig(
        history=sample_history(),
        start=start,
        multiplier=multiplier,
        cash=Decimal(cash),
        depth_factor=depth,
        not_fractionable=frozenset({"LEU"}),
    )
    return Exchange(config, MARKET)


def ticket(
    symbol: str = "SPY",
    side: Side = Side.BUY,
    qty: str | None = "10",
    limit: str | Decimal | None = None,
    tif: TimeInForce = TimeInForce.DAY,
    notional: str | None = None,
    client_order_id: str | None = None,
) -> OrderTicket:
    return OrderTicket(
        symbol=symbol,
        side=side,
        type=OrderType.MARKET if limit is None else OrderType.LIMIT,
        time_in_force=tif,
        qty=None if qty is None else Decimal(qty),
        notional=None if notional is None else Decimal(notional),
        limit_price=None if limit is None else Decimal(limit),
        client_order_id=client_order_id,
    )


def current(exchange: Exchange, order: Order) -> Order:
    return exchange.books.orders[order.id]
