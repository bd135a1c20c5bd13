"""What the pages and tables take: a demo's sessions and orders, a backtest's curves. Frozen, checked, free of I/O."""

from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from itertools import pairwise
from math import isfinite

import numpy as np

from alchemiser_cli.report.errors import UnusableReport
from alchemiser_cli.report.statistics import Floats, checked_curve
from alchemiser_common.ids import Side
from alchemiser_common.messages.decision import Signal

_SATURDAY = 5


@dataclass(frozen=True, slots=True)
class OrderRow:
    """One leg that was traded: what it cost against the middle of the quote it started from."""

    day: date
    symbol: str
    side: Side
    quantity: Decimal
    """Shares filled."""
    price: Decimal
    """Average fill price, USD."""
    arrival_mid: Decimal | None
    slippage_bps: Decimal | None
    """Positive is worse than the mid."""
    steps: int
    seconds: float

    @property
    def notional(self) -> Decimal:
        """USD exchanged."""
        return self.quantity * self.price


@dataclass(frozen=True, slots=True)
class SessionRow:
    """One cycle: the account after it, what it holds as fractions of equity (the rest is cash), and its orders."""

    day: date
    equity: float
    cash: float
    weights: tuple[tuple[str, float], ...]
    orders: tuple[OrderRow, ...]
    status: str
    run_id: str
    reason: str = ""
    notes: tuple[str, ...] = ()
    """What a person should know of the session's decision."""
    signals: tuple[Signal, ...] = ()
    """What the strategies said, and why; none if it came to no decision."""
    as_of: date | None = None
    """The last day whose bars they read."""

    def __post_init__(self) -> None:
        if not (isfinite(self.equity) and self.equity > 0):
            raise UnusableReport(f"session {self.day}: equity is {self.equity}, it must be finite and above 0")
        repeated = [symbol for symbol, times in Counter(symbol for symbol, _ in self.weights).items() if times > 1]
        if repeated:
            raise UnusableReport(f"session {self.day}: weights name {', '.join(sorted(repeated))} more than once")
        for symbol, weight in self.weights:
            if not (isfinite(weight) and weight >= 0):
                raise UnusableReport(f"session {self.day}: weight of {symbol} is {weight}, it must not be negative")

    @property
    def fragile(self) -> bool:
        """Whether a small move in one last close would have changed what was decided."""
        return any(signal.explanation.fragile for signal in self.signals)

    @property
    def traded(self) -> float:
        """Share of equity exchanged one way: the larger of what was bought and what was sold."""
        notional = dict.fromkeys(Side, Decimal(0))
        for order in self.orders:
            notional[order.side] += order.notional
        return float(max(notional.values())) / self.equity


@dataclass(frozen=True, slots=True)
class Delivery:
    """The proof that redelivery changes nothing."""

    messages_delivered: int
    """Deliveries, each message's second included."""
    messages: int
    """Different messages."""
    orders_placed: int
    duplicates: int
    """Orders placed a second time: 0 is the proof."""


@dataclass(frozen=True, slots=True, eq=False)
class Benchmark:
    """What is compared with: a symbol that is bought on the first day and held, without costs."""

    symbol: str
    levels: Floats
    """(days,), 1 on the first."""


@dataclass(frozen=True, slots=True)
class Beside:
    """A backtest of a demo's days, with its fractions, cash reserve and mean slippage."""

    total_return: float
    sessions: int
    decided_otherwise: tuple[date, ...]
    """Sessions of which the backtest decided something else."""
    costs_bps: float
    reasons: tuple[str, ...]
    """Why the two returns are not the same, in words."""


@dataclass(frozen=True, slots=True)
class DemoReport:
    """A demo: consecutive sessions of one account on the simulated exchange."""

    title: str
    notice: str
    """What the figures are not, e.g. that the bundled market is a model, not market data."""
    source: str
    """Where the prices come from, in words."""
    rows: tuple[SessionRow, ...]
    base: date
    """The session before the first: at its end the account has its initial equity."""
    initial_equity: float
    settings: tuple[str, ...]
    delivery: Delivery
    seconds: float | None = None
    """Real time the sessions took."""
    made_at: datetime | None = None
    beside: Beside | None = None
    benchmark: Benchmark | None = None
    """Of the curve's days."""
    by_strategy: tuple[tuple[str, float], ...] = ()
    """What each strategy's book has earned, after what its fills cost, in fractions of the initial equity."""

    def __post_init__(self) -> None:
        if not self.rows:
            raise UnusableReport("a demo report needs at least one session")
        if not (isfinite(self.initial_equity) and self.initial_equity > 0):
            raise UnusableReport(f"initial equity is {self.initial_equity}, it must be finite and above 0")
        if self.base >= self.started or self.base.weekday() >= _SATURDAY:
            raise UnusableReport(f"base is {self.base:%a %Y-%m-%d}, it must be a session before {self.started}")
        for before, after in pairwise(self.rows):
            if after.day <= before.day:
                raise UnusableReport(f"session {after.day} follows {before.day}: sessions must ascend")

    @property
    def started(self) -> date:
        """First session."""
        return self.rows[0].day

    @property
    def ended(self) -> date:
        """Last session."""
        return self.rows[-1].day

    @property
    def curve(self) -> tuple[tuple[date, ...], Floats]:
        """Days and equity, beginning with the initial equity at the end of the session before the first."""
        days = (self.base, *(row.day for row in self.rows))
        return days, np.array([self.initial_equity, *(row.equity for row in self.rows)], dtype=np.float64)

    @property
    def orders(self) -> tuple[OrderRow, ...]:
        """Every order, in the sessions' order."""
        return tuple(order for row in self.rows for order in row.orders)

    @property
    def by_symbol(self) -> tuple[tuple[str, float], ...]:
        """What each symbol has earned by its price, in fractions of the initial equity; the largest first.

        What it was sold for and is worth at the end, less what it was bought for: dividends are not in it.
        """
        last = self.rows[-1]
        gains = {symbol: weight * last.equity for symbol, weight in last.weights}
        for order in self.orders:
            paid = float(order.notional) * (1 if order.side is Side.BUY else -1)
            gains[order.symbol] = gains.get(order.symbol, 0.0) - paid
        ranked = sorted(gains.items(), key=lambda item: (-abs(item[1]), item[0]))
        return tuple((symbol, gain / self.initial_equity) for symbol, gain in ranked)


@dataclass(frozen=True, slots=True, eq=False)
class BacktestReport:
    """A backtest: equity and weights a day of one set of strategies with allocations."""

    title: str
    strategies: tuple[tuple[str, float], ...]
    """(name, share of capital)."""
    days: tuple[date, ...]
    equity: Floats
    """(days,), any unit, > 0."""
    weights: Floats
    """(days, symbols), fractions of equity; what a row leaves is cash."""
    symbols: tuple[str, ...]
    costs_bps: float
    fill: str
    traded: Floats
    """(days,) share of equity exchanged one way each day, drift included."""
    source: str = ""
    notice: str = ""
    costs_origin: str = "assumed"
    """Where the figure of the costs comes from."""
    without: tuple[str, ...] = ()
    """Symbols that were knowingly left out."""
    remarks: tuple[str, ...] = ()
    """What a person must know to believe the figures: what was left out, carried over, sold at a last price …"""
    benchmark: Benchmark | None = None
    by_strategy: tuple[tuple[str, float], ...] = ()
    """What each strategy has earned in all, before costs, in fractions of the equity at the beginning."""
    by_symbol: tuple[tuple[str, float], ...] = ()
    """The same of each symbol; the largest first."""
    paid: float = 0.0
    """All costs, the same fractions."""

    @property
    def terms(self) -> str:
        """How it was traded, for a headline."""
        fill = {"next-open": "the next open", "next-close": "the next close", "close": "the close decided on"}
        costs = f"costs {self.costs_bps:g} bp of what is exchanged ({self.costs_origin})"
        return f"filled at {fill.get(self.fill, self.fill)}, {costs}"

    def __post_init__(self) -> None:
        checked_curve(self.days, self.equity)
        expected = (len(self.days), len(self.symbols))
        if self.weights.shape != expected:
            raise UnusableReport(f"weights have shape {self.weights.shape}, (days, symbols) is {expected}")
        if not (np.isfinite(self.weights) & (self.weights >= -1e-9)).all():
            raise UnusableReport("weights must be finite and not negative")
        if len(set(self.symbols)) != len(self.symbols):
            raise UnusableReport("symbols appear more than once")
        if self.benchmark is not None:
            checked_curve(self.days, self.benchmark.levels)
        if self.traded.shape != (len(self.days),):
            raise UnusableReport(f"traded has shape {self.traded.shape}, there are {len(self.days)} days")
