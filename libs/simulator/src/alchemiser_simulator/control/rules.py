"""What every fault has in common: which requests it applies to, and how often."""

from __future__ import annotations

import re
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator


class Model(BaseModel):
    """Frozen; unknown fields are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class When(Model):
    """Which requests a rule applies to; what is left out matches everything. Three are regular expressions: `path`,
    `query` (as written in the address) and `client_order_id` (of the order that a request is about).
    """

    method: Literal["GET", "POST", "PATCH", "DELETE"] | None = None
    path: str | None = None
    query: str | None = None
    symbol: str | None = None
    side: Literal["buy", "sell"] | None = None
    client_order_id: str | None = None

    @field_validator("path", "query", "client_order_id")
    @classmethod
    def _compiles(cls, pattern: str | None) -> str | None:
        if pattern is not None:
            try:
                re.compile(pattern)
            except re.error as error:
                raise ValueError(f"{pattern!r} is not a regular expression: {error}") from error
        return pattern


class Rule(Model):
    """A rule repeats exactly: nothing but requests that fit it moves it on, and its chance draws from its own seed."""

    match: When = When()
    skip: int = Field(default=0, ge=0, description="the first matching requests that it leaves alone")
    count: int | None = Field(default=None, ge=1, description="times the rule applies; None: always")
    every: int = Field(default=1, ge=1, description="applies to each n-th matching request only")
    probability: float = Field(default=1.0, ge=0.0, le=1.0)
    seed: int = 0
