"""Identities, all derived: the same trigger gives the same cycle, run and client order ids, on any machine."""

import hashlib
import re
from datetime import UTC, datetime
from enum import StrEnum
from uuid import UUID, uuid5

_NAMESPACE = UUID("6f1c1f5e-5d0b-5b52-9d43-8f0a4a3c7e11")
_ALIAS = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")
CLIENT_ORDER_ID_LIMIT = 48


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


def scheduled_time(cycle: str) -> datetime:
    """The scheduled time (UTC) that a cycle id ends in. Raises ValueError if it does not end in one."""
    return datetime.fromisoformat(cycle.partition(":")[2])


def run_id(cycle: str, pipeline: Pipeline) -> UUID:
    """One pipeline's work on one cycle: UUIDv5 of (cycle id, pipeline)."""
    return uuid5(_NAMESPACE, f"{cycle}|{pipeline.value}")


def client_order_id(*, environment: str, run: UUID, symbol: str, side: Side, leg: int, step: int) -> str:
    """The broker's idempotency key of one step of one leg: no clock, no randomness, at most 48 characters.

    Readable at the front (symbol, side, leg, step), unique through 80 bits of SHA-256 over every part.
    """
    parts = f"{environment}|{run}|{symbol}|{side.value}|{leg}|{step}"
    digest = hashlib.sha256(parts.encode()).hexdigest()[:20]
    label = re.sub(r"[^A-Z0-9]", "", symbol.upper())[:8]
    text = f"alc-{label}-{side.value[0]}{leg}-{step}-{digest}"
    if len(text) > CLIENT_ORDER_ID_LIMIT:
        raise ValueError(f"leg {leg} step {step} make client order id {text!r} longer than {CLIENT_ORDER_ID_LIMIT}")
    return text
