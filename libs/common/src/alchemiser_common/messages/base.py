"""What every message has in common: frozen, closed, versioned, and carrying the run it belongs to."""

import hashlib
import json
from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, ClassVar, Self
from uuid import UUID

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints, model_validator

from alchemiser_common.ids import Pipeline, run_id

SCHEMA_VERSION = "1.3"

Symbol = Annotated[str, StringConstraints(pattern=r"^[A-Z0-9][A-Z0-9./-]{0,19}$")]
Weight = Annotated[float, Field(ge=0.0, le=1.0, allow_inf_nan=False)]
UtcTime = Annotated[AwareDatetime, AfterValidator(lambda moment: moment.astimezone(UTC))]
Money = Annotated[Decimal, Field(allow_inf_nan=False)]
"""US dollars."""
Quantity = Annotated[Decimal, Field(allow_inf_nan=False)]
"""Shares, up to nine decimals."""
Price = Annotated[Decimal, Field(gt=0, allow_inf_nan=False)]
"""US dollars a share."""


class Frozen(BaseModel):
    """A value that travels: immutable, with no field that its reader does not know."""

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


class Message(Frozen):
    """Base of the messages: schema version, run, cycle, pipeline and the trace so far.

    `content_hash` covers what a message says and not who sent it or when, so that two pipelines that
    see and decide the same thing have the same hash.
    """

    ENVELOPE: ClassVar[frozenset[str]] = frozenset(
        {"schema_version", "kind", "run_id", "cycle_id", "pipeline", "trace"}
    )

    schema_version: str = SCHEMA_VERSION
    run_id: UUID
    cycle_id: str
    pipeline: Pipeline
    trace: tuple[StageTime, ...] = ()

    @model_validator(mode="after")
    def _run_id_is_derived(self) -> Self:
        if self.run_id != run_id(self.cycle_id, self.pipeline):
            raise ValueError(f"run_id {self.run_id} is not the one of cycle {self.cycle_id!r}, {self.pipeline.value}")
        return self

    def content_hash(self) -> str:
        """SHA-256 (hex) of the canonical JSON of everything but the envelope."""
        return canonical_hash(self, exclude=self.ENVELOPE)

    def traced(self, stage: Stage, started: datetime, finished: datetime) -> Self:
        """The same message with one more stage in its trace."""
        time = StageTime(stage=stage, started=started, finished=finished)
        return self.model_copy(update={"trace": (*self.trace, time)})


def canonical_hash(model: BaseModel, exclude: Iterable[str] = ()) -> str:
    """SHA-256 (hex) of a model's JSON with sorted keys and no spaces."""
    content = model.model_dump(mode="json", exclude=set(exclude))
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()
