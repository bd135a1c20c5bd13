"""Identities, all derived: the same trigger gives the same cycle, run and client order ids, on any machine.

And what may be a key of the archive.
"""

import hashlib
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Self, TypedDict
from uuid import UUID, uuid5

_NAMESPACE = UUID("6f1c1f5e-5d0b-5b52-9d43-8f0a4a3c7e11")
_ALIAS = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")
CLIENT_ORDER_ID_LIMIT = 48
CLIENT_ORDER_PREFIX = "alc-"
"""How every client order id of this system's making begins, whichever home made it."""


class Pipeline(StrEnum):
    """Which deployment works on a cycle."""

    MONOLITH = "monolith"
    MODULAR = "modular"


class Side(StrEnum):
    """Side of an order."""

    BUY = "buy"
    SELL = "sell"


def cycle_id(account_alias: str, scheduled_at: datetime) -> str:
    """One scheduled trading occasion of one account, e.g. ``paper:2026-11-23T14:45:00Z``.

    `scheduled_at` is the scheduler's own scheduled time (aware), never the clock at start.
    """
    if not _ALIAS.fullmatch(account_alias):
        raise ValueError(f"account alias {account_alias!r} must be 1-32 of a-z, 0-9 and '-'")
    if scheduled_at.tzinfo is None:
        raise ValueError(f"scheduled time {scheduled_at.isoformat()} has no time zone")
    return f"{account_alias}:{scheduled_at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def run_id(cycle: str, pipeline: Pipeline) -> UUID:
    """One pipeline's work on one cycle: UUIDv5 of (cycle id, pipeline)."""
    return uuid5(_NAMESPACE, f"{cycle}|{pipeline.value}")


def scheduled_time(cycle: str) -> datetime:
    """The scheduled time (aware UTC) that a cycle id ends in. Raises ValueError if it ends in none."""
    return datetime.fromisoformat(cycle.partition(":")[2])


class RunFields(TypedDict):
    """The fields by which messages and records name their run; they lie flat in each of them."""

    run_id: UUID
    cycle_id: str
    pipeline: Pipeline
    account_alias: str


@dataclass(frozen=True, slots=True)
class RunRef:
    """Which run: one pipeline's work on one cycle of one account. `run_id` follows from cycle and pipeline."""

    run_id: UUID
    cycle_id: str
    pipeline: Pipeline
    account_alias: str

    @classmethod
    def of(cls, account_alias: str, scheduled_at: datetime, pipeline: Pipeline) -> Self:
        """The run of a pipeline at a scheduled time (aware). Raises ValueError as `cycle_id` does."""
        cycle = cycle_id(account_alias, scheduled_at)
        return cls(run_id(cycle, pipeline), cycle, pipeline, account_alias)

    @property
    def scheduled_at(self) -> datetime:
        """The cycle's scheduled time (aware UTC)."""
        return scheduled_time(self.cycle_id)

    def fields(self) -> RunFields:
        """As arguments of a message or record of the run: `Record(**run.fields(), …)`."""
        return {
            "run_id": self.run_id,
            "cycle_id": self.cycle_id,
            "pipeline": self.pipeline,
            "account_alias": self.account_alias,
        }


def client_order_id(*, environment: str, run: UUID, symbol: str, side: Side, leg: int, step: int) -> str:
    """The broker's idempotency key of one step of one leg: no clock, no randomness, at most 48 characters.

    Readable at the front (symbol, side, leg, step), unique through 80 bits of SHA-256 over every part.
    """
    parts = f"{environment}|{run}|{symbol}|{side.value}|{leg}|{step}"
    digest = hashlib.sha256(parts.encode()).hexdigest()[:20]
    label = re.sub(r"[^A-Z0-9]", "", symbol.upper())[:8]
    text = f"{CLIENT_ORDER_PREFIX}{label}-{side.value[0]}{leg}-{step}-{digest}"
    if len(text) > CLIENT_ORDER_ID_LIMIT:
        raise ValueError(f"leg {leg} step {step} make client order id {text!r} longer than {CLIENT_ORDER_ID_LIMIT}")
    return text


def check_key(key: str) -> list[str]:
    """The parts of an archive key. Raises ValueError unless it is a relative path of plain names."""
    parts = key.split("/")
    if not key or any(part in {"", ".", ".."} for part in parts):
        raise ValueError(f"archive key {key!r} is not a relative path of plain names")
    return parts
