"""The judge of a rollout: every due cycle of both pipelines gets one verdict, whichever way each side took.

The monolith has all code and may read all records. So it judges what the side that ends second cannot: unequal inputs,
which take strategies and both snapshots, and silence, which nobody ends.
"""

import logging
from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from typing import Protocol

from alchemiser_common import keys
from alchemiser_common.decision_time import decision_time, is_due, overdue_from
from alchemiser_common.errors import InvalidMessage, PermanentError
from alchemiser_common.ids import Pipeline, cycle_id, scheduled_time
from alchemiser_common.messages.decision import TradeDecision
from alchemiser_common.messages.report import RunStatus
from alchemiser_common.messages.snapshot import MarketSession, MarketSnapshot
from alchemiser_common.messages.wire import ARCHIVED_LIMIT, decode
from alchemiser_common.ports.archive import Archive
from alchemiser_common.ports.clock import EXCHANGE_ZONE, Clock
from alchemiser_common.ports.state import StateStore, load, load_all, put_over
from alchemiser_common.records.parity import Cause, JudgedSpan, Parity, Verdict
from alchemiser_common.records.run import RunEntry
from alchemiser_common.settings import Settings
from alchemiser_monolith.snapshot_differences import input_differences
from alchemiser_strategy.manager import MultiStrategyManager
from alchemiser_trading.runs.parity.second_side import read_sides
from alchemiser_trading.runs.parity.sides import PipelineRun, read_side
from alchemiser_trading.runs.parity.verdicts import (
    Found,
    keep,
    known_verdict,
    on_equal_inputs,
    on_silence,
    on_unequal_inputs,
)

_log = logging.getLogger(__name__)
_PAUSE = timedelta(days=4)
"""A longer one between two looks is none of a long weekend: the span that is judged begins anew."""
_OF_A_TRADER = {RunStatus.COMPLETED, RunStatus.PARTIAL}
"""Ends to which only a run comes that may trade."""
_ENTRIES = 40
"""Newest lines of the list of runs: ten days of two pipelines and two schedules."""


class Calendar(Protocol):
    """The exchange's days."""

    def session_on(self, day: date) -> MarketSession | None:
        """The session of a day; None if there is none. Raises BrokerUnavailable."""
        ...


class ParityJudge:
    """Judges one account's cycles. `manager` has the monolith's own strategies."""

    def __init__(
        self,
        state: StateStore,
        archive: Archive,
        manager: MultiStrategyManager,
        calendar: Calendar,
        clock: Clock,
        settings: Settings,
    ) -> None:
        self._store = state
        self._archive = archive
        self._manager = manager
        self._calendar = calendar
        self._clock = clock
        self._settings = settings

    def cycle(self, cycle: str) -> Parity | None:
        """A new verdict on the cycle; None if it has one, or as long as a side may still come to something.

        Raises StoreUnavailable, StateCorrupt.
        """
        if known_verdict(self._store, cycle) is not None:
            return None
        now, sides = self._clock.now(), read_sides(self._store, self._archive, cycle)
        overdue = overdue_from(scheduled_time(cycle), self._settings.schedule)
        if not all(side.ended(now) for side in sides) and now < overdue:
            return None
        found = on_silence(sides) or on_equal_inputs(*sides) or self._on_unequal_inputs(*sides)
        return keep(self._store, cycle, sides, found, now)

    def due(self) -> Sequence[Parity]:
        """New verdicts on every cycle that was due since the judge began to look.

        Raises StoreUnavailable, StateCorrupt, BrokerUnavailable.
        """
        since = self._since()
        verdicts = [self.cycle(cycle) for cycle in list(self._candidates(since))]
        return [verdict for verdict in verdicts if verdict is not None]

    def _candidates(self, since: datetime) -> Iterator[str]:
        """Today's cycle, whether or not anything was heard of it, and those of days before that something was heard of.

        Only what was due: on a day without session, and where the schedule of another kind of day fires too, both
        pipelines skip the cycle. And nothing in which the modular pipeline traded, before a step back into shadow:
        then it was nobody's shadow, and the monolith had nothing to run.
        """
        alias, schedule = self._settings.account_alias, self._settings.schedule
        entries = load_all(self._store, keys.runs_partition(alias), RunEntry, limit=_ENTRIES, descending=True)
        today = self._due_on(self._clock.now().astimezone(EXCHANGE_ZONE).date())
        heard = {scheduled_time(cycle): cycle for cycle in {item.value.cycle_id for item in entries}}
        if today is not None and today >= since and not any(is_due(moment, today, schedule) for moment in heard):
            yield cycle_id(alias, today)
        for moment, cycle in sorted(heard.items()):
            if moment < since or known_verdict(self._store, cycle) is not None:
                continue
            due = self._due_on(moment.astimezone(EXCHANGE_ZONE).date())
            if due is not None and is_due(moment, due, schedule) and not self._modular_traded(cycle):
                yield cycle

    def _modular_traded(self, cycle: str) -> bool:
        report = read_side(self._store, cycle, Pipeline.MODULAR).report
        return report is not None and (report.orders_placed > 0 or report.status in _OF_A_TRADER)

    def _due_on(self, day: date) -> datetime | None:
        session = self._calendar.session_on(day)
        return None if session is None else decision_time(session, self._settings.schedule)

    def _since(self) -> datetime:
        """From when on cycles are judged: since the judge looks without a pause. A shadow that begins at noon has not
        missed the morning.
        """
        key, now = keys.judged_span(self._settings.account_alias), self._clock.now()
        known = load(self._store, key, JudgedSpan)
        span = JudgedSpan(since=now, last=now)
        if known is not None and now - known.value.last <= _PAUSE:
            span = known.value.model_copy(update={"last": max(now, known.value.last)})
        self._store.write(put_over(known, key, span))
        return span.since

    def _on_unequal_inputs(self, monolith: PipelineRun, modular: PipelineRun) -> Found:
        snapshots = [self._snapshot(side) for side in (monolith, modular)]
        one, other = snapshots
        if one is None or other is None:
            return Found(Verdict.DIFFERENT, "other data; a snapshot is not in the archive", Cause.UNPROVEN)
        return on_unequal_inputs(monolith, modular, self._again(other), input_differences(one, other))

    def _again(self, snapshot: MarketSnapshot) -> TradeDecision | str:
        """What the monolith's strategies decide on it, or why they cannot."""
        try:
            return self._manager.evaluate(snapshot)
        except PermanentError as error:
            return f"{type(error).__name__}: {error}"

    def _snapshot(self, side: PipelineRun) -> MarketSnapshot | None:
        key = None if side.record is None else side.record.snapshot_key
        body = None if key is None else self._archive.get(key)
        if body is None:
            return None
        try:
            return decode(body, MarketSnapshot, limit=ARCHIVED_LIMIT)
        except InvalidMessage as error:
            _log.error("snapshot cannot be read", extra={"archive_key": key, "reason": str(error)})
            return None
