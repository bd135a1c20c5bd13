"""Random sessions on the simulated exchange: three strategies, transfers, splits, dividends, partial fills.

What was transferred is known here, and the exchange knows its account: both are held against what the records tell.
"""

import random
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import numpy as np

from alchemiser_cli.stored_account import planned_runs, read_account
from alchemiser_common.ids import Side
from alchemiser_common.messages.decision import SignalStatus, netted
from alchemiser_common.messages.report import ExecutionReport, RunStatus
from alchemiser_common.ports.clock import EXCHANGE_ZONE
from alchemiser_readmodel.performance import Performance, performance, session_return
from alchemiser_readmodel.symbol_gains import PlannedRun, symbol_gains
from alchemiser_simulator import PriceHistory
from alchemiser_simulator.control.faults import PartialFills
from alchemiser_simulator.control.rules import When
from alchemiser_simulator.market.changes import CashDividend, MadeSplit, changed
from support.plans import signal
from support.trading_rig import Rig, exchange, quiet_market, rig_settings, sessions

SYMBOLS = ("AAA", "BBB", "CCC", "DDD", "EEE", "FFF")
STRATEGIES = ("first", "second", "third")
OPENING = Decimal(100_000)
CENT = Decimal("0.01")
FIRST = 10
"""Sessions of history before the first that is traded."""


@dataclass
class Told:
    """What happened that the records have to tell."""

    changes: tuple[MadeSplit | CashDividend, ...] = ()
    transferred: list[Decimal] = field(default_factory=list)
    """USD before each session."""
    partial: int = 0
    sessions: int = 0


def market(seed: int, count: int) -> tuple[PriceHistory, Told]:
    """So many sessions of random walks, with splits and dividends in them."""
    draw = np.random.default_rng(seed)
    days = sessions(date(2020, 1, 2), date(2030, 1, 2))[: FIRST + count]
    plain = quiet_market(dict.fromkeys(SYMBOLS, 50.0), days)
    closes = 50 * np.exp(np.cumsum(draw.normal(0, 0.01, plain.close.shape), axis=0))
    opens = np.vstack([closes[:1], closes[:-1]]) * np.exp(draw.normal(0, 0.002, closes.shape))
    history = PriceHistory(
        dates=plain.dates,
        symbols=plain.symbols,
        close=closes,
        given_open=opens,
        given_high=np.maximum(opens, closes) * 1.001,
        given_low=np.minimum(opens, closes) * 0.999,
        given_volume=plain.given_volume,
        source=f"seed {seed}",
    )
    changes: list[MadeSplit | CashDividend] = []
    for day in days[FIRST + 1 :]:
        symbol = SYMBOLS[int(draw.integers(len(SYMBOLS)))]
        if any(other.symbol == symbol and abs((day - other.day).days) < 30 for other in changes):
            continue
        if draw.random() < 0.03:
            changes.append(MadeSplit(symbol=symbol, day=day, ratio=float(draw.choice([2, 3, 0.2]))))
        elif draw.random() < 0.06:
            rate = Decimal(int(draw.integers(10, 80))) / 100
            changes.append(CashDividend(symbol=symbol, day=day, rate=rate))
    return changed(history, changes), Told(tuple(changes))


@contextmanager
def traded_sessions(seed: int, count: int, folder: Path) -> Iterator[tuple[Rig, Iterator[ExecutionReport], Told]]:
    """The rig, what its sessions report as they are traded, and what has happened up to each."""
    history, told = market(seed, count)
    start = _decision_time(history.dates[FIRST])
    styles = dict.fromkeys(("tight_style", "normal_style", "wide_style"), "market")
    settings = rig_settings(**styles, requests_per_minute=10_000)
    with exchange(history, folder, settings=settings, start=start, rate_limit=10_000) as rig:
        yield rig, _traded(rig, history, random.Random(seed), told), told


def earned(rig: Rig) -> Performance:
    """What the records say was earned since the beginning."""
    found = performance(read_account(rig.state, "bench").curve)
    assert found is not None
    return found


def check_performance(rig: Rig, told: Told) -> None:
    """What the records say was earned is what the exchange's account shows, whole and in its parts."""
    found, moved = earned(rig), sum(told.transferred, Decimal(0))
    last, truth = found.curve[-1], rig.truth().equity
    assert len(found.curve) == told.sessions + 1
    assert abs(last.equity - truth) <= CENT, f"{last.equity} on record, the exchange has {truth}"
    assert last.transferred == moved, f"{last.transferred} on record as transferred, {moved} were"
    assert abs(found.whole.profit - (truth - OPENING - moved)) <= CENT
    assert abs(found.unbooked) <= CENT, f"{found.unbooked} USD are in no book"
    assert sum((month.profit for month in found.months), Decimal(0)) == found.whole.profit
    for (before, after), flow in zip(pairwise(found.curve), told.transferred, strict=True):
        base = before.equity + max(flow, Decimal(0))
        assert session_return(before, after) == (after.equity - min(flow, Decimal(0))) / base - 1, after.day


def check_symbols(rig: Rig, told: Told) -> None:
    """By symbol it is the change of all values less what was paid, but for the sessions that are named."""
    runs = planned_runs(rig.state, "bench")
    gains = symbol_gains(runs)
    named = {(item.symbol, day) for item in gains for day in item.untold}
    split = {(change.symbol, change.day) for change in told.changes if isinstance(change, MadeSplit)}
    assert named <= split, f"shares changed otherwise: {sorted(named - split)}"
    for item in gains:
        if not item.untold:
            assert item.profit == _earned_by(item.symbol, runs), item.symbol


def _earned_by(symbol: str, runs: Sequence[PlannedRun]) -> Decimal:
    """What the symbol was worth at the last plan and not at the first, less what was paid for it in between."""
    legs = [leg for run in runs[:-1] for leg in (run.report.legs if run.report else ()) if leg.symbol == symbol]
    paid = sum(
        (leg.filled * (leg.average_price or 0) * (1 if leg.side is Side.BUY else -1) for leg in legs), Decimal(0)
    )
    begun, ended = (
        sum((held.market_value for held in run.plan.positions if held.symbol == symbol), Decimal(0))
        for run in (runs[0], runs[-1])
    )
    return ended - begun - paid


def _decision_time(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 9, 45, tzinfo=EXCHANGE_ZONE).astimezone(UTC)


def _traded(rig: Rig, history: PriceHistory, draw: random.Random, told: Told) -> Iterator[ExecutionReport]:
    for day in history.dates[FIRST:]:
        moment = _decision_time(day)
        told.transferred.append(_moved(rig, draw, moment) if told.sessions else Decimal(0))
        rig.clock.move_to(max(moment, rig.clock.now()))
        partly = draw.random() < 0.15
        if partly:
            fault = PartialFills(match=When(), fraction=Decimal("0.4"), max_fills=1, then="cancel")
            number = rig.control.add_fault(fault).number
        signals = tuple(signal(name, 1 / len(STRATEGIES), _weights(draw), SignalStatus.TARGET) for name in STRATEGIES)
        report = rig.trade(rig.decision({}, scheduled=moment, signals=signals, targets=netted(signals)))
        if partly:
            rig.control.remove_fault(number)
            told.partial += report.status is RunStatus.PARTIAL
        told.sessions += 1
        yield report


def _moved(rig: Rig, draw: random.Random, moment: datetime) -> Decimal:
    """A deposit or a withdrawal on the evening before or an hour before the decision, now and then."""
    if draw.random() >= 0.1:
        return Decimal(0)
    early = moment - timedelta(hours=draw.choice([1, 14]))
    rig.clock.move_to(max(early, rig.clock.now()))
    amount = Decimal(draw.randrange(100, 2_000_000)) / 100
    if draw.random() < 0.4:
        amount = min(amount, rig.truth().cash // 2)
        rig.control.withdraw(amount)
        return -amount
    rig.control.deposit(amount)
    return amount


def _weights(draw: random.Random) -> Mapping[str, float]:
    chosen = draw.sample(SYMBOLS, draw.randint(1, 3))
    return dict.fromkeys(chosen, 0.95 / len(chosen))
