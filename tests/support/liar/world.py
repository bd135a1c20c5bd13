"""The true world of one seed: an exchange that is shared and started over, its clock, and what people do meanwhile."""

import heapq
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import count

import numpy as np
import requests
from pydantic import SecretStr

from alchemiser_common.alpaca.broker import AlpacaBroker
from alchemiser_common.alpaca.session import RequestPolicy
from alchemiser_common.embedded.memory_state import MemoryStateStore
from alchemiser_common.ids import Pipeline
from alchemiser_common.ports.secrets import BrokerCredentials
from alchemiser_common.ports.state import Put
from alchemiser_common.settings import ExecutionSettings, ScheduleSettings, Settings
from alchemiser_simulator import PriceHistory, SimulatorConfig, SimulatorControl, build
from alchemiser_simulator.control.faults import Fault
from alchemiser_simulator.exchange.orders import Order, OrderTicket
from alchemiser_simulator.exchange.refusals import Refusal
from alchemiser_trading.account.authority import set_authority
from support.liar.memory import MemoryArchive, Unheard
from support.liar.transport import URL, Asked, Honest, Teller, ToldAdapter
from support.trading_rig import DAY as TODAY
from support.trading_rig import SCHEDULED, ExchangeClock, Rig, sessions

PRICES = {"AAA": 100.0, "BBB": 50.0, "CCC": 20.0, "DDD": 10.0, "EEE": 250.0, "FFF": 33.0}
ALIAS = "bench"
DEADLINE_MINUTES = 10
NOT_AFTER = SCHEDULED + timedelta(minutes=DEADLINE_MINUTES)
OURS = "alc-"
STRANGERS = "feedfeedfeedfeedfeed"
"""Client order ids that look like ours and end so are another home's."""
_MOST_REQUESTS = 4000


class Endless(BaseException):
    """A seed that makes more requests than any run may."""


def market() -> PriceHistory:
    """Symbols that stand still, swing by half a percent a day, and one with a wide spread."""
    days = sessions(date(2020, 5, 18), TODAY + timedelta(days=2))
    closes = np.tile(np.array(list(PRICES.values())), (len(days), 1))
    swing = np.array([0.0, 0.004, 0.002, 0.0, 0.006, 0.003])
    volume = np.tile(np.array([5e7, 5e7, 5e7, 5e7, 5e7, 4e3]), (len(days), 1))
    return PriceHistory(
        dates=days,
        symbols=tuple(PRICES),
        close=closes.copy(),
        given_open=closes * (1 - swing / 2),
        given_high=closes * (1 + swing),
        given_low=closes * (1 - swing),
        given_volume=volume,
        source="liar",
    )


class Exchange:
    """The exchange of a whole process: its market is made once, its account is started over for each seed."""

    def __init__(self) -> None:
        self._simulator = build(SimulatorConfig(history=market(), start=SCHEDULED, not_fractionable=frozenset({"DDD"})))
        self.venue = self._simulator.venue
        session = requests.Session()
        session.mount(URL, ToldAdapter(self._simulator, Honest()))
        self.control = SimulatorControl(URL, session=session)

    def broker(self, clock: ExchangeClock, teller: Teller) -> AlpacaBroker:
        """The real adapter on the real client, its requests told by `teller`."""
        broker = AlpacaBroker(
            BrokerCredentials(key_id=SecretStr("PKTEST"), secret_key=SecretStr("test")),
            clock,
            random.Random(7),
            paper=True,
            trading_url=URL,
            data_url=URL,
            policy=RequestPolicy(connect_timeout=2.0, read_timeout=2.0, read_attempts=2),
        )
        for client in (broker._trading, *broker._market_data.clients):
            client._session.mount(URL, ToldAdapter(self._simulator, teller))
        return broker


class WorldClock(ExchangeClock):
    """The machine's clock: the exchange's time, set wrong by `skew`. Sleeping lets the world go on."""

    def __init__(self, world: "World") -> None:
        super().__init__(world.exchange.control, SCHEDULED)
        self._world = world

    def now(self) -> datetime:
        return self._world.now + self.skew

    def monotonic(self) -> float:
        """Seconds that nobody sets."""
        return self._world.now.timestamp()

    def sleep(self, seconds: float) -> None:
        self._world.advance(seconds)

    def move_to(self, moment: datetime) -> None:
        self._world.advance((moment - self._world.now).total_seconds())


class WatchedStore(MemoryStateStore):
    """Tells of every write before it counts as done."""

    def __init__(self) -> None:
        super().__init__()
        self.told: Callable[[tuple[Put, ...]], None] = lambda _: None

    def write(self, *puts: Put) -> None:
        super().write(*puts)
        self.told(puts)


@dataclass(frozen=True, slots=True)
class Trade:
    """A person's trade on our account."""

    at: datetime
    symbol: str
    quantity: Decimal
    """Shares, negative for a sale."""


@dataclass
class World:
    """What is true, and what happens next. Everything that waits, waits on this clock."""

    exchange: Exchange
    settings: Settings
    trace: list[str] = field(default_factory=list)
    state: WatchedStore = field(default_factory=WatchedStore)
    archive: MemoryArchive = field(default_factory=MemoryArchive)
    trades: list[Trade] = field(default_factory=list)
    transferred: bool = False
    """Whether cash came or went by a transfer."""
    deposited: Decimal = Decimal(0)
    """USD that came."""
    withdrawn: bool = False
    """Whether some went."""
    halted_at: datetime | None = None
    in_flight: dict[str, Asked] = field(default_factory=dict)
    """Requests that are still in the network, by client order id."""
    power_cap: Decimal | None = None
    """USD that the broker lets buys cost, below cash."""
    lowest_cash: Decimal = Decimal(0)
    standing_still: bool = False
    """Whether the process that is at it does nothing."""
    requests: int = 0
    each_step: Callable[[timedelta], None] = lambda _: None
    """Called after each stretch of time with its length."""
    _events: list[tuple[datetime, int, Callable[[], None]]] = field(default_factory=list)
    _numbers: Iterator[int] = field(default_factory=count)

    def __post_init__(self) -> None:
        self.exchange.control.reset(start=SCHEDULED)
        self.clock = WorldClock(self)
        self.lowest_cash = self.cash
        set_authority(self.state, ALIAS, Pipeline.MODULAR, who="test", reason="start", now=self.now)
        self.rig = Rig(
            control=self.exchange.control,
            clock=self.clock,
            broker=self.exchange.broker(self.clock, Honest()),
            state=self.state,
            archive=self.archive,
            settings=self.settings,
            control_url=URL,
        )
        self.events = Unheard()

    # Time

    @property
    def now(self) -> datetime:
        """The exchange's time, aware UTC: the true one."""
        return self.exchange.venue.exchange.now

    def at(self, moment: datetime, action: Callable[[], None]) -> None:
        """Something that will happen, in order of time."""
        heapq.heappush(self._events, (max(moment, self.now), next(self._numbers), action))

    def after(self, seconds: float, action: Callable[[], None]) -> None:
        """As `at`, counted from now."""
        self.at(self.now + timedelta(seconds=seconds), action)

    def advance(self, seconds: float) -> None:
        """Let time pass, and happen what is due in it."""
        target = self.now + timedelta(seconds=max(seconds, 0.0))
        while self._events and self._events[0][0] <= target:
            moment, _, action = heapq.heappop(self._events)
            self._reach(moment)
            action()
        self._reach(target)

    def _reach(self, moment: datetime) -> None:
        passed = moment - self.now
        if passed > timedelta(0):
            self.exchange.venue.advance_to(moment)
            self.lowest_cash = min(self.lowest_cash, self.cash)
            self.each_step(passed)

    def count_request(self) -> None:
        """Raises Endless."""
        self.requests += 1
        if self.requests > _MOST_REQUESTS:
            raise Endless(f"{self.requests} requests")

    def tell(self, line: str) -> None:
        """A line of the trace."""
        passed = (self.now - SCHEDULED).total_seconds()
        self.trace.append(f"{passed:8.1f}s  {line}")

    # What is true

    @property
    def cash(self) -> Decimal:
        """USD booked."""
        return self.exchange.venue.exchange.books.head.ledger.cash

    @property
    def equity(self) -> Decimal:
        """USD of cash and holdings."""
        return self.exchange.venue.exchange.equity

    def held(self) -> dict[str, Decimal]:
        """Shares booked, by symbol."""
        holdings = self.exchange.venue.exchange.books.head.ledger.holdings
        return {symbol: holding.qty for symbol, holding in holdings.items()}

    def price(self, symbol: str) -> Decimal:
        """The last one, USD."""
        return self.exchange.venue.market.last_price(symbol, self.now) or Decimal(0)

    def quote(self, symbol: str) -> tuple[Decimal, Decimal]:
        """Bid and ask, USD."""
        found = self.exchange.venue.market.quote(symbol, self.now)
        assert found is not None, symbol
        return found.bid, found.ask

    def ours(self) -> list[Order]:
        """Every order of ours that reached the exchange, oldest first."""
        return [order for order in self.exchange.venue.exchange.books.orders.values() if is_ours(order.client_order_id)]

    def traded(self, orders: list[Order] | None = None) -> dict[tuple[str, str], Decimal]:
        """Shares that our orders filled, by symbol and side."""
        filled: dict[tuple[str, str], Decimal] = {}
        for order in self.ours() if orders is None else orders:
            key = (order.ticket.symbol, order.ticket.side.value)
            filled[key] = filled.get(key, Decimal(0)) + order.filled_qty
        return filled

    # What people and the broker do

    def hold(self, symbol: str, quantity: Decimal) -> None:
        """Put shares into the account."""
        self.exchange.venue.exchange.set_holding(symbol, quantity, None)

    def transfer(self, amount: Decimal) -> None:
        """Cash comes, or goes."""
        self.exchange.venue.exchange.set_cash(max(self.cash + amount, Decimal(0)))
        self.transferred = True
        self.deposited += max(amount, Decimal(0))
        self.withdrawn = self.withdrawn or amount < 0

    def misbehave(self, fault: Fault) -> None:
        """Put one of the exchange's own faults in force: it is true then, whatever is told."""
        self.exchange.control.add_fault(fault)

    def submit(self, ticket: OrderTicket) -> Order | None:
        """An order that somebody else sends; None if it is refused."""
        try:
            return self.exchange.venue.exchange.submit(ticket)
        except Refusal:
            return None


def is_ours(client_order_id: str) -> bool:
    """Whether the id is one that this store's runs made."""
    return client_order_id.startswith(OURS) and not client_order_id.endswith(STRANGERS)


def rules(**execution: object) -> Settings:
    """Defaults, but for a shorter day: what takes an hour there takes ten minutes here."""
    shorter = {
        "poll_seconds": 6.0,
        "walk": ("0.5", "1"),
        "rest_seconds": 12.0,
        "patient_walk": ("0.25", "1"),
        "patient_rest_seconds": 18.0,
        "max_steps": 6,
        "quote_patience_seconds": 40.0,
        "cancel_patience_seconds": 40.0,
        "settle_seconds": 20.0,
        "lookups": 3,
    }
    return Settings(
        account_alias=ALIAS,
        schedule=ScheduleSettings(deadline_minutes=DEADLINE_MINUTES),
        execution=ExecutionSettings.model_validate({**shorter, **execution}),
    )
