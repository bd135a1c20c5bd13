"""UnifiedDataProvider: reads bars, account and positions once and returns a checked MarketSnapshot."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from alchemiser_common.errors import MarketDataRejected
from alchemiser_common.ids import RunRef
from alchemiser_common.messages.bars import DailyBars
from alchemiser_common.messages.snapshot import (
    BarPolicy,
    MarketSession,
    MarketSnapshot,
    MissingData,
    NeededBars,
    Provenance,
    ProvisionalBar,
    StrategyTargets,
)
from alchemiser_common.ports.broker import MarketReader, SymbolBars
from alchemiser_common.ports.clock import Clock
from alchemiser_common.settings import DataSettings, UnknownPolicy
from alchemiser_data.checks import check_bars, describe_faults
from alchemiser_data.decision_window import DecisionWindow
from alchemiser_data.provisional import provisional_row

_CALENDAR_DAYS_PER_SESSION = 1.5
"""Generous: a year has 365 days and 251 sessions."""
_MARGIN_DAYS = 10
"""For the holidays of a short lookback."""


@dataclass(frozen=True, slots=True)
class Universe:
    """What the enabled strategies need: every symbol they read or hold, and the bars they look back.

    Invariant: at least one symbol, none of them twice; MarketDataRejected is raised for anything else.
    """

    symbols: tuple[str, ...]
    lookback: int

    def __post_init__(self) -> None:
        if not self.symbols:
            raise MarketDataRejected("the universe is empty: no enabled strategy names a symbol")
        repeated = {symbol for symbol in self.symbols if self.symbols.count(symbol) > 1}
        if repeated:
            raise MarketDataRejected(f"the universe names symbols more than once: {', '.join(sorted(repeated))}")


class UnifiedDataProvider:
    """The only reader of market data and account in a run."""

    def __init__(self, broker: MarketReader, clock: Clock, universe: Universe, settings: DataSettings) -> None:
        self._broker = broker
        self._clock = clock
        self._universe = universe
        self._settings = settings

    def session_on(self, day: date) -> MarketSession | None:
        """The broker's session of that exchange date."""
        return self._broker.session_on(day)

    def read(
        self,
        run: RunRef,
        window: DecisionWindow,
        *,
        on_unknown: UnknownPolicy,
        previous_targets: Sequence[StrategyTargets],
    ) -> MarketSnapshot:
        """One checked snapshot.

        Raises MarketDataRejected if a check fails; under a policy other than `abort` the symbols at fault are left
        out and named in the snapshot instead, and only an empty rest is refused. Raises TransientError if the broker
        cannot be read now.
        """
        session = window.session
        bars, missing = self._completed_bars(session)
        if bars is None or (missing and on_unknown is UnknownPolicy.ABORT):
            raise MarketDataRejected(f"market data failed {len(missing)} checks: {describe_faults(missing)}")
        provisional = None
        if self._settings.bar_policy is BarPolicy.PROVISIONAL:
            bars, provisional = self._with_today(bars, session)
        return MarketSnapshot(
            **run.fields(),
            scheduled_at=run.scheduled_at,
            not_after=window.not_after,
            session=session,
            bar_policy=self._settings.bar_policy,
            universe=tuple(
                NeededBars(symbol=symbol, bars=max(self._universe.lookback, 1))
                for symbol in sorted(self._universe.symbols)
            ),
            bars=bars,
            provisional=provisional,
            missing=tuple(missing),
            account=self._broker.account(),
            positions=tuple(sorted(self._broker.positions(), key=lambda position: position.symbol)),
            previous_targets=tuple(previous_targets),
            provenance=Provenance(
                source="alpaca", feed=self._settings.bars_feed, adjustment="all", read_at=self._clock.now()
            ),
        )

    # What is asked for and what is kept, around the session of the run (c: completed, p: today's unfinished bar):
    #
    #     asked for   first ……… previous_day │ session.day
    #     sent        c c c c c c c c c c c  │ p            some feeds send it unasked: cut off by `_until`
    #     kept            c c c c c c c c c  │              cut to the latest first session by `check_bars`
    #     added                              │ p            from the latest trades, only by the provisional policy
    #
    # A decision on completed bars must not see today's price, whatever the broker sends.
    def _completed_bars(self, session: MarketSession) -> tuple[DailyBars | None, Sequence[MissingData]]:
        """Checked bars up to the session before this one (None if no symbol passed), and what did not pass."""
        needed = round(self._universe.lookback * _CALENDAR_DAYS_PER_SESSION) + _MARGIN_DAYS
        first = session.day - timedelta(days=max(self._settings.history_days, needed))
        received = self._broker.daily_bars(self._universe.symbols, first, session.previous_day)
        checked = check_bars(
            [_until(bars, session.previous_day) for bars in received],
            self._universe.symbols,
            last_session=session.previous_day,
            lookback=self._universe.lookback,
            accepted_jumps=frozenset(self._settings.accepted_jumps),
        )
        return checked.bars, checked.faults

    def _with_today(self, bars: DailyBars, session: MarketSession) -> tuple[DailyBars, ProvisionalBar]:
        """The bars and one row more: today's price so far, with the mark that says when it was read."""
        now = self._clock.now()
        row, mark = provisional_row(
            bars,
            self._broker.latest_trades(bars.symbols),
            session=session,
            now=now,
            max_age=timedelta(minutes=self._settings.max_trade_age_minutes),
            max_move=float(self._settings.max_provisional_move),
        )
        closes = np.vstack([bars.closes, row])
        return DailyBars.from_closes((*bars.dates, session.day), bars.symbols, closes), mark


def _until(bars: SymbolBars, last: date) -> SymbolBars:
    """Bars up to `last`: some feeds add today's unfinished bar unasked."""
    kept = [(day, close) for day, close in zip(bars.days, bars.closes, strict=True) if day <= last]
    return SymbolBars(bars.symbol, [day for day, _ in kept], [close for _, close in kept])
