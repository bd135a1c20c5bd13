"""Real stores and brokers wrapped so that calls fail: before they have an effect, or after it; or the process dies.

`Killed` is no Exception: the code under test cannot catch it, and every later call of the same process dies too.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum

from alchemiser_common.errors import AmbiguousOutcome, BrokerUnavailable, StoreUnavailable
from alchemiser_common.messages.snapshot import Account, MarketSession
from alchemiser_common.ports.archive import Archive
from alchemiser_common.ports.broker import (
    Activities,
    Asset,
    Broker,
    BrokerOrder,
    ClockReading,
    Holdings,
    OrderList,
    OrderRequest,
    Quote,
    RequestQuota,
    Split,
    SymbolBars,
    Trade,
)
from alchemiser_common.ports.state import Key, Put, Record, StateStore


class Killed(BaseException):
    """The process is gone."""


class Fault(StrEnum):
    KILL_BEFORE = "kill-before"
    KILL_AFTER = "kill-after"
    FAIL_BEFORE = "fail-before"
    """The call fails and has had no effect."""
    FAIL_AFTER = "fail-after"
    """The call has had its effect and its answer is lost."""


@dataclass
class Faults:
    """Counts every call of one process and strikes at chosen ones."""

    at: dict[int, Fault] = field(default_factory=dict)
    calls: int = 0
    names: list[str] = field(default_factory=list)
    dead: bool = False
    on_call: Callable[[str], None] | None = None

    def around[R](self, name: str, call: Callable[[], R], failure: Callable[[str], Exception]) -> R:
        if self.dead:
            raise Killed
        if self.on_call is not None:
            self.on_call(name)
        number, self.calls = self.calls, self.calls + 1
        self.names.append(name)
        fault = self.at.get(number)
        if fault is Fault.KILL_BEFORE:
            self._die()
        if fault is Fault.FAIL_BEFORE:
            raise failure(f"{name}: injected before")
        result = call()
        if fault is Fault.KILL_AFTER:
            self._die()
        if fault is Fault.FAIL_AFTER:
            raise failure(f"{name}: injected after")
        return result

    def _die(self) -> None:
        self.dead = True
        raise Killed


def killing_after(call: str) -> Faults:
    """A process that dies after the first call whose name begins so."""
    faults = Faults()
    faults.on_call = lambda name: faults.at.update({faults.calls: Fault.KILL_AFTER} if name.startswith(call) else {})
    return faults


class FaultyStore:
    """A state store that strikes."""

    def __init__(self, inner: StateStore, faults: Faults) -> None:
        self._inner, self._faults = inner, faults

    def get(self, key: Key) -> Record | None:
        return self._faults.around(f"get {key.sort}", lambda: self._inner.get(key), StoreUnavailable)

    def list(
        self, partition: str, *, prefix: str = "", limit: int | None = None, descending: bool = False
    ) -> tuple[Record, ...]:
        return self._faults.around(
            f"list {prefix}",
            lambda: self._inner.list(partition, prefix=prefix, limit=limit, descending=descending),
            StoreUnavailable,
        )

    def write(self, *puts: Put) -> None:
        name = "write " + " ".join(put.key.sort for put in puts)
        self._faults.around(name, lambda: self._inner.write(*puts), StoreUnavailable)


class FaultyArchive:
    """An archive that strikes."""

    def __init__(self, inner: Archive, faults: Faults) -> None:
        self._inner, self._faults = inner, faults

    def put(self, key: str, body: bytes) -> None:
        self._faults.around("archive put", lambda: self._inner.put(key, body), StoreUnavailable)

    def get(self, key: str) -> bytes | None:
        return self._faults.around("archive get", lambda: self._inner.get(key), StoreUnavailable)

    def keys(self, prefix: str) -> Sequence[str]:
        return self._faults.around("archive keys", lambda: self._inner.keys(prefix), StoreUnavailable)


class FaultyBroker:
    """A broker that strikes. A lost answer to an order is an ambiguous outcome; a throttled one had no effect."""

    def __init__(self, inner: Broker, faults: Faults) -> None:
        self._inner, self._faults = inner, faults

    def _read[R](self, name: str, call: Callable[[], R]) -> R:
        return self._faults.around(name, call, BrokerUnavailable)

    def clock(self) -> ClockReading:
        return self._read("clock", self._inner.clock)

    def now(self) -> datetime:
        return self._read("clock", self._inner.now)

    def account(self) -> Account:
        return self._read("account", self._inner.account)

    def activities(self, first: date, last: date) -> Activities:
        return self._read("activities", lambda: self._inner.activities(first, last))

    def holdings(self) -> Holdings:
        return self._read("positions", self._inner.holdings)

    def session_on(self, day: date) -> MarketSession | None:
        return self._read("session", lambda: self._inner.session_on(day))

    def sessions(self, first: date, last: date) -> Sequence[date]:
        return self._read("sessions", lambda: self._inner.sessions(first, last))

    def daily_bars(
        self, symbols: Sequence[str], first: date, last: date, *, adjusted: bool = True
    ) -> Sequence[SymbolBars]:
        return self._read("bars", lambda: self._inner.daily_bars(symbols, first, last, adjusted=adjusted))

    def announced_splits(self, symbol: str, first: date, last: date) -> Sequence[Split]:
        return self._read("splits", lambda: self._inner.announced_splits(symbol, first, last))

    def latest_trades(self, symbols: Sequence[str]) -> Sequence[Trade]:
        return self._read("trades", lambda: self._inner.latest_trades(symbols))

    def latest_quotes(self, symbols: Sequence[str]) -> Sequence[Quote]:
        return self._read("quotes", lambda: self._inner.latest_quotes(symbols))

    def assets(self, symbols: Sequence[str]) -> Sequence[Asset]:
        return self._read("assets", lambda: self._inner.assets(symbols))

    def open_orders(self) -> OrderList:
        return self._read("open orders", self._inner.open_orders)

    def orders_since(self, moment: datetime) -> OrderList:
        return self._read("the day's orders", lambda: self._inner.orders_since(moment))

    def quota(self) -> RequestQuota | None:
        return self._inner.quota()

    def requests(self) -> int:
        return self._inner.requests()

    @property
    def paper(self) -> bool:
        return self._inner.paper

    def order_by_client_id(self, client_order_id: str) -> BrokerOrder | None:
        return self._read("order by client id", lambda: self._inner.order_by_client_id(client_order_id))

    def order(self, order_id: str) -> BrokerOrder | None:
        return self._read("order", lambda: self._inner.order(order_id))

    def submit(self, request: OrderRequest) -> BrokerOrder:
        name = f"submit {request.side.value} {request.symbol}"
        return self._faults.around(name, lambda: self._inner.submit(request), AmbiguousOutcome)

    def cancel(self, order_id: str) -> None:
        self._read("cancel", lambda: self._inner.cancel(order_id))


class KeyedBroker(FaultyBroker):
    """A broker that was opened with another kind of key."""

    def __init__(self, inner: Broker, *, paper: bool) -> None:
        super().__init__(inner, Faults())
        self._paper = paper

    @property
    def paper(self) -> bool:
        return self._paper
