"""What a build is asked before it goes live, and what it answers. A probe sends nothing and records nothing.

`{"probe": "version"}` asks which build it is, before settings are read. `composition` goes through the real start.
`decision` decides on a snapshot. `snapshot` reads one, for the last session or the one that is named, for a build that
needs other symbols. `plan` plans for a decision, from an account that comes with it.

A probe is a direct invocation: what a queue delivers is a batch of messages, and none of them can ask for one.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Self

from pydantic import Field, TypeAdapter, ValidationError, model_validator

from alchemiser_common.errors import InvalidMessage
from alchemiser_common.lambda_events import Event, VersionAnswer
from alchemiser_common.messages.base import Frozen, Money, Symbol, UtcTime, Weight
from alchemiser_common.messages.decision import TradeDecision
from alchemiser_common.messages.snapshot import Account, MarketSnapshot, NeededBars, Position
from alchemiser_common.messages.wire import ARCHIVED_LIMIT, decode, describe
from alchemiser_common.ports.archive import Archive
from alchemiser_common.records.plan import StrategyHolding
from alchemiser_common.records.run import LastClose
from alchemiser_common.records.universe import by_symbol
from alchemiser_common.settings_loading import LoadedSettings

INLINE_LIMIT = 5_500_000
"""Bytes of an event or answer that may hold a snapshot itself; Lambda takes 6 MiB. A larger one goes by archive key."""
PORTFOLIO = ("strategies.allocations", "strategies.on_unknown", "data.", "trading.", "execution.")
"""Settings (or beginnings of their names) that say how a portfolio is traded."""


class Probe(StrEnum):
    """What is asked."""

    VERSION = "version"
    COMPOSITION = "composition"
    DECISION = "decision"
    SNAPSHOT = "snapshot"
    PLAN = "plan"


class StrategyInPlay(Frozen):
    """An allocated strategy: fraction of equity, and the SHA-256 (hex) of what it decides by."""

    strategy: str
    allocation: Weight
    rules: str


class Composition(Frozen):
    """What a started service is made of, as far as it knows: strategies and their bars, or the broker's word."""

    strategies: tuple[StrategyInPlay, ...] = ()
    universe: tuple[NeededBars, ...] = ()
    unknown_symbols: tuple[Symbol, ...] = ()
    """Of the universe that it was asked about, or its own: those that the broker does not know."""

    @property
    def bars(self) -> Mapping[str, int]:
        """Bars needed by symbol."""
        return by_symbol(self.universe)


class PortfolioSetting(Frozen):
    """A setting of the portfolio: its value as JSON, and where it comes from."""

    name: str
    value: str
    source: str

    @property
    def given(self) -> bool:
        """Whether the environment gives it, on AWS a parameter of the template; otherwise it is the image's file."""
        return self.source.startswith("environment")

    @property
    def default(self) -> bool:
        """Whether nothing gives it."""
        return self.source == "default"


class CompositionAnswer(VersionAnswer, Composition):
    """The answer to ``{"probe": "composition"}``: the service has started with its settings."""

    settings: tuple[PortfolioSetting, ...] = ()


class SnapshotAnswer(Frozen):
    """A snapshot's JSON, or the archive's key of it where it is too large for an answer."""

    snapshot: str | None = None
    archive_key: str | None = None

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.snapshot is None) == (self.archive_key is None):
            raise ValueError("give the snapshot or its archive key")
        return self


class PlannedFrom(Frozen):
    """What a plan is made from beside its decision: an account as it was, and what was known of symbols then."""

    at: UtcTime
    account: Account
    positions: tuple[Position, ...]
    unmanaged: Money = Decimal(0)
    """USD of what the account holds and is not managed."""
    prices: tuple[LastClose, ...]
    """USD; a symbol without one has none."""
    unknown: tuple[Symbol, ...] = ()
    """What the broker does not know."""
    untradable: tuple[Symbol, ...] = ()
    whole_shares: tuple[Symbol, ...] = ()
    holdings: tuple[StrategyHolding, ...] = ()
    """What strategies that hold have."""


class ProbeFailure(Frozen):
    """A probe that could not be answered: the error's class and its whole text."""

    probe: str
    error: str
    reason: str = Field(min_length=1)


def composition_answer(version: VersionAnswer, made_of: Composition, loaded: LoadedSettings) -> CompositionAnswer:
    """What a service says of itself after its start."""
    sections: Mapping[str, object] = loaded.settings.model_dump(mode="json")
    settings = [
        PortfolioSetting(
            name=f"{section}.{field}",
            value=json.dumps(value),
            source=loaded.sources.get(f"{section}.{field}", "default"),
        )
        for section, values in sections.items()
        if isinstance(values, dict)
        for field, value in values.items()
        if f"{section}.{field}".startswith(PORTFOLIO)
    ]
    return CompositionAnswer(**dict(version), **dict(made_of), settings=tuple(settings))


def asked_universe(event: Event) -> Mapping[str, int]:
    """The universe that a probe is about: bars by symbol, empty if it names none. Raises InvalidMessage."""
    try:
        return _UNIVERSE.validate_python(event.get("universe", {}))
    except ValidationError as error:
        raise InvalidMessage(f"universe of probe {event.get('probe')!r}: {describe(error)}") from error


def asked_snapshot(event: Event, archive: Archive | None) -> MarketSnapshot:
    """The snapshot that a decision is asked for: in the event, or in the archive under the event's `archive_key`.

    No queue's limit applies. Raises InvalidMessage; StoreUnavailable if the archive does not answer.
    """
    key = event.get("archive_key")
    if key is None:
        return decode(str(event.get("snapshot", "")), MarketSnapshot, limit=ARCHIVED_LIMIT)
    body = None if archive is None else archive.get(str(key))
    if body is None:
        raise InvalidMessage(f"archive_key is {key!r}; the archive has no such snapshot")
    return decode(body, MarketSnapshot, limit=ARCHIVED_LIMIT)


def asked_day(event: Event) -> date | None:
    """The session that a snapshot is asked for; None if none is named. Raises InvalidMessage."""
    named = event.get("session")
    try:
        return None if named is None else date.fromisoformat(str(named))
    except ValueError as error:
        raise InvalidMessage(f"session of probe {event.get('probe')!r} is {named!r}; give YYYY-MM-DD") from error


def asked_plan(event: Event) -> tuple[TradeDecision, PlannedFrom]:
    """The decision that a plan is asked for, and the account it is made from. Raises InvalidMessage."""
    decision = decode(str(event.get("decision", "")), TradeDecision, limit=ARCHIVED_LIMIT)
    try:
        return decision, PlannedFrom.model_validate_json(str(event.get("made_from", "")), strict=True)
    except ValidationError as error:
        raise InvalidMessage(f"made_from of probe {event.get('probe')!r}: {describe(error)}") from error


def unknown_of(asked: Mapping[str, int], known: Sequence[Symbol]) -> tuple[Symbol, ...]:
    """The symbols of a universe that are not among those the broker knows, sorted."""
    return tuple(sorted(set(asked) - set(known)))


_UNIVERSE = TypeAdapter(dict[Symbol, int])
