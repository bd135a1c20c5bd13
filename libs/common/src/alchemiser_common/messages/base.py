"""What every message has in common: frozen, closed, versioned, and carrying the run it belongs to."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, ClassVar, Self
from uuid import UUID

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    PrivateAttr,
    StringConstraints,
    field_validator,
    model_validator,
)

from alchemiser_common.ids import Pipeline, RunFields, RunRef, cycle_id, run_id, scheduled_time

SCHEMA_VERSION = "1.6"
"""Of messages and stored records alike: major and minor. CONTRIBUTING says when which of them grows."""

MOST_SYMBOLS = 5_000
"""Of one message: far above what any universe needs."""
_CYCLE_YEARS = range(1900, 2200)
_LAST_YEAR = 9998
"""The year after it has moments that another zone, or an hour more, would carry beyond what datetime holds."""
_DIGITS_BEFORE_POINT = 18
DIGITS_AFTER_POINT = 100
"""Quotients have 28 digits, those of small figures begin late. Beyond it arithmetic overflows and text takes gigabytes.
"""


def _in_utc(moment: datetime) -> datetime:
    try:
        utc = moment.astimezone(UTC)
    except OverflowError:
        utc = None
    if utc is None or utc.year > _LAST_YEAR:
        raise ValueError(f"is no moment between the years 1 and {_LAST_YEAR} in UTC")
    return utc


def _reckonable(number: Decimal) -> Decimal:
    """Refuses what has so many digits that reckoning with it, or writing it out, would take the process down."""
    exponent = number.as_tuple().exponent
    if number.adjusted() >= _DIGITS_BEFORE_POINT or not isinstance(exponent, int) or exponent < -DIGITS_AFTER_POINT:
        raise ValueError(f"has more than {_DIGITS_BEFORE_POINT} digits before or {DIGITS_AFTER_POINT} after the point")
    return number


Symbol = Annotated[str, StringConstraints(pattern=r"^[A-Z0-9][A-Z0-9./-]{0,19}$")]
Weight = Annotated[float, Field(ge=0.0, le=1.0, allow_inf_nan=False)]
StrategyName = Annotated[str, StringConstraints(max_length=200)]
"""A part of keys in the state store, which are short."""
UtcTime = Annotated[AwareDatetime, AfterValidator(_in_utc)]
Money = Annotated[Decimal, Field(allow_inf_nan=False), AfterValidator(_reckonable)]
"""US dollars."""
Quantity = Annotated[Decimal, Field(allow_inf_nan=False), AfterValidator(_reckonable)]
"""Shares, up to nine decimals."""
Price = Annotated[Decimal, Field(gt=0, allow_inf_nan=False), AfterValidator(_reckonable)]
"""US dollars a share."""


def version_of(text: str) -> tuple[int, int]:
    """Major and minor number. Raises ValueError if the text is no version."""
    major, _, minor = text.partition(".")
    if not (major.isascii() and major.isdigit() and minor.isascii() and minor.isdigit()):
        raise ValueError(f"{text!r} is not of the form MAJOR.MINOR")
    return int(major), int(minor)


OWN_VERSION = version_of(SCHEMA_VERSION)


class Frozen(BaseModel):
    """An immutable model that refuses fields it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Stage(StrEnum):
    """The stages whose times a message's trace records."""

    DATA = "data"
    STRATEGY = "strategy"
    TRADING = "trading"


class StageTime(Frozen):
    """When one stage worked on the run."""

    stage: Stage
    started: UtcTime
    finished: UtcTime


class VersionedModel(Frozen):
    """What outlives the process that wrote it: read by images older and newer than the one that wrote it.

    Its fields are those of `SCHEMA_VERSION`; `messages.versions.read_json` is the way to read one.
    """

    schema_version: str = SCHEMA_VERSION

    @field_validator("schema_version")
    @classmethod
    def _major_is_known(cls, version: str) -> str:
        if version_of(version)[0] != OWN_VERSION[0]:
            raise ValueError(f"this reader knows {OWN_VERSION[0]}.x")
        return version


class Following(RunFields):
    """What a message takes over from the one that it follows."""

    trace: tuple[StageTime, ...]


class OfRun(VersionedModel):
    """What belongs to one run, named by four fields that lie flat beside the others."""

    run_id: UUID
    cycle_id: str
    pipeline: Pipeline
    account_alias: str

    @model_validator(mode="after")
    def _cycle_is_the_account_s(self) -> Self:
        scheduled = scheduled_time(self.cycle_id)
        known = scheduled.year in _CYCLE_YEARS and cycle_id(self.account_alias, scheduled) == self.cycle_id
        if not known:
            raise ValueError(f"cycle_id {self.cycle_id!r} is no cycle of account {self.account_alias!r}")
        return self

    @property
    def run(self) -> RunRef:
        """The run that it belongs to."""
        return RunRef(self.run_id, self.cycle_id, self.pipeline, self.account_alias)


class Message(OfRun):
    """Base of the messages: schema version, run and the trace so far.

    `content_hash` covers what a message says and not who sent it or when, so that two pipelines that
    see and decide the same thing have the same hash.
    """

    ENVELOPE: ClassVar[frozenset[str]] = frozenset(
        {"schema_version", "kind", "run_id", "cycle_id", "pipeline", "trace"}
    )

    trace: tuple[StageTime, ...] = ()
    _received_hash: str | None = PrivateAttr(default=None)

    @model_validator(mode="after")
    def _run_id_is_derived(self) -> Self:
        if self.run_id != run_id(self.cycle_id, self.pipeline):
            raise ValueError(f"run_id {self.run_id} is not the one of cycle {self.cycle_id!r}, {self.pipeline.value}")
        return self

    def following(self) -> Following:
        """The arguments with which a message of the same run follows this one: `Other(**this.following(), …)`."""
        return {**self.run.fields(), "trace": self.trace}

    def content_hash(self) -> str:
        """SHA-256 (hex) of the canonical JSON of everything but the envelope.

        Of a message that another version wrote it is the hash of what was received, fields included that this version
        does not know: sender and receivers of all versions name the content by the same hash.
        """
        return self._received_hash or canonical_hash(self, exclude=self.ENVELOPE)

    def received_as(self, content: Mapping[str, object]) -> None:
        """Remember the hash of the JSON object that this message was read from."""
        self._received_hash = _hash_of({key: value for key, value in content.items() if key not in self.ENVELOPE})

    def model_copy(self, *, update: Mapping[str, object] | None = None, deep: bool = False) -> Self:
        """As pydantic's; with other content the received hash is no longer this message's."""
        copy = super().model_copy(update=update, deep=deep)
        if update and not update.keys() <= self.ENVELOPE:
            copy._received_hash = None  # noqa: SLF001  (its own class)
        return copy

    def traced(self, stage: Stage, started: datetime, finished: datetime) -> Self:
        """The same message with one more stage in its trace."""
        time = StageTime(stage=stage, started=started, finished=finished)
        return self.model_copy(update={"trace": (*self.trace, time)})


def canonical_hash(model: BaseModel, exclude: Iterable[str] = ()) -> str:
    """SHA-256 (hex) of a model's JSON with sorted keys and no spaces."""
    return _hash_of(model.model_dump(mode="json", exclude=set(exclude)))


def _hash_of(content: Mapping[str, object]) -> str:
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()
