"""A portfolio on the simulated exchange, session after session: one pipeline trades, the other one is its shadow."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from time import perf_counter

from alchemiser_cli.cycles import Cycle, RunCycle, cycle_at, cycle_runner, ensure_authority, on_exchange
from alchemiser_cli.simulated import Exchange, Market, embedded_exchange
from alchemiser_cli.stored_runs import read_detail, read_run
from alchemiser_common import keys
from alchemiser_common.decision_time import decision_time
from alchemiser_common.ids import Pipeline, Side
from alchemiser_common.messages.decision import Signal, SignalStatus
from alchemiser_common.messages.report import RunStatus
from alchemiser_common.ports.state import load
from alchemiser_common.records.parity import Parity
from alchemiser_common.records.plan import Plan
from alchemiser_common.settings import Settings
from alchemiser_monolith.platform import Platform
from alchemiser_readmodel.runs import RunDetail
from alchemiser_simulator import PriceHistory
from alchemiser_simulator.market.changes import MarketChange, SkippedBars, changed
from alchemiser_simulator.market.sessions import Session, SessionCalendar

CASH = Decimal(1_000_000)
_WELL = {RunStatus.COMPLETED.value, RunStatus.PARTIAL.value}


@dataclass(frozen=True, slots=True)
class Stock:
    """What a line is made of: symphony texts by name, prices, and what befalls the exchange."""

    texts: Mapping[str, str]
    history: PriceHistory
    events: tuple[MarketChange, ...] = ()


@dataclass(frozen=True, slots=True)
class Ran:
    """One session: what the trading pipeline made of it, and what the shadow said."""

    day: date
    status: str
    reason: str
    shadow: str
    """Status of the shadow's run."""
    verdict: str
    """Of the two pipelines' runs; empty if there is none."""
    detail: RunDetail
    message_bytes: int
    """The snapshot's bytes."""
    seconds: float
    """Of the trading pipeline's run; real time, with the exchange in the same process."""
    requests: Counter[str]
    """Of the trading pipeline's run, by method and path."""
    for_holders: tuple[str, ...]
    """Symbols of which shares were ordered that are those of strategies that hold."""

    @property
    def refused(self) -> bool:
        """Whether there was no trading though there was a session."""
        return self.status not in _WELL

    @property
    def signals(self) -> Sequence[Signal]:
        """Every strategy's."""
        return self.detail.decision.signals if self.detail.decision is not None else ()

    @property
    def left_out(self) -> Mapping[str, str]:
        """Candidates that rankings left out, by symbol, with the indicator that was unknown."""
        return {item.symbol: item.indicator for signal in self.signals for item in signal.explanation.unknown}


@dataclass
class Line:
    """An account on a running exchange that trades the portfolio through the modular pipeline."""

    exchange: Exchange
    market: Market
    trader: Platform
    beside: Platform
    trade: RunCycle
    watch: RunCycle

    def run(self, session: Session) -> Ran:
        """One session at its decision time: the shadow first, so that both see the same account."""
        settings = self.trader.settings
        due = decision_time(self.market.as_session(session), settings.schedule)
        self.exchange.clock.move_to(due)
        shadow, cycle = cycle_at(self.beside.settings, due), cycle_at(settings, due)
        self.watch(shadow, 1)
        before = Counter(self.exchange.control.state().requests)
        began = perf_counter()
        self.trade(cycle, 1)
        took = perf_counter() - began
        asked = Counter(self.exchange.control.state().requests) - before
        return self._told(session, cycle, shadow, took, asked)

    def _told(self, session: Session, cycle: Cycle, shadow: Cycle, took: float, asked: Counter[str]) -> Ran:
        summary = read_run(self.trader.state, cycle.run_id)
        assert summary is not None, f"{session.day}: the run left nothing"
        detail = read_detail(self.trader.state, self.trader.archive, summary)
        beside = read_run(self.trader.state, shadow.run_id)
        parity = load(self.trader.state, keys.parity_record(cycle.run_id), Parity)
        key = summary.record.snapshot_key if summary.record is not None else None
        body = self.trader.archive.get(key) if key is not None else None
        for_holders = _for_holders(detail.plan)
        return Ran(
            session.day,
            summary.status,
            summary.reason,
            "nothing" if beside is None else beside.status,
            "" if parity is None else parity.value.verdict.value,
            detail,
            0 if body is None else len(body),
            took,
            asked,
            for_holders,
        )


def _for_holders(plan: Plan | None) -> tuple[str, ...]:
    """Symbols of legs that sell what a strategy that holds has, or buy what no strategy with a target wants."""
    if plan is None:
        return ()
    kept: dict[str, Decimal] = {}
    for item in (share for holding in plan.holdings for share in holding.shares):
        kept[item.symbol] = kept.get(item.symbol, Decimal(0)) + item.quantity
    wanted = {item.symbol for targets in plan.strategy_targets for item in targets.weights}
    free = {item.symbol: item.quantity - kept.get(item.symbol, Decimal(0)) for item in plan.positions}
    return tuple(
        leg.symbol
        for leg in plan.legs
        if (leg.quantity > free[leg.symbol] if leg.side is Side.SELL else leg.symbol not in wanted)
    )


@contextmanager
def open_line(folder: Path, stock: Stock, first: date, changes: Mapping[str, object] | None = None) -> Iterator[Line]:
    """A fresh account, an hour before the session of `first`; what befell the exchange before is in its prices."""
    settings = settings_of(folder, stock, changes)
    past = changed(stock.history, [event for event in stock.events if _first_day(event) <= first])
    market = Market(past, SessionCalendar(past.dates), "")
    with embedded_exchange(market, start=first, state=None, cash=CASH) as exchange:
        for event in stock.events:
            if _first_day(event) > first:
                exchange.control.change_market(event)
        trader = on_exchange(settings, {}, exchange)
        beside = on_exchange(settings.model_copy(update={"pipeline": Pipeline.MONOLITH, "shadow": True}), {}, exchange)
        ensure_authority(settings, trader.state, trader.clock.now())
        yield Line(exchange, market, trader, beside, cycle_runner(trader), cycle_runner(beside))


def _first_day(event: MarketChange) -> date:
    return min(event.days) if isinstance(event, SkippedBars) else event.day


def settings_of(folder: Path, stock: Stock, changes: Mapping[str, object] | None = None) -> Settings:
    """Settings of the portfolio, its files written into the folder: equal shares, room for many legs."""
    strategies = folder / "strategies"
    strategies.mkdir(parents=True, exist_ok=True)
    for name, text in stock.texts.items():
        (strategies / f"{name}.clj").write_text(text, "utf-8")
    tree: dict[str, object] = {
        "home": folder,
        "strategies": {
            "folder": strategies,
            "on_unknown": "keep",
            "allocations": dict.fromkeys(stock.texts, 1 / len(stock.texts)),
        },
        "trading": {"max_orders": 1_000},
        **(changes or {}),
    }
    return Settings.model_validate(tree)


def holding(signals: Sequence[Signal]) -> int:
    """How many of the signals hold."""
    return sum(signal.status is SignalStatus.HOLD for signal in signals)
