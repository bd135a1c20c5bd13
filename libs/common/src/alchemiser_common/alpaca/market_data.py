"""What Alpaca's market data API shows: bars, latest trades and quotes, corporate actions."""

import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Annotated, TypedDict

from alpaca.common.enums import Sort
from alpaca.common.rest import RESTClient
from alpaca.data.enums import Adjustment, CorporateActionsType, DataFeed
from alpaca.data.historical.corporate_actions import CorporateActionsClient
from alpaca.data.historical.stock import StockHistoricalDataClient
from alpaca.data.requests import (
    CorporateActionsRequest,
    StockBarsRequest,
    StockLatestQuoteRequest,
    StockLatestTradeRequest,
)
from alpaca.data.timeframe import TimeFrame
from pydantic import Field

from alchemiser_common.alpaca import payloads
from alchemiser_common.alpaca.http import Caller
from alchemiser_common.alpaca.reading import (
    Day,
    Payload,
    Unreadable,
    convert,
    guarded,
    members,
    parse,
    whole,
)
from alchemiser_common.alpaca.session import RequestPolicy, harden
from alchemiser_common.alpaca.symbol_groups import ask_in_groups
from alchemiser_common.errors import BrokerUnavailable
from alchemiser_common.ports.broker import Quote, Split, SymbolBars, SymbolPrices, Trade
from alchemiser_common.ports.clock import EXCHANGE_ZONE
from alchemiser_common.ports.secrets import BrokerCredentials

_log = logging.getLogger(__name__)
_PROCESSED_LATE = timedelta(days=90)
"""Announcements are listed by the day they are processed, which may be weeks from the day they take effect."""
_SHARE_COUNT_CHANGES = [
    CorporateActionsType.FORWARD_SPLIT,
    CorporateActionsType.REVERSE_SPLIT,
    CorporateActionsType.UNIT_SPLIT,
    CorporateActionsType.STOCK_DIVIDEND,
]
_BARS_A_PAGE = 10_000
_ACTIONS_A_PAGE = 1000
_MOST_PAGES = 2000
_NO_NUMBER = float("nan")
_BEYOND = 1e15
"""USD; no price comes near it."""

type _Parameters = dict[str, object]


class _Bar(TypedDict):
    """One bar of GET /v2/stocks/bars, a plain dictionary: a portfolio's bars are a few hundred thousand."""

    t: Annotated[str, Field(strict=True)]
    c: Annotated[float, Field(strict=True, gt=-_BEYOND, lt=_BEYOND)]


class _WholeBar(TypedDict):
    """The same with all its prices; the volume in shares."""

    t: Annotated[str, Field(strict=True)]
    o: Annotated[float, Field(strict=True, gt=0, lt=_BEYOND)]
    h: Annotated[float, Field(strict=True, gt=0, lt=_BEYOND)]
    l: Annotated[float, Field(strict=True, gt=0, lt=_BEYOND)]  # noqa: E741  (Alpaca's name)
    c: Annotated[float, Field(strict=True, gt=0, lt=_BEYOND)]
    v: Annotated[float, Field(strict=True, ge=0, lt=_BEYOND)]


class MarketData:
    """The part of the broker port that needs no account. `caller` repeats and classifies; raises what it raises."""

    def __init__(
        self,
        credentials: BrokerCredentials,
        caller: Caller,
        policy: RequestPolicy,
        *,
        url: str | None,
        bars_feed: str,
        quotes_feed: str,
    ) -> None:
        self._stocks = StockHistoricalDataClient(**credentials.arguments, raw_data=True, url_override=url)
        self._actions = CorporateActionsClient(**credentials.arguments, raw_data=True, url_override=url)
        self.clients: tuple[RESTClient, ...] = (self._stocks, self._actions)
        """Whose key is changed when it is renewed."""
        for client in self.clients:
            harden(client, policy)
        self._caller = caller
        self._bars_feed = DataFeed(bars_feed)
        self._quotes_feed = DataFeed(quotes_feed)

    def daily_bars(
        self, symbols: Sequence[str], first: date, last: date, *, adjusted: bool = True
    ) -> Sequence[SymbolBars]:
        """As the port's; every page followed."""

        def ask(group: Sequence[str]) -> dict[str, SymbolBars]:
            found = self._bars(group, first, last, Adjustment.ALL if adjusted else Adjustment.RAW)
            return {symbol: bars for symbol in group if (bars := _symbol_bars(symbol, found.get(symbol, [])))}

        bars = ask_in_groups("daily bars", symbols, ask)
        return [bars[symbol] for symbol in symbols if symbol in bars]

    def daily_prices(self, symbols: Sequence[str], first: date, last: date) -> Sequence[SymbolPrices]:
        """Whole adjusted bars of the sessions first..last, for files; symbols without any are left out.

        Raises BrokerUnavailable for a bar that cannot be read: a file is right or not written.
        """

        def ask(group: Sequence[str]) -> dict[str, SymbolPrices]:
            found = self._bars(group, first, last, Adjustment.ALL)
            return {symbol: _symbol_prices(symbol, found[symbol]) for symbol in group if found.get(symbol)}

        prices = ask_in_groups("daily bars", symbols, ask)
        return [prices[symbol] for symbol in symbols if symbol in prices]

    def _bars(self, group: Sequence[str], first: date, last: date, adjustment: Adjustment) -> dict[str, list[object]]:
        """The elements of every page, by symbol."""
        request = StockBarsRequest(
            symbol_or_symbols=list(group),
            timeframe=TimeFrame.Day,
            start=_midnight(first),
            end=_midnight(last),
            adjustment=adjustment,
            feed=self._bars_feed,
            sort=Sort.ASC,
        )
        parameters = {**request.to_request_fields(), "limit": _BARS_A_PAGE}
        found: dict[str, list[object]] = {}
        for content in self._pages("daily bars", self._stocks, "/stocks/bars", parameters):
            for symbol, bars in _by_symbol(content, "bars", "daily bars").items():
                found.setdefault(symbol, []).extend(_list(bars))
        return found

    def announced_splits(self, symbol: str, first: date, last: date) -> Sequence[Split]:
        """`GET /v1/corporate-actions`; a symbol that the broker refuses has none.

        Raises BrokerUnavailable if an announcement cannot be read: it may be the one that is asked for.
        """

        def ask(group: Sequence[str]) -> dict[str, list[Split]]:
            request = CorporateActionsRequest(
                symbols=list(group),
                types=_SHARE_COUNT_CHANGES,
                start=first - _PROCESSED_LATE,
                end=last + _PROCESSED_LATE,
            )
            parameters = {
                **request.to_request_fields(),
                "symbols": ",".join(group),
                "types": ",".join(_SHARE_COUNT_CHANGES),
                "limit": _ACTIONS_A_PAGE,
            }
            what = "corporate actions"
            pages = self._pages(what, self._actions, "/corporate-actions", parameters)
            return {symbol: [split for content in pages for split in _splits(content, symbol, what)]}

        found = ask_in_groups("corporate actions", [symbol], ask).get(symbol, [])
        mine = [split for split in found if split.symbol == symbol and first <= split.day <= last]
        return sorted(mine, key=lambda split: split.day)

    def latest_trades(self, symbols: Sequence[str]) -> Sequence[Trade]:
        """The last trade of each symbol that has one."""

        def ask(group: Sequence[str]) -> dict[str, Trade]:
            request = StockLatestTradeRequest(symbol_or_symbols=list(group), feed=self._quotes_feed)
            content = self._latest("latest trades", "trades", request.to_request_fields())
            return _readable(content, group, "latest trade", _trade)

        trades = ask_in_groups("latest trades", symbols, ask)
        return [trades[symbol] for symbol in symbols if symbol in trades]

    def latest_quotes(self, symbols: Sequence[str]) -> Sequence[Quote]:
        """The best bid and ask of each symbol that has them."""

        def ask(group: Sequence[str]) -> dict[str, Quote]:
            request = StockLatestQuoteRequest(symbol_or_symbols=list(group), feed=self._quotes_feed)
            content = self._latest("latest quotes", "quotes", request.to_request_fields())
            return _readable(content, group, "latest quote", _quote)

        quotes = ask_in_groups("latest quotes", symbols, ask)
        return [quotes[symbol] for symbol in symbols if symbol in quotes]

    def _latest(self, what: str, kind: str, parameters: _Parameters) -> Mapping[str, object]:
        content = self._caller.read(what, lambda: self._stocks.get(f"/stocks/{kind}/latest", parameters))
        return _by_symbol(content, kind, what)

    def _pages(self, what: str, client: RESTClient, path: str, parameters: _Parameters) -> Sequence[object]:
        """All pages of an answer. Raises BrokerUnavailable if one leads back to a page that was read before."""
        pages: list[object] = []
        tokens: set[str] = set()
        asked = parameters
        while len(pages) < _MOST_PAGES:
            content = self._caller.read(what, lambda asked=asked: client.get(path, asked))  # type: ignore[misc]
            pages.append(content)
            token = content.get("next_page_token") if isinstance(content, dict) else None
            if not token:
                return pages
            if not isinstance(token, str) or token in tokens:
                raise BrokerUnavailable(f"{what}: next_page_token leads nowhere new after {len(pages)} pages")
            tokens.add(token)
            asked = {**parameters, "page_token": token}
        raise BrokerUnavailable(f"{what}: more than {_MOST_PAGES} pages")


def _by_symbol(content: object, field: str, what: str) -> Mapping[str, object]:
    """The object below a field, by symbol; null is what Alpaca writes for none. Raises BrokerUnavailable."""

    def read(answer: object) -> Mapping[str, object]:
        fields = members(answer)
        if field not in fields:
            raise Unreadable(f"{field}: is missing")
        return {} if fields[field] is None else members(fields[field])

    return whole(read, content, what)


def _readable[R](
    content: Mapping[str, object], group: Sequence[str], what: str, read: Callable[[str, object], R]
) -> dict[str, R]:
    """What can be read for each symbol asked for; the rest is named in the log and left out."""
    found: dict[str, R] = {}
    for symbol in group:
        if symbol in content:
            try:
                found[symbol] = guarded(lambda element, symbol=symbol: read(symbol, element), content[symbol])  # type: ignore[misc]
            except Unreadable as error:
                _left_out(what, symbol, str(error))
    return found


def _quote(symbol: str, content: object) -> Quote:
    return convert(payloads.QuotePayload, content).quote(symbol)


def _trade(symbol: str, content: object) -> Trade:
    return convert(payloads.TradePayload, content).trade(symbol)


def _left_out(what: str, symbol: str, reason: str) -> None:
    _log.warning("left out: it cannot be read", extra={"asked_for": what, "symbol": symbol, "reason": reason})


def _list(bars: object) -> Sequence[object]:
    """A symbol's bars; null is none, and what is no list is one element, which cannot be read."""
    if bars is None:
        return ()
    return bars if isinstance(bars, list) else [bars]


# Most symbols' bars are right, and are checked at once. Of the others:
#
#     a day, and a close that is no number    kept, with NaN: the checks of the bars name it and leave out the symbol;
#                                             without it the day would pass for one without trade
#     no day                                  which of them is in doubt is unknown: the symbol has no bars
def _symbol_bars(symbol: str, elements: Sequence[object]) -> SymbolBars | None:
    try:
        try:
            bars = convert(list[_Bar], elements)
            days = [_bar_day(bar["t"]) for bar in bars]
            closes = [bar["c"] for bar in bars]
        except Unreadable as error:
            _log.warning("odd bars", extra={"symbol": symbol, "reason": str(error)})
            days = [convert(_BarDay, element).t for element in elements]
            closes = [_close(element) for element in elements]
    except Unreadable as error:
        _left_out("daily bars", symbol, str(error))
        return None
    return SymbolBars(symbol, days, closes) if days else None


def _symbol_prices(symbol: str, elements: Sequence[object]) -> SymbolPrices:
    """Raises BrokerUnavailable, which names the element."""
    bars = whole(lambda found: convert(list[_WholeBar], found), list(elements), f"daily bars of {symbol}")
    return SymbolPrices(
        symbol,
        [whole(_bar_day, bar["t"], f"daily bars of {symbol}") for bar in bars],
        *([bar[name] for bar in bars] for name in ("o", "h", "l", "c", "v")),
    )


class _BarDay(Payload):
    t: Day


def _close(element: object) -> float:
    try:
        return convert(_Bar, element)["c"]
    except Unreadable:
        return _NO_NUMBER


@lru_cache(maxsize=20_000)
def _bar_day(stamp: str) -> date:
    """Session of a bar: a daily bar is stamped with midnight in New York, which falls on the same UTC date.

    Raises Unreadable if the stamp is none.
    """
    return convert(Day, stamp)


def _splits(content: object, symbol: str, what: str) -> Sequence[Split]:
    """Those in one page, of the symbol or of one whose name cannot be read. Raises BrokerUnavailable."""
    lists = _by_symbol(content, "corporate_actions", what)
    mine = {kind: _about(symbol, listed) for kind, listed in lists.items()}
    return parse(payloads.CorporateActionsPayload, mine, what).splits()


def _about(symbol: str, listed: object) -> object:
    """A list without what is surely another symbol's."""
    if not isinstance(listed, list):
        return listed
    return [item for item in listed if symbol in (names := _names(item)) or not names]


def _names(item: object) -> set[str]:
    fields = item if isinstance(item, dict) else {}
    return {name for key in ("symbol", "old_symbol", "new_symbol") if isinstance(name := fields.get(key), str)}


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=EXCHANGE_ZONE)
