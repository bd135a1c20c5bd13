"""Routes of the market-data API: daily bars, the latest quotes, trades, bars and snapshots, and corporate actions."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from alchemiser_simulator.control.faults import BadQuote, BadTrade, Facts, FaultBook
from alchemiser_simulator.exchange.refusals import Refusal
from alchemiser_simulator.exchange.venue import Venue
from alchemiser_simulator.http.bodies import BarsQuery, CorporateActionsQuery, SymbolsQuery, market_symbols, parse
from alchemiser_simulator.http.corporate_actions import ActionQuery, corporate_actions
from alchemiser_simulator.http.wire import JsonObject
from alchemiser_simulator.market.bars import BarPages, BarQuery, PageTokenError, render
from alchemiser_simulator.market.market import Quote
from alchemiser_simulator.market.sessions import new_york_day, new_york_midnight, stamp

_DAILY = frozenset({"1Day", "1D", "Day"})


def quote_json(quote: Quote) -> JsonObject:
    """A quote in the data API's one-letter names: t time, a ask, b bid, p price in USD, s size in shares."""
    return {
        "t": stamp(quote.at),
        "ax": "V",
        "ap": float(quote.ask),
        "as": quote.ask_size,
        "bx": "V",
        "bp": float(quote.bid),
        "bs": quote.bid_size,
        "c": ["R"],
        "z": "B",
    }


def spoilt(quote: Quote, fault: BadQuote) -> Quote | None:
    """The quote as a faulty feed shows it; None: not at all."""
    zero = Decimal(0)
    shown = {
        "zero": replace(quote, bid=zero, ask=zero, bid_size=0, ask_size=0),
        "zero_bid": replace(quote, bid=zero, bid_size=0),
        "zero_ask": replace(quote, ask=zero, ask_size=0),
        "crossed": replace(quote, bid=quote.ask, ask=quote.bid),
        "stale": replace(quote, at=quote.at - timedelta(seconds=fault.stale_seconds)),
        "absurd": replace(quote, bid=quote.bid / 100, ask=quote.ask * 100),
        "scaled": replace(quote, bid=quote.bid * fault.factor, ask=quote.ask * fault.factor),
    }
    return shown.get(fault.flavour)


def spoilt_trade(price: Decimal, at: datetime, fault: BadTrade) -> tuple[Decimal, datetime] | None:
    """A last trade as a faulty feed shows it; None: not at all."""
    shown = {
        "zero": (Decimal(0), at),
        "scaled": (price * fault.factor, at),
        "stale": (price, at - timedelta(seconds=fault.stale_seconds)),
    }
    return shown.get(fault.flavour)


class DataRoutes:
    """Handlers over one venue; each answers with what the market shows at the exchange's own time. They raise Refusal
    for a query that does not fit.
    """

    def __init__(self, venue: Venue, faults: FaultBook) -> None:
        self._venue = venue
        self._faults = faults
        self._bars = BarPages(venue.market)

    def routes(self) -> list[Route]:
        table: dict[str, Callable[[Request], Awaitable[Response]]] = {
            "/v2/stocks/bars": self.bars,
            "/v2/stocks/bars/latest": self.latest_bars,
            "/v2/stocks/quotes/latest": self.latest_quotes,
            "/v2/stocks/trades/latest": self.latest_trades,
            "/v2/stocks/snapshots": self.snapshots,
            "/v1/corporate-actions": self.corporate_actions,
        }
        return [Route(path, handler, methods=["GET"]) for path, handler in table.items()]

    async def bars(self, request: Request) -> Response:
        query = parse(BarsQuery, dict(request.query_params), status=400)
        if query.timeframe not in _DAILY:
            raise Refusal(400, 40010001, f"invalid timeframe {query.timeframe!r}: the simulator has daily bars, 1Day")
        now = self._venue.exchange.now
        wanted = BarQuery(
            symbols=market_symbols(query.symbols, self._venue.market.history.positions),
            start=query.start or new_york_midnight(new_york_day(now)),
            end=query.end or now,
            adjustment=query.adjustment,
            descending=query.sort == "desc",
            limit=query.limit,
            page_token=query.page_token,
        )
        if wanted.end < wanted.start:
            raise Refusal(400, 40010001, "end should not be before start")
        try:
            page = self._bars.page(wanted, now)
        except PageTokenError as error:
            raise Refusal(400, 40010001, str(error)) from error
        return Response(page, media_type="application/json")

    async def corporate_actions(self, request: Request) -> Response:
        query = parse(CorporateActionsQuery, dict(request.query_params), status=400)
        history, today = self._venue.market.history, new_york_day(self._venue.exchange.now)
        wanted = ActionQuery(
            symbols=frozenset(market_symbols(query.symbols, history.positions)),
            types=frozenset(query.types.split(",")) if query.types else None,
            start=query.start or today,
            end=query.end or today,
            today=today,
            descending=query.sort == "desc",
            limit=query.limit,
            page_token=query.page_token,
        )
        try:
            return JSONResponse(corporate_actions(history, wanted))
        except PageTokenError as error:
            raise Refusal(400, 40010001, str(error)) from error

    def _symbols(self, request: Request) -> list[str]:
        """Known symbols of a query; unknown ones are left out of answers, as the real API does."""
        query = parse(SymbolsQuery, dict(request.query_params), status=400)
        market, now = self._venue.market, self._venue.exchange.now
        wanted = dict.fromkeys(market_symbols(query.symbols, market.history.positions))
        return [symbol for symbol in wanted if market.known(symbol, now)]

    async def latest_quotes(self, request: Request) -> Response:
        quotes = {symbol: self._quote(request, symbol) for symbol in self._symbols(request)}
        return JSONResponse({"quotes": {symbol: quote for symbol, quote in quotes.items() if quote is not None}})

    async def latest_trades(self, request: Request) -> Response:
        trades = {symbol: self._trade(request, symbol) for symbol in self._symbols(request)}
        return JSONResponse({"trades": {symbol: trade for symbol, trade in trades.items() if trade is not None}})

    async def latest_bars(self, request: Request) -> Response:
        found = [(symbol, self._minute(symbol)) for symbol in self._symbols(request)]
        body = ",".join(f"{json.dumps(symbol)}:{bar}" for symbol, bar in found if bar is not None)
        return Response(f'{{"bars":{{{body}}}}}', media_type="application/json")

    async def snapshots(self, request: Request) -> Response:
        parts = []
        for symbol in self._symbols(request):
            quote, trade = self._quote(request, symbol), self._trade(request, symbol)
            minute, days = self._minute(symbol), self._last_days(symbol)
            head = JSONResponse({"latestTrade": trade, "latestQuote": quote}).body[1:-1]
            today, before = [*days, "null", "null"][:2]
            rest = f'"minuteBar":{minute or "null"},"dailyBar":{today},"prevDailyBar":{before}'
            parts.append(f"{json.dumps(symbol)}:{{{bytes(head).decode()},{rest}}}")
        return Response(f"{{{','.join(parts)}}}", media_type="application/json")

    def _quote(self, request: Request, symbol: str) -> JsonObject | None:
        quote = self._venue.market.quote(symbol, self._venue.exchange.now)
        if quote is not None and self._faults:
            fault = self._faults.on_quote(_facts(request, symbol))
            quote = spoilt(quote, fault) if fault is not None else quote
        return None if quote is None else quote_json(quote)

    def _trade(self, request: Request, symbol: str) -> JsonObject | None:
        market, now = self._venue.market, self._venue.exchange.now
        price = market.last_price(symbol, now)
        if price is None:
            return None
        at = market.last_trade_at(symbol, now)
        fault = self._faults.on_trade(_facts(request, symbol)) if self._faults else None
        if fault is not None:
            shown = spoilt_trade(price, at, fault)
            if shown is None:
                return None
            price, at = shown
        number = int(at.timestamp())
        return {"t": stamp(at), "x": "V", "p": float(price), "s": 100, "c": ["@"], "i": number, "z": "B"}

    def _standing_row(self, symbol: str) -> int | None:
        standing = self._venue.market.standing(symbol, self._venue.exchange.now)
        return None if standing is None else standing[1].number

    def _minute(self, symbol: str) -> str | None:
        row = self._standing_row(symbol)
        if row is None:
            return None
        bar, start = self._bars.latest_minute(symbol, row, self._venue.exchange.now)
        return render(bar, stamp(start))

    def _last_days(self, symbol: str) -> list[str]:
        """The latest daily bar, unfinished during a session, and the one before it."""
        now = self._venue.exchange.now
        query = BarQuery(symbols=[symbol], start=now - timedelta(days=30), end=now, descending=True, limit=2)
        return self._bars.rendered(query, now)


def _facts(request: Request, symbol: str) -> Facts:
    return Facts("GET", request.url.path, frozenset({symbol}), query=request.url.query)
