"""What Alpaca's market data API shows: bars, latest trades and quotes, corporate actions."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta

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

from alchemiser_common.alpaca import payloads
from alchemiser_common.alpaca.http import Caller, RequestPolicy, harden
from alchemiser_common.alpaca.payloads import parse
from alchemiser_common.alpaca.symbol_groups import ask_in_groups
from alchemiser_common.ports.broker import Quote, Split, SymbolBars, Trade
from alchemiser_common.ports.clock import EXCHANGE_ZONE
from alchemiser_common.ports.secrets import BrokerCredentials

_PROCESSED_LATE = timedelta(days=90)
"""Announcements are listed by the day they are processed, which may be weeks from the day they take effect."""
_SHARE_COUNT_CHANGES = [
    CorporateActionsType.FORWARD_SPLIT,
    CorporateActionsType.REVERSE_SPLIT,
    CorporateActionsType.UNIT_SPLIT,
    CorporateActionsType.STOCK_DIVIDEND,
]


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
        key, secret = credentials.key_id.get_secret_value(), credentials.secret_key.get_secret_value()
        self._stocks = StockHistoricalDataClient(key, secret, raw_data=True, url_override=url)
        self._actions = CorporateActionsClient(key, secret, raw_data=True, url_override=url)
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

        def ask(group: Sequence[str]) -> dict[str, list[payloads.BarPayload]]:
            request = StockBarsRequest(
                symbol_or_symbols=list(group),
                timeframe=TimeFrame.Day,
                start=_midnight(first),
                end=_midnight(last),
                adjustment=Adjustment.ALL if adjusted else Adjustment.RAW,
                feed=self._bars_feed,
                sort=Sort.ASC,
            )
            content = self._caller.read("daily bars", lambda: self._stocks.get_stock_bars(request))
            return parse(dict[str, list[payloads.BarPayload]], content, "daily bars")

        bars = ask_in_groups("daily bars", symbols, ask)
        return [
            SymbolBars(symbol, [payloads.bar_day(bar["t"]) for bar in bars[symbol]], [bar["c"] for bar in bars[symbol]])
            for symbol in symbols
            if bars.get(symbol)
        ]

    def announced_splits(self, symbol: str, first: date, last: date) -> Sequence[Split]:
        """`GET /v1/corporate-actions`; a symbol that the broker refuses has none."""

        def ask(group: Sequence[str]) -> dict[str, list[Split]]:
            request = CorporateActionsRequest(
                symbols=list(group),
                types=_SHARE_COUNT_CHANGES,
                start=first - _PROCESSED_LATE,
                end=last + _PROCESSED_LATE,
            )
            content = self._caller.read("corporate actions", lambda: self._actions.get_corporate_actions(request))
            return {symbol: parse(payloads.CorporateActionsPayload, content, "corporate actions").splits()}

        found = ask_in_groups("corporate actions", [symbol], ask).get(symbol, [])
        return [split for split in found if split.symbol == symbol and first <= split.day <= last]

    def latest_trades(self, symbols: Sequence[str]) -> Sequence[Trade]:
        """The last trade of each symbol that has one."""

        def ask(group: Sequence[str]) -> dict[str, payloads.TradePayload]:
            request = StockLatestTradeRequest(symbol_or_symbols=list(group), feed=self._quotes_feed)
            content = self._caller.read("latest trades", lambda: self._stocks.get_stock_latest_trade(request))
            return parse(dict[str, payloads.TradePayload], content, "latest trades")

        trades = ask_in_groups("latest trades", symbols, ask)
        return [trades[symbol].trade(symbol) for symbol in symbols if symbol in trades]

    def latest_quotes(self, symbols: Sequence[str]) -> Sequence[Quote]:
        """The best bid and ask of each symbol that has them."""

        def ask(group: Sequence[str]) -> dict[str, payloads.QuotePayload]:
            request = StockLatestQuoteRequest(symbol_or_symbols=list(group), feed=self._quotes_feed)
            content = self._caller.read("latest quotes", lambda: self._stocks.get_stock_latest_quote(request))
            return parse(dict[str, payloads.QuotePayload], content, "latest quotes")

        quotes = ask_in_groups("latest quotes", symbols, ask)
        return [quotes[symbol].quote(symbol) for symbol in symbols if symbol in quotes]


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=EXCHANGE_ZONE)
