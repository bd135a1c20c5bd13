"""Routes of the trading API (/v2/...): account, positions, orders, assets, activities, calendar, clock."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from urllib.parse import unquote
from uuid import UUID, uuid5

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from alchemiser_simulator.control.faults import Facts, FaultBook
from alchemiser_simulator.exchange.acceptance import Asset
from alchemiser_simulator.exchange.exchange import Replacement
from alchemiser_simulator.exchange.orders import CancelQuirks, Order, Quirks
from alchemiser_simulator.exchange.refusals import Refusal, not_found
from alchemiser_simulator.exchange.venue import Venue
from alchemiser_simulator.http.activities import activities_page
from alchemiser_simulator.http.bodies import (
    ActivitiesQuery,
    CalendarQuery,
    ClosePositionQuery,
    OrderBody,
    OrdersQuery,
    ReplaceBody,
    check_offered,
    parse,
    parse_json,
)
from alchemiser_simulator.http.odd_orders import all_odd_orders, cancel_odd_order, is_open, odd_order
from alchemiser_simulator.http.order_lists import listed_orders
from alchemiser_simulator.http.wire import (
    Json,
    JsonObject,
    account_json,
    asset_json,
    clock_json,
    order_json,
    position_json,
    refusal_json,
    session_json,
    twin_json,
)
from alchemiser_simulator.market.sessions import new_york_day


class TradingRoutes:
    """Handlers over one venue. All run on the event loop, one at a time: each is one step of the exchange. They raise
    Refusal for what the exchange declines.
    """

    def __init__(self, venue: Venue, faults: FaultBook) -> None:
        self._venue = venue
        self._faults = faults

    def routes(self) -> list[Route]:
        """The routing table; orders:by_client_order_id stands before orders/{id}."""
        table: list[tuple[str, str, Callable[[Request], Awaitable[Response]]]] = [
            ("GET", "/v2/account", self.account),
            ("GET", "/v2/account/activities", self.activities),
            ("GET", "/v2/account/activities/{kind}", self.activities),
            ("GET", "/v2/clock", self.clock),
            ("GET", "/v2/calendar", self.calendar),
            ("GET", "/v2/assets", self.assets),
            ("GET", "/v2/assets/{symbol}", self.asset),
            ("GET", "/v2/positions", self.positions),
            ("DELETE", "/v2/positions", self.close_all),
            ("GET", "/v2/positions/{symbol}", self.position),
            ("DELETE", "/v2/positions/{symbol}", self.close),
            ("POST", "/v2/orders", self.submit),
            ("GET", "/v2/orders", self.orders),
            ("DELETE", "/v2/orders", self.cancel_all),
            ("GET", "/v2/orders:by_client_order_id", self.order_by_client_id),
            ("GET", "/v2/orders/{id}", self.order),
            ("PATCH", "/v2/orders/{id}", self.replace),
            ("DELETE", "/v2/orders/{id}", self.cancel),
        ]
        return [Route(path, handler, methods=[method]) for method, path, handler in table]

    # Account, clock, calendar, assets

    async def account(self, _: Request) -> Response:
        return JSONResponse(account_json(self._venue.exchange))

    async def activities(self, request: Request) -> Response:
        query = parse(ActivitiesQuery, dict(request.query_params))
        kind = request.path_params.get("kind")
        return JSONResponse(activities_page(self._venue.exchange, query, None if kind is None else str(kind)))

    async def clock(self, _: Request) -> Response:
        return JSONResponse(clock_json(self._venue.exchange))

    async def calendar(self, request: Request) -> Response:
        query = parse(CalendarQuery, dict(request.query_params))
        calendar = self._venue.market.calendar
        end = query.end or max(calendar.sessions[-1].day, new_york_day(self._venue.exchange.now)) + timedelta(days=365)
        return JSONResponse([session_json(session) for session in calendar.between(query.start, end)])

    async def assets(self, request: Request) -> Response:
        status = request.query_params.get("status")
        if request.query_params.get("asset_class", "us_equity") != "us_equity":
            return JSONResponse([])
        exchange = self._venue.exchange
        market = self._venue.market
        found = [exchange.asset(symbol) for symbol in market.history.symbols if market.known(symbol, exchange.now)]
        wanted = [asset for asset in found if status is None or asset.active == (status == "active")]
        twins = [asset for asset in wanted if asset.listed_twice and status != "active"]
        return JSONResponse([*map(asset_json, wanted), *map(twin_json, twins)])

    async def asset(self, request: Request) -> Response:
        return JSONResponse(asset_json(self._asset(request)))

    def _asset(self, request: Request) -> Asset:
        """The asset a path names by symbol or by id."""
        name = unquote(str(request.path_params["symbol"]))
        exchange = self._venue.exchange
        try:
            identity = UUID(name)
        except ValueError:
            return exchange.asset(name)
        market = self._venue.market
        for symbol in market.history.symbols:
            if market.known(symbol, exchange.now) and exchange.asset(symbol).id == identity:
                return exchange.asset(symbol)
        raise not_found(f"asset not found for {name}")

    # Positions

    async def positions(self, _: Request) -> Response:
        exchange = self._venue.exchange
        held = exchange.books.head.reported.holdings
        return JSONResponse([position_json(exchange, symbol, held[symbol]) for symbol in sorted(held)])

    async def position(self, request: Request) -> Response:
        exchange = self._venue.exchange
        named, held = unquote(str(request.path_params["symbol"])), exchange.books.head.reported.holdings
        symbol = named if named in held else self._asset(request).symbol
        holding = held.get(symbol)
        if holding is None:
            raise not_found("position does not exist")
        return JSONResponse(position_json(exchange, symbol, holding))

    async def close(self, request: Request) -> Response:
        query = parse(ClosePositionQuery, dict(request.query_params))
        symbol = self._asset(request).symbol
        quirks = self._quirks(_facts(request, symbol, "sell"))
        order = self._venue.exchange.close(symbol, qty=query.qty, percentage=query.percentage, quirks=quirks)
        return JSONResponse(self._accepted(order))

    async def close_all(self, request: Request) -> Response:
        """Sell every holding, each for itself: 207 and a list of what became of each."""
        exchange = self._venue.exchange
        if request.query_params.get("cancel_orders", "").lower() == "true":
            exchange.cancel_all()
        results: list[Json] = []
        for symbol in sorted(exchange.books.head.ledger.holdings):
            try:
                order = exchange.close(symbol, quirks=self._quirks(_facts(request, symbol, "sell")))
                entry: JsonObject = {
                    "symbol": symbol,
                    "status": 200,
                    "order_id": str(order.id),
                    "body": self._accepted(order),
                }
            except Refusal as refusal:
                entry = {
                    "symbol": symbol,
                    "status": refusal.status,
                    "body": {**refusal_json(refusal), "symbol": symbol},
                }
            results.append(entry)
        return JSONResponse(results, status_code=207)

    # Orders

    async def submit(self, request: Request) -> Response:
        values = parse_json(await request.body())
        if isinstance(values, dict):
            check_offered(values)
        ticket = parse(OrderBody, values).ticket
        facts = _facts(request, ticket.symbol, ticket.side.value, ticket.client_order_id)
        order = self._venue.exchange.submit(ticket, self._quirks(facts))
        if self._faults and self._faults.answers_with_another(facts):
            order = self._another(order)
        return JSONResponse(self._accepted(order))

    def _another(self, order: Order) -> Order:
        """The latest other order of that symbol and side; without one the order itself under ids that nobody knows."""
        asked = (order.ticket.symbol, order.ticket.side)
        for other in reversed(self._venue.exchange.books.orders.values()):
            if other.id != order.id and (other.ticket.symbol, other.ticket.side) == asked:
                return other
        return replace(order, id=uuid5(order.id, "other"), client_order_id=f"other-{order.sequence}")

    async def orders(self, request: Request) -> Response:
        found = listed_orders(self._venue.exchange, parse(OrdersQuery, dict(request.query_params)))
        return JSONResponse([self._read(order) if isinstance(order, Order) else order for order in found])

    async def order(self, request: Request) -> Response:
        identity = _identity(request)
        odd = odd_order(self._venue.exchange, identity=str(identity))
        return JSONResponse(odd or self._read(self._venue.exchange.order(identity)))

    async def order_by_client_id(self, request: Request) -> Response:
        name = request.query_params.get("client_order_id", "")
        odd = odd_order(self._venue.exchange, client_order_id=name)
        return JSONResponse(odd or self._read(self._venue.exchange.order_by_client_id(name)))

    async def replace(self, request: Request) -> Response:
        values = parse_json(await request.body())
        if isinstance(values, dict):
            check_offered(values)
        body = parse(ReplaceBody, values)
        identity, exchange = _identity(request), self._venue.exchange
        old = exchange.order(identity).ticket
        wanted = Replacement(
            qty=body.qty,
            limit_price=body.limit_price,
            time_in_force=body.time_in_force,
            client_order_id=body.client_order_id or None,
        )
        quirks = self._quirks(_facts(request, old.symbol, old.side.value, wanted.client_order_id))
        return JSONResponse(self._accepted(exchange.replace(identity, wanted, quirks)))

    async def cancel(self, request: Request) -> Response:
        identity, exchange = _identity(request), self._venue.exchange
        if (odd := odd_order(exchange, identity=str(identity))) is not None:
            cancel_odd_order(exchange, odd)
            return Response(status_code=204)
        exchange.cancel(identity, self._cancel_quirks(request, exchange.order(identity)))
        return Response(status_code=204)

    async def cancel_all(self, request: Request) -> Response:
        """Cancel every open order, each for itself: 207 and a list of what became of each."""
        exchange = self._venue.exchange
        results: list[Json] = []
        for odd in filter(is_open, all_odd_orders(exchange)):
            cancel_odd_order(exchange, odd)
            results.append({"id": str(odd["id"]), "status": 200, "body": None})
        for order in exchange.books.open_orders:
            try:
                exchange.cancel(order.id, self._cancel_quirks(request, order))
                results.append({"id": str(order.id), "status": 200, "body": None})
            except Refusal as refusal:
                results.append({"id": str(order.id), "status": refusal.status, "body": refusal_json(refusal)})
        return JSONResponse(results, status_code=207)

    # Faults and rendering

    def _quirks(self, facts: Facts) -> Quirks:
        """What the faults in force do to an order this request is about to create. Raises Refusal if one refuses it."""
        if not self._faults:
            return Quirks()
        quirks, refused = self._faults.on_order(facts)
        if refused is not None:
            raise Refusal(refused.status, refused.code, refused.message)
        return quirks

    def _cancel_quirks(self, request: Request, order: Order) -> CancelQuirks | None:
        facts = _facts(request, order.ticket.symbol, order.ticket.side.value, order.client_order_id)
        return self._faults.on_cancel(facts) if self._faults else None

    def _accepted(self, order: Order) -> JsonObject:
        return order_json(order, self._venue.exchange.asset(order.ticket.symbol))

    def _read(self, order: Order) -> JsonObject:
        asset = self._venue.exchange.asset(order.ticket.symbol)
        return order_json(order, asset, hide_price=self._venue.price_hidden(order))


def _facts(request: Request, symbol: str, side: str, client_order_id: str | None = None) -> Facts:
    return Facts(request.method, request.url.path, frozenset({symbol}), side, client_order_id, request.url.query)


def _identity(request: Request) -> UUID:
    text = str(request.path_params["id"])
    try:
        return UUID(text)
    except ValueError as error:
        raise not_found(f"order not found for {text}") from error
