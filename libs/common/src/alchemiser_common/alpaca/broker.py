"""The broker port through alpaca-py's clients: a reader that cannot trade, and a broker that is one and can."""

import logging
import random
from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta

from alpaca.common.enums import Sort
from alpaca.trading.client import TradingClient
from alpaca.trading.enums import AssetClass, AssetStatus, QueryOrderStatus
from alpaca.trading.requests import GetAssetsRequest, GetCalendarRequest, GetOrdersRequest

from alchemiser_common.alpaca import payloads
from alchemiser_common.alpaca.http import Caller, RequestPolicy, change_key, harden
from alchemiser_common.alpaca.keys import is_paper_key
from alchemiser_common.alpaca.market_data import MarketData
from alchemiser_common.alpaca.payloads import parse
from alchemiser_common.alpaca.symbol_groups import ABOUT_A_SYMBOL
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
    Holdings,
    LimitOrder,
    MarketOrder,
    OrderList,
    OrderRequest,
    Quote,
    RequestQuota,
    Split,
    SymbolBars,
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
        self._renewed = renewed
        key, secret = credentials.key_id.get_secret_value(), credentials.secret_key.get_secret_value()
        self._trading = TradingClient(key, secret, paper=paper, raw_data=True, url_override=trading_url)
        self._session = harden(self._trading, policy)
        self._caller = Caller(policy, clock, jitter, self._renew)
        self._market_data = MarketData(
            credentials, self._caller, policy, url=data_url, bars_feed=bars_feed, quotes_feed=quotes_feed
        )

    def now(self) -> datetime:
        """`GET /v2/clock`."""
        return parse(payloads.ClockPayload, self._caller.read("clock", self._trading.get_clock), "clock").timestamp

    def account(self) -> Account:
        """`GET /v2/account`."""
        content = self._caller.read("account", self._trading.get_account)
        return parse(payloads.AccountPayload, content, "account").account()

    def holdings(self) -> Holdings:
        """`GET /v2/positions`."""
        content = self._caller.read("positions", self._trading.get_all_positions)
        return Holdings(tuple(item.position() for item in parse(list[payloads.PositionPayload], content, "positions")))

    def activities(self, first: date, last: date) -> Activities:
        """`GET /v2/account/activities`, every page followed."""
        raise NotImplementedError

    def session_on(self, day: date) -> MarketSession | None:
        """The session of that exchange date, or None if the market is closed all day."""
        days = self._calendar(day - _CALENDAR_MARGIN, day)
        if not days or days[-1].date != day:
            return None
        if len(days) == 1:
            raise BrokerUnavailable(f"calendar: no session in the {_CALENDAR_MARGIN.days} days before {day}")
        last = days[-1]
        return MarketSession(day=day, opens=last.opens(), closes=last.closes(), previous_day=days[-2].date)

    def sessions(self, first: date, last: date) -> Sequence[date]:
        """`GET /v2/calendar`, whatever the span."""
        return [item.date for item in self._calendar(first, last)]

    def _calendar(self, first: date, last: date) -> list[payloads.CalendarPayload]:
        """Sessions of a span, oldest first."""
        span = GetCalendarRequest(start=first, end=last)
        content = self._caller.read("calendar", lambda: self._trading.get_calendar(span))
        days = sorted(parse(list[payloads.CalendarPayload], content, "calendar"), key=lambda item: item.date)
        return [item for item in days if first <= item.date <= last]

    def daily_bars(
        self, symbols: Sequence[str], first: date, last: date, *, adjusted: bool = True
    ) -> Sequence[SymbolBars]:
        """`GET /v2/stocks/bars`, every page followed."""
        return self._market_data.daily_bars(symbols, first, last, adjusted=adjusted)

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
        """Metadata of the symbols the broker knows: one by one if they are few, else from the list of active assets."""
        if len(symbols) <= _FEW_ASSETS:
            found = (self._asset(symbol) for symbol in symbols)
            return [asset for asset in found if asset is not None]
        request = GetAssetsRequest(status=AssetStatus.ACTIVE, asset_class=AssetClass.US_EQUITY)
        content = self._caller.read("assets", lambda: self._trading.get_all_assets(request))
        wanted = frozenset(symbols)
        known = parse(list[payloads.AssetPayload], content, "assets")
        return [item.asset() for item in known if item.symbol in wanted]

    def open_orders(self) -> OrderList:
        """Every order that may still fill. Raises BrokerUnavailable if there are more than one page shows."""
        request = GetOrdersRequest(status=QueryOrderStatus.OPEN, limit=_ORDER_PAGE, nested=False)
        content = self._caller.read("open orders", lambda: self._trading.get_orders(request))
        orders = parse(list[payloads.OrderPayload], content, "open orders")
        if len(orders) == _ORDER_PAGE:
            raise BrokerUnavailable(f"open orders: {_ORDER_PAGE} or more are open; more than this reader can see")
        return OrderList(tuple(item.order() for item in orders))

    def orders_since(self, moment: datetime) -> OrderList:
        """Orders submitted after the moment, newest first; beyond one page only those that may still fill."""
        request = GetOrdersRequest(
            status=QueryOrderStatus.ALL, after=moment, limit=_ORDER_PAGE, direction=Sort.DESC, nested=False
        )
        content = self._caller.read("orders", lambda: self._trading.get_orders(request))
        orders = parse(list[payloads.OrderPayload], content, "orders")
        if len(orders) == _ORDER_PAGE:
            return self.open_orders()
        return OrderList(tuple(item.order() for item in orders))

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
        return self._found(f"order {client_order_id}", lambda: self._trading.get_order_by_client_id(client_order_id))

    def order(self, order_id: str) -> BrokerOrder | None:
        """The order by the broker's own id, or None if the broker does not know it."""
        return self._found(f"order {order_id}", lambda: self._trading.get_order_by_id(order_id))

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

    def _found(self, what: str, call: Callable[[], object]) -> BrokerOrder | None:
        try:
            return _order(self._caller.read(what, call), what)
        except BrokerRefused as error:
            if error.status == _NOT_FOUND:
                return None
            raise

    def _asset(self, symbol: str) -> Asset | None:
        try:
            content = self._caller.read(f"asset {symbol}", lambda: self._trading.get_asset(symbol))
        except BrokerRefused as error:
            if error.status in ABOUT_A_SYMBOL:
                return None
            raise
        return parse(payloads.AssetPayload, content, f"asset {symbol}").asset()


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
            placed = self._caller.once(what, lambda: _order(self._trading.post("/orders", body), what))
        except BrokerRefused as error:
            if error.status == _UNPROCESSABLE and "unique" in str(error):
                known = self.order_by_client_id(request.client_order_id)
                if known is None:
                    raise AmbiguousOutcome(f"{what}: the id is taken, but its order is not visible yet") from error
                return known
            raise
        return placed

    def cancel(self, order_id: str) -> None:
        """Ask for a cancel. An order that cannot be cancelled any more is not an error here: a read tells."""
        try:
            self._caller.read(f"cancel {order_id}", lambda: self._trading.cancel_order_by_id(order_id))
        except BrokerRefused as error:
            if error.status not in {_NOT_FOUND, _UNPROCESSABLE}:
                raise


def _order(content: object, what: str) -> BrokerOrder:
    return parse(payloads.OrderPayload, content, what).order()


def open_alpaca[B: AlpacaReader](
    kind: type[B], settings: Settings, credentials: BrokerCredentials, secrets: Secrets, clock: Clock
) -> B:
    """A reader or broker with `credentials`; `secrets` is asked again if the broker refuses them.

    Raises InvalidSettings if the environment is simulated and nothing says where the simulator is.
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
        policy=RequestPolicy(
            connect_timeout=broker.connect_timeout_seconds,
            read_timeout=broker.read_timeout_seconds,
            read_attempts=broker.read_attempts,
        ),
    )
