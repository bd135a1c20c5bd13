"""Routes of the control API (/control/...): clock, faults, assets, account, reset, and the state behind it all."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime, timedelta

from pydantic import BaseModel, JsonValue
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from alchemiser_simulator.config import ConfigError
from alchemiser_simulator.control.faults import Fault, FaultBook
from alchemiser_simulator.control.models import (
    AccountChange,
    AssetChange,
    ClockChange,
    ClockState,
    FaultEntry,
    HoldingChange,
    HoldingState,
    MarketState,
    OrderState,
    Reset,
)
from alchemiser_simulator.exchange.orders import Order
from alchemiser_simulator.exchange.refusals import invalid, not_found
from alchemiser_simulator.exchange.transfers import Transfer
from alchemiser_simulator.exchange.venue import Venue
from alchemiser_simulator.http.bodies import parse, parse_json
from alchemiser_simulator.http.odd_orders import odd_order_json
from alchemiser_simulator.http.wire import asset_json
from alchemiser_simulator.market.changes import MarketChange


class _NewFault(BaseModel):
    fault: Fault


class _NewOddOrder(BaseModel):
    order: dict[str, JsonValue]


class _NewMarketChange(BaseModel):
    change: MarketChange


def _answer(model: BaseModel, status: int = 200) -> Response:
    return Response(model.model_dump_json(), status_code=status, media_type="application/json")


def _order_state(order: Order) -> OrderState:
    return OrderState(
        id=str(order.id),
        client_order_id=order.client_order_id,
        symbol=order.ticket.symbol,
        side=order.ticket.side.value,
        status=order.status.value,
        qty=order.ticket.qty,
        notional=order.ticket.notional,
        limit_price=order.ticket.limit_price,
        filled_qty=order.filled_qty,
        filled_cost=order.filled_cost,
        created_at=order.created_at,
        replaces=str(order.replaces) if order.replaces else None,
        replaced_by=str(order.replaced_by) if order.replaced_by else None,
    )


class ControlRoutes:
    """Handlers over one venue and its faults. No authentication: the server listens on the loopback interface. They
    raise Refusal for a body that does not fit, or that the exchange declines.
    """

    def __init__(self, venue: Venue, faults: FaultBook) -> None:
        self._venue = venue
        self._faults = faults

    def routes(self) -> list[Route]:
        table: list[tuple[str, str, Callable[[Request], Awaitable[Response]]]] = [
            ("GET", "/control/clock", self.clock),
            ("POST", "/control/clock", self.set_clock),
            ("GET", "/control/state", self.state),
            ("GET", "/control/faults", self.faults),
            ("POST", "/control/faults", self.add_fault),
            ("DELETE", "/control/faults", self.clear_faults),
            ("DELETE", "/control/faults/{number:int}", self.remove_fault),
            ("PATCH", "/control/assets/{symbol}", self.set_asset),
            ("PATCH", "/control/account", self.set_account),
            ("POST", "/control/positions", self.set_holding),
            ("POST", "/control/transfers", self.transfer),
            ("POST", "/control/orders", self.put_odd_order),
            ("GET", "/control/market", self.market_changes),
            ("POST", "/control/market", self.change_market),
            ("POST", "/control/reset", self.reset),
        ]
        return [Route(path, handler, methods=[method]) for method, path, handler in table]

    def _clock(self) -> ClockState:
        exchange, calendar = self._venue.exchange, self._venue.market.calendar
        return ClockState(
            now=exchange.now,
            is_open=calendar.at(exchange.now) is not None,
            mode=self._venue.config.clock.value,
            begins=calendar.begins,
            ends=calendar.ends,
        )

    async def clock(self, request: Request) -> Response:
        until = request.query_params.get("until")
        self._venue.looked_at(None if until is None else datetime.fromisoformat(until))
        return _answer(self._clock())

    async def set_clock(self, request: Request) -> Response:
        change = parse(ClockChange, parse_json(await request.body()))
        target = change.now or self._venue.exchange.now + timedelta(seconds=change.advance or 0.0)
        self._venue.advance_to(target)
        return _answer(self._clock())

    async def state(self, _: Request) -> Response:
        venue, exchange = self._venue, self._venue.exchange
        head = exchange.books.head
        holdings = [
            HoldingState(symbol=symbol, qty=held.qty, cost=held.cost)
            for symbol, held in sorted(head.ledger.holdings.items())
        ]
        return _answer(
            MarketState(
                now=head.now,
                cash=head.ledger.cash,
                equity=exchange.equity,
                last_equity=head.last_equity,
                buying_power=exchange.buying_power,
                holdings=holdings,
                orders=[_order_state(order) for order in exchange.books.orders.values()],
                fills=len(exchange.books.fills),
                requests=dict(sorted(venue.counts.items())),
                source=venue.market.history.source,
                derived=venue.market.history.derived,
            )
        )

    async def faults(self, _: Request) -> Response:
        listed = [FaultEntry(number=number, fault=fault, used=used) for number, fault, used in self._faults.listed()]
        return JSONResponse([entry.model_dump(mode="json") for entry in listed])

    async def add_fault(self, request: Request) -> Response:
        # Floats: what a rule holds is in part JSON that goes out again.
        fault = parse(_NewFault, {"fault": parse_json(await request.body(), number=float)}).fault
        number = self._faults.add(fault)
        return _answer(FaultEntry(number=number, fault=fault, used=0), 201)

    async def clear_faults(self, _: Request) -> Response:
        self._faults.clear()
        return Response(status_code=204)

    async def remove_fault(self, request: Request) -> Response:
        number = int(request.path_params["number"])
        if not self._faults.remove(number):
            raise not_found(f"no fault has number {number}")
        return Response(status_code=204)

    async def set_asset(self, request: Request) -> Response:
        change = parse(AssetChange, parse_json(await request.body()))
        exchange = self._venue.exchange
        asset = exchange.asset(str(request.path_params["symbol"]))
        asset = replace(asset, **change.model_dump(exclude_none=True))
        exchange.set_asset(asset)
        return JSONResponse({**asset_json(asset), "halted": asset.halted})

    async def set_account(self, request: Request) -> Response:
        change = parse(AccountChange, parse_json(await request.body()))
        exchange = self._venue.exchange
        if change.cash is not None:
            exchange.set_cash(change.cash)
        if change.withheld is not None:
            exchange.withhold(change.withheld)
        flags = change.model_dump(exclude_none=True, exclude={"cash", "withheld"})
        exchange.set_flags(replace(exchange.books.head.flags, **flags))
        return await self.state(request)

    async def set_holding(self, request: Request) -> Response:
        change = parse(HoldingChange, parse_json(await request.body()))
        self._venue.exchange.set_holding(change.symbol, change.qty, change.avg_entry_price, change.mark)
        return await self.state(request)

    async def put_odd_order(self, request: Request) -> Response:
        body = parse(_NewOddOrder, {"order": parse_json(await request.body(), number=float)}).order
        exchange = self._venue.exchange
        identity = str(exchange.books.identity("odd", exchange.books.number()))
        order = odd_order_json(identity, body, exchange.now)
        exchange.put_odd_order(identity, json.dumps(order))
        return JSONResponse(order, status_code=201)

    async def transfer(self, request: Request) -> Response:
        self._venue.exchange.transfer(parse(Transfer, parse_json(await request.body())))
        return await self.state(request)

    async def market_changes(self, _: Request) -> Response:
        return JSONResponse(
            [change.model_dump(mode="json") for change in self._venue.exchange.books.head.market_changes]
        )

    async def change_market(self, request: Request) -> Response:
        change = parse(_NewMarketChange, {"change": parse_json(await request.body())}).change
        self._venue.change_market(change)
        return _answer(change, 201)

    async def reset(self, request: Request) -> Response:
        change = parse(Reset, parse_json(await request.body()))
        try:
            self._venue.reset(change.start, change.cash)
        except ConfigError as error:
            raise invalid(str(error)) from error
        self._faults.clear()
        return _answer(self._clock())
