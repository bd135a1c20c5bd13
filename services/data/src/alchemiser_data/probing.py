"""What a build that reads the broker answers to probes: symbols it does not know, and a snapshot that no run has."""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import date, timedelta

from alchemiser_common import keys
from alchemiser_common.decision_time import decision_time
from alchemiser_common.errors import MarketDataRejected
from alchemiser_common.ids import Pipeline, RunRef
from alchemiser_common.lambda_events import Event
from alchemiser_common.messages.base import Frozen, Symbol
from alchemiser_common.messages.snapshot import BarPolicy, MarketSession
from alchemiser_common.messages.wire import ARCHIVED_LIMIT, encode
from alchemiser_common.ports.archive import Archive
from alchemiser_common.ports.broker import MarketReader
from alchemiser_common.ports.clock import EXCHANGE_ZONE, Clock
from alchemiser_common.ports.state import StateStore, load_all
from alchemiser_common.probes import (
    INLINE_LIMIT,
    Composition,
    Probe,
    SnapshotAnswer,
    asked_day,
    asked_universe,
    unknown_of,
)
from alchemiser_common.records.targets import StoredTargets
from alchemiser_common.records.universe import Universe
from alchemiser_common.settings import Settings
from alchemiser_data.decision_window import DecisionWindow
from alchemiser_data.provider import UnifiedDataProvider

_MOST_DAYS_BACK = 10
"""Longer than any run of closed days."""


class _NothingKept:
    """The archive as a probe's reading sees it: what is there is used, and nothing comes to it."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive

    def put(self, key: str, body: bytes) -> None:
        """Nothing."""

    def get(self, key: str) -> bytes | None:
        """As the archive."""
        return self._archive.get(key)

    def keys(self, prefix: str) -> Sequence[str]:
        """As the archive."""
        return self._archive.keys(prefix)


class DataProbes:
    """Answers from the broker without a run: nothing is sent, nothing recorded but a snapshot that no answer holds."""

    def __init__(
        self, broker: MarketReader, state: StateStore, archive: Archive, clock: Clock, settings: Settings
    ) -> None:
        self._broker = broker
        self._state = state
        self._archive = archive
        self._clock = clock
        self._settings = settings

    def answer(self, event: Event) -> Frozen | None:
        """The answer to a probe; None if the event is none of these. Raises as the broker does, or InvalidMessage."""
        match event.get("probe"):
            case Probe.COMPOSITION:
                return Composition(unknown_symbols=self.unknown(asked_universe(event)))
            case Probe.SNAPSHOT:
                return self.snapshot(asked_universe(event), asked_day(event))
        return None

    def unknown(self, universe: Mapping[str, int]) -> tuple[Symbol, ...]:
        """Symbols that the broker does not know: renamed, delisted, or never there."""
        if not universe:
            return ()
        return unknown_of(universe, [asset.symbol for asset in self._broker.assets(sorted(universe))])

    def snapshot(self, universe: Mapping[str, int], day: date | None = None) -> SnapshotAnswer:
        """The snapshot of a day's session for that universe, by default the last one's; archived if no answer can hold
        it. Bars are completed ones, account and positions as they are now.

        Raises MarketDataRejected for a day without session.
        """
        session = self._last_session() if day is None else self._session_on(day)
        due = decision_time(session, self._settings.schedule)
        run = RunRef.of(self._settings.account_alias, due, Pipeline(self._settings.pipeline))
        window = DecisionWindow(session, due + timedelta(minutes=self._settings.schedule.deadline_minutes))
        read = self._settings.data.model_copy(update={"bar_policy": BarPolicy.COMPLETED})
        wanted = Universe.of(universe)
        provider = UnifiedDataProvider(self._broker, self._clock, lambda: wanted, read, _NothingKept(self._archive))
        stored = load_all(
            self._state,
            keys.account_partition(self._settings.account_alias),
            StoredTargets,
            prefix=keys.TARGETS_PREFIX,
        )
        snapshot = provider.read(run, window, previous_targets=[item.value.targets() for item in stored])
        body = encode(snapshot, limit=ARCHIVED_LIMIT)
        if len(body) <= INLINE_LIMIT:
            return SnapshotAnswer(snapshot=body)
        raw = body.encode()
        key = keys.probe_snapshot_object(hashlib.sha256(raw).hexdigest())
        self._archive.put(key, raw)
        return SnapshotAnswer(archive_key=key)

    def _session_on(self, day: date) -> MarketSession:
        session = self._broker.session_on(day)
        if session is None:
            raise MarketDataRejected(f"{day} is not a trading day")
        return session

    def _last_session(self) -> MarketSession:
        """The newest session whose decision time has come. Raises MarketDataRejected if the calendar has none."""
        now = self._clock.now()
        for back in range(_MOST_DAYS_BACK + 1):
            session = self._broker.session_on((now - timedelta(days=back)).astimezone(EXCHANGE_ZONE).date())
            if session is not None and decision_time(session, self._settings.schedule) <= now:
                return session
        raise MarketDataRejected(f"the broker's calendar has no session in the {_MOST_DAYS_BACK} days before {now}")
