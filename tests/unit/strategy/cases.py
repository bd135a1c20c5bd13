"""Bars and snapshots that the tests of the strategy room share."""

import math
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import numpy as np

from alchemiser_common.ids import Pipeline, cycle_id, run_id
from alchemiser_common.messages.bars import DailyBars
from alchemiser_common.messages.snapshot import (
    Account,
    BarPolicy,
    MarketSession,
    MarketSnapshot,
    Provenance,
    StrategyTargets,
    TargetWeight,
)
from alchemiser_strategy.bars import Bars, Floats

UNIVERSE = (
    "AGG", "BIL", "BND", "BSV", "BTAL", "BWXT", "EXC", "FAS", "FNGU", "FTLS", "IEF", "IOO", "KMLM", "LABD", "LABU",
    "LEU", "NLR", "OKLO", "PSQ", "QQQ", "QQQE", "RETL", "SMR", "SOXL", "SPLV", "SPXL", "SPY", "SQQQ", "SSO", "SVIX",
    "SVXY", "TECL", "TLT", "TQQQ", "TZA", "UPRO", "UUP", "UVXY", "VIXM", "VIXY", "VOOG", "VOOV", "VOX", "VTV", "VXX",
    "XLF", "XLK", "XLP", "XLY",
)  # fmt: skip
WAVES = ((0.02, 4, 0.7), (0.05, 3, 0.5), (-0.02, 5, 0.5), (0.05, 2, 0.5))
"""Slope, phase and frequency of the four published price sets."""


def sessions(days: int) -> tuple[date, ...]:
    """Weekdays up to Friday 2026-11-20."""
    out: list[date] = []
    day = date(2026, 11, 20)
    while len(out) < days:
        if day.weekday() < 5:
            out.append(day)
        day -= timedelta(days=1)
    return tuple(reversed(out))


def bars_of(prices: Mapping[str, object]) -> Bars:
    """Bars from a list of closes for each symbol."""
    closes = np.array([prices[symbol] for symbol in prices], dtype=np.float64).T
    return Bars(sessions(len(closes)), tuple(prices), closes)


def wave(slope: float, phase: float, frequency: float, days: int = 252) -> dict[str, Floats]:
    """The published price set of 49 symbols."""
    return {
        symbol: np.array(
            [100 + slope * (k % 5 - 2) * t + (1 + k % 5) * math.sin(frequency * t + phase * k) for t in range(days)]
        )
        for k, symbol in enumerate(UNIVERSE)
    }


def snapshot_of(bars: Bars, previous: Mapping[str, tuple[date, Mapping[str, float]]] | None = None) -> MarketSnapshot:
    """A snapshot for the Monday after the bars, of an account with $10,000 and no positions."""
    scheduled = datetime(2026, 11, 23, 14, 45, tzinfo=UTC)
    cycle = cycle_id("paper", scheduled)
    return MarketSnapshot(
        run_id=run_id(cycle, Pipeline.MODULAR),
        cycle_id=cycle,
        pipeline=Pipeline.MODULAR,
        account_alias="paper",
        scheduled_at=scheduled,
        not_after=scheduled + timedelta(minutes=30),
        session=MarketSession(
            day=date(2026, 11, 23),
            opens=datetime(2026, 11, 23, 14, 30, tzinfo=UTC),
            closes=datetime(2026, 11, 23, 21, 0, tzinfo=UTC),
            previous_day=bars.dates[-1],
        ),
        bar_policy=BarPolicy.COMPLETED,
        bars=DailyBars.from_closes(bars.dates, bars.symbols, bars.closes),
        account=Account(
            account_id="a-1",
            status="ACTIVE",
            equity=Decimal(10_000),
            last_equity=Decimal(10_000),
            cash=Decimal(10_000),
            buying_power=Decimal(20_000),
        ),
        previous_targets=tuple(
            StrategyTargets(
                strategy=name,
                decided_for=when,
                weights=tuple(TargetWeight(symbol=symbol, weight=weight) for symbol, weight in weights.items()),
            )
            for name, (when, weights) in (previous or {}).items()
        ),
        provenance=Provenance(source="test", feed="sip", adjustment="all", read_at=scheduled),
    )
