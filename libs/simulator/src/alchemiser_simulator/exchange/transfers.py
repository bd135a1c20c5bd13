"""Money and shares that come to the account or leave it otherwise than by trades."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from alchemiser_simulator.exchange.orders import ZERO

_SIGNS = {"CSD": 1, "CSW": -1}
# Beyond these a sum has no digits left, or a moment no year; a planned transfer would find out when nobody can be told.
_MOST = 10**12
_YEAR = 366 * 86_400

type _Number = Annotated[Decimal, Field(ge=-_MOST, le=_MOST)]
_SHARES = frozenset({"JNLS", "ACATS", "FOPT"})


class Transfer(BaseModel):
    """A transfer under Alpaca's activity type. `amount` in USD and `qty` in shares are below zero for what leaves;
    shares come at `price` USD each, for nothing if that is None. It happens at `at`, now if that is None, and the
    activity shows `told_after` seconds later. One that is planned follows its symbol through renamings, and of
    shares that go it takes those that are there and free by then.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    code: Literal["CSD", "CSW", "JNLC", "ACATC", "FEE", "INT", "JNLS", "ACATS", "FOPT"]
    amount: _Number = ZERO
    symbol: str = ""
    qty: _Number = ZERO
    price: Decimal | None = Field(default=None, gt=0, le=_MOST)
    at: AwareDatetime | None = None
    told_after: float = Field(default=0.0, ge=0, le=_YEAR)
    description: str = ""

    @model_validator(mode="after")
    def _fits(self) -> Transfer:
        if self.code in _SHARES:
            if not self.qty or not self.symbol or self.amount:
                raise ValueError(f"{self.code} moves shares: give symbol and qty, and no amount")
        elif not self.amount or self.qty or self.symbol:
            raise ValueError(f"{self.code} moves cash: give an amount, and neither symbol nor qty")
        if self.amount * _SIGNS.get(self.code, 0) < 0:
            raise ValueError(f"amount is {self.amount}; a {self.code} has the other sign")
        return self
