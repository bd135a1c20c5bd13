"""What the broker said of a jump in a symbol's closes: archived, so that the same question is asked once."""

from datetime import date
from typing import Annotated

from pydantic import Field

from alchemiser_common.messages.base import Symbol, VersionedModel

UsdClose = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class JumpFacts(VersionedModel):
    """Closes as they were traded, USD, and the splits announced around the day."""

    symbol: Symbol
    day: date
    raw_before: UsdClose | None = None
    """Of the session before; None if the broker has none."""
    raw_after: UsdClose | None = None
    splits: tuple[float, ...] = ()
    """New shares for an old one."""
