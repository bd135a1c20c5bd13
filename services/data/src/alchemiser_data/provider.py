"""UnifiedDataProvider: reads bars, account and positions once and returns a checked MarketSnapshot."""

import logging
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from alchemiser_common.errors import BrokerUnavailable, MarketDataRejected
from alchemiser_common.ids import RunRef
from alchemiser_common.messages.bars import MOST_CLOSES, DailyBars
from alchemiser_common.messages.snapshot import (
    BarPolicy,
    MarketSession,
    MarketSnapshot,
    Provenance,
    ProvisionalBar,
    StrategyTargets,
)
from alchemiser_common.ports.archive import Archive
from alchemiser_common.ports.broker import MarketReader, SymbolBars
from alchemiser_common.ports.clock import Clock
from alchemiser_common.records.universe import Universe
from alchemiser_common.settings import DataSettings
from alchemiser_data.checks import WATCHED, CheckedBars, check_bars, contradictions, describe_faults
from alchemiser_data.decision_window import DecisionWindow
from alchemiser_data.jumps import JumpChecks
from alchemiser_data.provisional import provisional_row
from alchemiser_data.split_detection import Jump, large_moves, suspected_splits

_log = logging.getLogger(__name__)
_DAYS_PER_SESSION = 1.5
"""Generous: a year has 365 days and 251 sessions."""
_MARGIN_DAYS = 10
"""For the holidays of a short look back."""


@dataclass(frozen=True, slots=True)
class _Read:
    """Bars, checked, and today's unfinished one if the policy wants it."""

    checked: CheckedBars
    bars: DailyBars
    provisional: ProvisionalBar | None = None


class UnifiedDataProvider:
    """The only reader of market data and account in a run. `universe` is asked at every run what to read."""

    def __init__(
        self,
        broker: MarketReader,
        clock: Clock,
        universe: Callable[[], Universe],
        settings: DataSettings,
        archive: Archive,
    ) -> None:
        self._broker = broker
        self._clock = clock
        self._universe = universe
        self._settings = settings
        self._jumps = JumpChecks(broker, archive)

    def session_on(self, day: date) -> MarketSession | None:
        """The broker's session of that exchange date, unless the exchange is known to be closed."""
        session = None if day in self._settings.closed_days else self._broker.session_on(day)
        if session is None or session.previous_day not in self._settings.closed_days:
            return session
        before = self._sessions(session.previous_day - timedelta(days=_MARGIN_DAYS), session.previous_day)
        if not before:
            raise MarketDataRejected(f"the calendar has no session in the {_MARGIN_DAYS} days before {day}")
        return session.model_copy(update={"previous_day": before[-1]})

    def _sessions(self, first: date, last: date) -> Sequence[date]:
        """The broker's sessions of a span, oldest first, without closed days."""
        closed = self._settings.closed_days
        return sorted({day for day in self._broker.sessions(first, last) if first <= day <= last and day not in closed})

    def read(
        self, run: RunRef, window: DecisionWindow, *, previous_targets: Sequence[StrategyTargets]
    ) -> MarketSnapshot:
        """One checked snapshot; symbols at fault are left out and named in it.

        Raises MarketDataRejected if no symbol passes, or calendar and bars contradict each other. Raises TransientError
        if the broker cannot be read now.
        """
        session, universe = window.session, self._universe()
        found = self._bars(session, _with_holdings(universe.bars, previous_targets))
        return MarketSnapshot(
            **run.fields(),
            scheduled_at=run.scheduled_at,
            not_after=window.not_after,
            session=session,
            bar_policy=self._settings.bar_policy,
            universe=universe.needed,
            bars=found.bars,
            provisional=found.provisional,
            missing=tuple(found.checked.faults),
            carried=tuple(found.checked.carried),
            account=self._broker.account(),
            positions=tuple(sorted(self._broker.holdings().positions, key=lambda position: position.symbol)),
            previous_targets=tuple(previous_targets),
            provenance=Provenance(
                source="alpaca", feed=self._settings.bars_feed, adjustment="all", read_at=self._clock.now()
            ),
        )

    def _bars(self, session: MarketSession, needed: "_Needed") -> _Read:
        checked = self._completed_bars(session, needed)
        provisional = None
        if checked.table is not None and self._settings.bar_policy is BarPolicy.PROVISIONAL:
            checked, bars, provisional = self._with_today(checked, checked.table, session)
        elif checked.table is not None:
            bars = checked.table
        else:
            raise MarketDataRejected(f"no symbol passed the checks: {describe_faults(checked.faults)}")
        if checked.faults or checked.carried:
            _log.warning(
                "bars are missing",
                extra={
                    "faults": describe_faults(checked.faults),
                    "carried": {item.symbol: [day.isoformat() for day in item.days] for item in checked.carried},
                },
            )
        return _Read(checked, bars, provisional)

    # What is asked for and what is kept, around the session of the run (c: completed, p: today's unfinished bar):
    #
    #     asked for   first ……… previous_day │ session.day
    #     sent        c c c c c c c c c c c  │ p            some feeds send it unasked: no session of `calendar`
    #     kept              c c c c c c c c  │              as many as the symbol needs
    #     added                              │ p            from the latest trades, only by the provisional policy
    #
    # A decision on completed bars must not see today's price, whatever the broker sends.
    def _completed_bars(self, session: MarketSession, needed: "_Needed") -> CheckedBars:
        """Checked bars up to the session before this one."""
        calendar = self._calendar(session, needed)
        lengths = needed.lengths(calendar)
        _check_size(lengths, len(calendar))
        received = self._received(lengths, calendar)
        unclear = contradictions(received, lengths, calendar)
        if unclear:
            raise MarketDataRejected(
                f"{'; '.join(unclear)}; if the exchange was closed on such a day, add it to data.closed_days"
            )
        checked = check_bars(
            received,
            lengths,
            calendar,
            carry=self._settings.carry_gaps,
            repeats=self._settings.max_repeated_closes,
        )
        jumps = self._to_ask_about(checked.judged)
        return checked.without(self._jumps.faults(jumps, calendar[-1], session.day)) if jumps else checked

    def _received(self, lengths: Mapping[str, int], calendar: Sequence[date]) -> Sequence[SymbolBars]:
        """What the broker sends, without closed days: of each symbol enough to judge its last bar by."""
        closed = frozenset(self._settings.closed_days)
        received: list[SymbolBars] = []
        for symbols, longest in _groups({symbol: max(count, WATCHED) for symbol, count in lengths.items()}):
            received += self._broker.daily_bars(symbols, calendar[-min(longest, len(calendar))], calendar[-1])
        return [_without(bars, closed) for bars in received] if closed else received

    def _to_ask_about(self, bars: Sequence[SymbolBars]) -> Sequence[Jump]:
        """Moves that look like a split or are beyond the limit, each once, by symbol and day."""
        accepted = frozenset(self._settings.accepted_jumps)
        found = [*large_moves(bars, float(self._settings.max_move), accepted), *suspected_splits(bars, accepted)]
        return [jump for _, jump in sorted({(jump.symbol, jump.day): jump for jump in found}.items())]

    def _calendar(self, session: MarketSession, needed: "_Needed") -> Sequence[date]:
        """The exchange's sessions up to the one before this, enough for the longest history."""
        longest = max(WATCHED, *needed.bars.values())
        back = timedelta(days=round(longest * _DAYS_PER_SESSION) + _MARGIN_DAYS)
        first = min([session.previous_day - back, *needed.since.values()])
        calendar = self._sessions(first, session.previous_day)
        if not calendar or calendar[-1] != session.previous_day:
            last = calendar[-1] if calendar else "none"
            raise BrokerUnavailable(
                f"calendar: its last session is {last}, the one before {session.day} is {session.previous_day}"
            )
        return calendar

    def _with_today(
        self, checked: CheckedBars, table: DailyBars, session: MarketSession
    ) -> tuple[CheckedBars, DailyBars, ProvisionalBar]:
        """The bars and one row more: today's prices so far, with the mark that says when they were read."""
        now = self._clock.now()
        today = provisional_row(
            table,
            self._broker.latest_trades(table.symbols),
            session=session,
            now=now,
            max_age=timedelta(minutes=self._settings.max_trade_age_minutes),
            max_move=float(self._settings.max_provisional_move),
        )
        closes = np.vstack([table.closes, today.prices])
        bars = DailyBars.from_closes((*table.dates, session.day), table.symbols, closes)
        faults = [*checked.faults, *today.faults]
        return CheckedBars(table, checked.good, checked.judged, faults, checked.carried), bars, today.mark


@dataclass(frozen=True, slots=True)
class _Needed:
    """What to read: so many bars of each symbol, and of what is held those since it was decided."""

    bars: Mapping[str, int]
    since: Mapping[str, date]

    def lengths(self, calendar: Sequence[date]) -> Mapping[str, int]:
        """Bars by symbol."""
        return {
            symbol: max(count, len(calendar) - bisect_right(calendar, self.since[symbol]) + 1)
            if symbol in self.since
            else count
            for symbol, count in self.bars.items()
        }


def _with_holdings(bars: Mapping[str, int], previous: Sequence[StrategyTargets]) -> _Needed:
    """How far weights have drifted is worked out from the bar they were decided on, however long ago that was."""
    since: dict[str, date] = {}
    for targets in previous:
        for item in targets.weights:
            if item.symbol in bars:
                decided = targets.as_of or targets.decided_for - timedelta(days=_MARGIN_DAYS)
                since[item.symbol] = min(decided, since.get(item.symbol, decided))
    return _Needed(bars, since)


def _check_size(lengths: Mapping[str, int], sessions: int) -> None:
    """Raises MarketDataRejected if no table could hold what is needed: before it is read, not when it is packed."""
    days = min(max(lengths.values()), sessions)
    closes = days * len(lengths)
    if closes > MOST_CLOSES:
        raise MarketDataRejected(
            f"{len(lengths):,} symbols over {days:,} sessions are {closes:,} closes, a snapshot holds {MOST_CLOSES:,}; "
            "enable fewer strategies, or shorter windows"
        )


def _without(bars: SymbolBars, days: frozenset[date]) -> SymbolBars:
    kept = [(day, close) for day, close in zip(bars.days, bars.closes, strict=False) if day not in days]
    return SymbolBars(bars.symbol, [day for day, _ in kept], [close for _, close in kept])


def _groups(lengths: Mapping[str, int]) -> Sequence[tuple[Sequence[str], int]]:
    """Symbols of similar length with the longest of them: a request for all would fetch the longest for each.

    Lengths within a power of two are alike: at most twice what is needed is fetched, in few requests.
    """
    alike: dict[int, list[str]] = defaultdict(list)
    for symbol, count in sorted(lengths.items()):
        alike[(count - 1).bit_length()].append(symbol)
    return [(symbols, max(lengths[symbol] for symbol in symbols)) for _, symbols in sorted(alike.items())]
