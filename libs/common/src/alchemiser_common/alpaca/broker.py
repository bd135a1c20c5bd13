"""The broker port through alpaca-py's clients: a reader that cannot trade, and a broker that is one and can."""

import logging
import random
import time
from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from urllib.parse import quote
from uuid import UUID

from alpaca.common.enums import Sort
from alpaca.trading.client import TradingClient
from alpaca.trading.enums import AssetClass, AssetStatus, QueryOrderStatus
from alpaca.trading.requests import GetAssetsRequest, GetCalendarRequest, GetOrdersRequest

from alchemiser_common.alpaca import payloads
from alchemiser_common.alpaca.activities import read_activities
from alchemiser_common.alpaca.holdings import read_holdings
from alchemiser_common.alpaca.http import Caller
from alchemiser_common.alpaca.keys import is_paper_key
from alchemiser_common.alpaca.market_data import MarketData
from alchemiser_common.alpaca.orders import difference, read_order, read_orders
from alchemiser_common.alpaca.reading import Unreadable, convert, elements, guarded, members, parse, whole
from alchemiser_common.alpaca.session import RequestPolicy, change_key, harden
from alchemiser_common.alpaca.symbol_groups import about_a_symbol
from alchemiser_common.errors import (
    AlchemiserError,
    AmbiguousOutcome,
    BrokerRefused,
    BrokerUnavailable,
    InvalidSettings,
)
from alchemiser_common.messages.snapshot import Account, MarketSession
from alchemiser_common.ports.broker import (
    Activities,
    Asset,
    BrokerOrder,
    ClockReading,
    Holdings,
    LimitOrder,
    MarketOrder,
    OrderList,
    OrderRequest,
    Quote,
    RequestQuota,
    Split,
    SymbolBars,
    SymbolPrices,
    Trade,
)
from alchemiser_common.ports.clock import Clock
from alchemiser_common.ports.secrets import BrokerCredentials, Secrets
from alchemiser_common.settings import Environment, Settings

_log = logging.getLogger(__name__)
_NOT_FOUND = 404
_UNPROCESSABLE = 422
_ORDER_PAGE = 500
_FEW_ASSETS = 25
"""The list of all assets is several megabytes; from here on it is cheaper than one request a symbol."""
_CALENDAR_MARGIN = timedelta(days=10)
"""Longer than any run of closed days."""


class AlpacaReader:
    """What Alpaca's trading and market data API shows, or anything that speaks it at the given URLs.

    `clock` waits between read attempts, `jitter` spreads them. `renewed` is asked for another key when the broker
    refuses this one: keys are rotated while processes run.
    """

    def __init__(
        self,
        credentials: BrokerCredentials,
        clock: Clock,
        jitter: random.Random,
        *,
        renewed: Callable[[], BrokerCredentials] | None = None,
        paper: bool,
        trading_url: str | None = None,
        data_url: str | None = None,
        bars_feed: str = "sip",
        quotes_feed: str = "iex",
        policy: RequestPolicy | None = None,
    ) -> None:
        policy = policy or RequestPolicy()
        self._credentials = credentials
        self._clock = clock
        self._renewed = renewed
        self._trading = TradingClient(**credentials.arguments, paper=paper, raw_data=True, url_override=trading_url)
        self._session = harden(self._trading, policy)
        self._caller = Caller(policy, clock, jitter, self._renew)
        self._market_data = MarketData(
            credentials, self._caller, policy, url=data_url, bars_feed=bars_feed, quotes_feed=quotes_feed
        )

    def clock(self) -> ClockReading:
        """`GET /v2/clock`; of an answer that had to be asked for again, the last round trip counts."""

        def ask() -> tuple[object, timedelta]:
            began, ticks = self._clock.now(), time.monotonic()
            content = self._trading.get_clock()
            elapsed = timedelta(seconds=time.monotonic() - ticks)
            return content, max(elapsed, self._clock.now() - began)

        content, round_trip = self._caller.read("clock", ask)
        return ClockReading(parse(payloads.ClockPayload, content, "clock").timestamp, round_trip)

    def now(self) -> datetime:
        """`GET /v2/clock`."""
        return self.clock().at

    def account(self) -> Account:
        """`GET /v2/account`."""
        content = self._caller.read("account", self._trading.get_account)
        return whole(lambda found: convert(payloads.AccountPayload, found).account(), content, "account")

    def holdings(self) -> Holdings:
        """`GET /v2/positions`."""
        found = read_holdings(self._caller.read("positions", self._trading.get_all_positions))
        for other in found.others:
            _log.info(
                "holding that is not managed",
                extra={"symbol": other.symbol, "holding_kind": other.kind, "reason": other.detail},
            )
        return found

    def activities(self, first: date, last: date) -> Activities:
        """`GET /v2/account/activities`, every page followed."""

        def ask(parameters: dict[str, str]) -> object:
            return self._caller.read("account activities", lambda: self._trading.get("/account/activities", parameters))

        return read_activities(ask, first, last)

    def session_on(self, day: date) -> MarketSession | None:
        """The session of that exchange date, or None if the market is closed all day."""
        days = self._calendar(day - _CALENDAR_MARGIN, day)
        listed = [item for item in days if item.day == day]
        if not listed:
            return None
        before = [item.day for item in days if item.day < day]
        if not before:
            raise BrokerUnavailable(f"calendar: no session in the {_CALENDAR_MARGIN.days} days before {day}")
        try:
            session, *again = [item.session(before[-1]) for item in listed]
        except Unreadable as error:
            raise BrokerUnavailable(f"calendar: the hours of {day} cannot be: {error}") from error
        if any(other != session for other in again):
            raise BrokerUnavailable(f"calendar: {day} is listed with different hours")
        return session

    def sessions(self, first: date, last: date) -> Sequence[date]:
        """`GET /v2/calendar`, whatever the span."""
        return list(dict.fromkeys(item.day for item in self._calendar(first, last)))

    def _calendar(self, first: date, last: date) -> list[payloads.CalendarDay]:
        """Entries of a span, oldest first.

        Raises BrokerUnavailable if one has no date: any day may be the one that it stands for. An entry whose hours
        cannot be is one only for who asks for its hours.
        """
        span = GetCalendarRequest(start=first, end=last)
        content = elements(self._caller.read("calendar", lambda: self._trading.get_calendar(span)), "calendar")
        days = [whole(payloads.read_calendar_day, element, "calendar") for element in content]
        return sorted((item for item in days if first <= item.day <= last), key=lambda item: item.day)

    def daily_bars(
        self, symbols: Sequence[str], first: date, last: date, *, adjusted: bool = True
    ) -> Sequence[SymbolBars]:
        """`GET /v2/stocks/bars`, every page followed."""
        return self._market_data.daily_bars(symbols, first, last, adjusted=adjusted)

    def daily_prices(self, symbols: Sequence[str], first: date, last: date) -> Sequence[SymbolPrices]:
        """`GET /v2/stocks/bars`, whole adjusted bars; not of the port, which decides on closes."""
        return self._market_data.daily_prices(symbols, first, last)

    def announced_splits(self, symbol: str, first: date, last: date) -> Sequence[Split]:
        """`GET /v1/corporate-actions`; a symbol that the broker refuses has none."""
        return self._market_data.announced_splits(symbol, first, last)

    def latest_trades(self, symbols: Sequence[str]) -> Sequence[Trade]:
        """The last trade of each symbol that has one."""
        return self._market_data.latest_trades(symbols)

    def latest_quotes(self, symbols: Sequence[str]) -> Sequence[Quote]:
        """The best bid and ask of each symbol that has them."""
        return self._market_data.latest_quotes(symbols)

    def assets(self, symbols: Sequence[str]) -> Sequence[Asset]:
        """Metadata of the symbols the broker knows: one by one if they are few, else from the list of active assets.

        Of a symbol that is listed more than once, the tradable one.
        """
        if len(symbols) <= _FEW_ASSETS:
            found = [self._asset(symbol) for symbol in symbols]
            return [asset for asset in found if asset is not None]
        request = GetAssetsRequest(status=AssetStatus.ACTIVE, asset_class=AssetClass.US_EQUITY)
        content = self._caller.read("assets", lambda: self._trading.get_all_assets(request))
        wanted = frozenset(symbols)
        known: dict[str, Asset] = {}
        for element in elements(content, "assets"):
            symbol = element.get("symbol") if isinstance(element, dict) else None
            if isinstance(symbol, str) and symbol in wanted:
                asset = _readable_asset(symbol, element)
                if asset is not None and (asset.tradable or symbol not in known):
                    known[symbol] = asset
        return list(known.values())

    def open_orders(self) -> OrderList:
        """Every order that may still fill. Raises BrokerUnavailable if there are more than one page shows."""
        request = GetOrdersRequest(status=QueryOrderStatus.OPEN, limit=_ORDER_PAGE, nested=False)
        orders = self._orders("open orders", request)
        if _length(orders) >= _ORDER_PAGE:
            raise BrokerUnavailable(f"open orders: {_ORDER_PAGE} or more are open; more than this reader can see")
        return orders

    def orders_since(self, moment: datetime) -> OrderList:
        """Orders submitted after the moment, newest first; beyond one page only those that may still fill."""
        request = GetOrdersRequest(
            status=QueryOrderStatus.ALL, after=moment, limit=_ORDER_PAGE, direction=Sort.DESC, nested=False
        )
        orders = self._orders("orders", request)
        return self.open_orders() if _length(orders) >= _ORDER_PAGE else orders

    def _orders(self, what: str, request: GetOrdersRequest) -> OrderList:
        return read_orders(self._caller.read(what, lambda: self._trading.get_orders(request)), what)

    def quota(self) -> RequestQuota | None:
        """As the trading API's newest answer told it; asks nothing."""
        return self._session.quota

    def requests(self) -> int:
        """To the trading API, repeated ones included; market data have a limit of their own and do not count."""
        return self._session.sent

    @property
    def paper(self) -> bool:
        """Whether the key is a paper key."""
        return is_paper_key(self._credentials)

    def order_by_client_id(self, client_order_id: str) -> BrokerOrder | None:
        """The order, or None if the broker does not know the id."""
        what = f"order {client_order_id}"
        found = self._found(what, lambda: self._trading.get_order_by_client_id(client_order_id))
        if found is not None and found.client_order_id != client_order_id:
            raise BrokerUnavailable(f"{what}: the answer is order {found.client_order_id}")
        return found

    def order(self, order_id: str) -> BrokerOrder | None:
        """The order by the broker's own id, or None if the broker does not know it."""
        what, path = f"order {order_id}", _order_path(order_id)
        found = self._found(what, lambda: self._trading.get(path))
        if found is not None and found.order_id != order_id:
            raise BrokerUnavailable(f"{what}: the answer is order {found.order_id}")
        return found

    def _renew(self) -> bool:
        """Take another key if there is one; a live key never replaces a paper one, nor a paper key a live one."""
        try:
            found = self._renewed() if self._renewed is not None else self._credentials
        except AlchemiserError as error:
            _log.warning("key not renewed", extra={"error": type(error).__name__, "reason": str(error)})
            return False
        if found == self._credentials or is_paper_key(found) is not self.paper:
            return False
        self._credentials = found
        for client in (self._trading, *self._market_data.clients):
            change_key(client, found)
        _log.info("key renewed: the broker refused the former one")
        return True

    # "Not found" lets an order count as absent, so only Alpaca's own words do: a proxy's page says nothing of orders.
    def _found(self, what: str, call: Callable[[], object]) -> BrokerOrder | None:
        try:
            return whole(read_order, self._caller.read(what, call), what)
        except BrokerRefused as error:
            if error.status != _NOT_FOUND:
                raise
            if error.code:
                return None
            raise BrokerUnavailable(f"{error}; that is not how Alpaca says so") from error

    def _asset(self, symbol: str) -> Asset | None:
        path = f"/assets/{quote(symbol, safe='')}"
        try:
            content = self._caller.read(f"asset {symbol}", lambda: self._trading.get(path))
        except BrokerRefused as error:
            if about_a_symbol(error):
                return None
            raise
        return _readable_asset(symbol, content)


def _length(orders: OrderList) -> int:
    return len(orders.orders) + len(orders.odd)


def _order_path(order_id: str) -> str:
    """Where an order is. Raises BrokerRefused for what is no id: the path of all orders is not far from that of one."""
    try:
        return f"/orders/{UUID(order_id)}"
    except ValueError as error:
        raise BrokerRefused(f"order {order_id!r}: an id of Alpaca is a UUID", status=_UNPROCESSABLE) from error


def _readable_asset(symbol: str, content: object) -> Asset | None:
    """The asset of that symbol; None, named in the log, if it cannot be read: an unknown asset is not traded."""
    try:
        asset = guarded(lambda found: convert(payloads.AssetPayload, members(found)).asset(), content)
        if asset.symbol != symbol:
            raise Unreadable(f"symbol: {asset.symbol!r}, not {symbol}")  # noqa: TRY301
    except Unreadable as error:
        _log.warning("asset left out: it cannot be read", extra={"symbol": symbol, "reason": str(error)})
        return None
    return asset


class AlpacaBroker(AlpacaReader):
    """Alpaca with what sends orders and cancels."""

    def submit(self, request: OrderRequest) -> BrokerOrder:
        """Place a day order, once. An id that was used before gives the order it was used for.

        The body is posted as text: alpaca-py's own request models hold quantities and prices as floats.
        """
        body = {
            "symbol": request.symbol,
            "side": request.side.value,
            "qty": format(request.quantity, "f"),
            "time_in_force": "day",
            "client_order_id": request.client_order_id,
        }
        match request.order_type:
            case LimitOrder(price):
                body |= {"type": "limit", "limit_price": format(price, "f")}
            case MarketOrder():
                body |= {"type": "market"}
        what = f"submit {request.side.value} {request.symbol} ({request.client_order_id})"
        try:
            placed = self._caller.once(what, lambda: whole(read_order, self._trading.post("/orders", body), what))
        except BrokerRefused as error:
            if error.status != _UNPROCESSABLE or "unique" not in str(error):
                raise
            placed = self._taken(request, what, error)
        other = difference(request, placed)
        if other:
            raise AmbiguousOutcome(f"{what}: the answer is another order: {other}")
        return placed

    def _taken(self, request: OrderRequest, what: str, error: BrokerRefused) -> BrokerOrder:
        """The order that has the request's id. Raises AmbiguousOutcome if it cannot be seen."""
        try:
            known = self.order_by_client_id(request.client_order_id)
        except (BrokerUnavailable, BrokerRefused) as unseen:
            raise AmbiguousOutcome(f"{what}: the id is taken, and its order cannot be read: {unseen}") from error
        if known is None:
            raise AmbiguousOutcome(f"{what}: the id is taken, but its order is not visible yet") from error
        return known

    def cancel(self, order_id: str) -> None:
        """Ask for a cancel. An order that cannot be cancelled any more is not an error here: a read tells."""
        what, path = f"cancel {order_id}", _order_path(order_id)
        try:
            self._caller.read(what, lambda: self._trading.delete(path))
        except BrokerRefused as error:
            if error.status not in {_NOT_FOUND, _UNPROCESSABLE}:
                raise
            if not error.explained:
                raise BrokerUnavailable(f"{error}; that is not how Alpaca says so") from error


def open_alpaca[B: AlpacaReader](
    kind: type[B], settings: Settings, credentials: BrokerCredentials, secrets: Secrets, clock: Clock
) -> B:
    """A reader or broker with `credentials`; `secrets` is asked again if the broker refuses them.

    Raises InvalidSettings if the environment is simulated and nothing says where the simulator is. That a key does not
    travel unencrypted is the settings' own rule.
    """
    broker = settings.broker
    if settings.environment is Environment.SIMULATED and broker.trading_url is None:
        raise InvalidSettings("environment is simulated, but broker.trading_url does not say where the simulator is")
    return kind(
        credentials,
        clock,
        random.Random(),  # noqa: S311  (spreads retries, decides nothing)
        renewed=secrets.broker_credentials,
        paper=settings.environment is not Environment.LIVE,
        trading_url=broker.trading_url,
        data_url=broker.data_url,
        bars_feed=settings.data.bars_feed,
        quotes_feed=settings.data.quotes_feed,
        policy=RequestPolicy.of(broker),
    )
