"""Corporate actions and other events that a price file does not hold, as what can be put into a history."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator


class Change(BaseModel):
    """An event of a symbol."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    symbol: str


class SkippedBars(Change):
    """The bars feed shows no bar of the symbol on these days, though it trades: what happens on a thin feed."""

    kind: Literal["skipped_bars"] = "skipped_bars"
    days: tuple[date, ...] = Field(min_length=1)


class Delisted(Change):
    """From `day` on the symbol does not trade: no bars, no new orders; holdings stay at their last price."""

    kind: Literal["delisted"] = "delisted"
    day: date


class CorporateAction(Change):
    """Takes effect before the open of `day`, for whoever holds the symbol then. Of the days that follow:

    `lag_days` until the account changes, `notice_days` until its activities tell of it: the notice may come before,
    with or after the change. `announced_days` until the announcement is listed, below zero: before the day;
    `announced`: ever. `mistaken_factor`: what comes is booked wrong by it at first, and after `corrected_days` taken
    back (`canceled`) and booked right (`correct`). `canceled_days`: then all of it is taken back for good.
    """

    day: date
    lag_days: int = Field(default=0, ge=0)
    notice_days: int = Field(default=0, ge=0)
    announced: bool = True
    announced_days: int = 0
    mistaken_factor: Decimal = Field(default=Decimal(1), gt=0)
    corrected_days: int | None = Field(default=None, ge=1)
    canceled_days: int | None = Field(default=None, ge=1)

    @model_validator(mode="after")
    def _in_order(self) -> CorporateAction:
        settled = max(self.lag_days, self.notice_days)
        for name, days in (("corrected_days", self.corrected_days), ("canceled_days", self.canceled_days)):
            if days is not None and days <= settled:
                raise ValueError(f"{name} is {days}; it has to lie after the change and its notice, {settled} days")
        if (self.mistaken_factor != 1) != (self.corrected_days is not None):
            raise ValueError("mistaken_factor and corrected_days go together")
        return self

    def after(self, days: int) -> date:
        """The day so many days after it took effect."""
        return self.day + timedelta(days=days)


class Fractional(CorporateAction):
    """One that shares come from; `cash_in_lieu`: a fraction of a share is paid in cash at the last price."""

    cash_in_lieu: bool = False


class MadeSplit(Fractional):
    """A split before the open of `day`: raw prices before it become `ratio` times what they were, adjusted ones stay.

    Without `ratio` it is one that the history has. `adjusted`: whether bars are adjusted for it; `announced`: whether
    corporate actions show it. Holdings become new shares when the clock passes it.
    """

    kind: Literal["split"] = "split"
    ratio: float | None = Field(default=None, gt=0)
    adjusted: bool = True


class Renamed(CorporateAction):
    """From `day` on the symbol is called `into`, which has its whole past; holdings follow. Before, nobody knows it."""

    kind: Literal["renamed"] = "renamed"
    into: str


class CashDividend(CorporateAction):
    """`rate` USD a share; prices from `day` on are lower by it, in the proportion of the last close."""

    kind: Literal["cash_dividend"] = "cash_dividend"
    rate: Decimal = Field(gt=0)
    special: bool = False


class StockDividend(Fractional):
    """`rate` new shares for each share held; prices from `day` on are lower in proportion."""

    kind: Literal["stock_dividend"] = "stock_dividend"
    rate: Decimal = Field(gt=0)


class SpinOff(Fractional):
    """`new_rate` shares of `new_symbol` for `source_rate` shares held, which stay; the history has to know both. Prices
    from `day` on are lower by what the new shares are worth.
    """

    kind: Literal["spin_off"] = "spin_off"
    new_symbol: str
    new_rate: Decimal = Field(gt=0)
    source_rate: Decimal = Field(default=Decimal(1), gt=0)


class Merger(Fractional):
    """The symbol ends on `day`. For `acquiree_rate` shares of it come `acquirer_rate` shares of `acquirer`, and
    `cash_rate` USD for each: either or both.
    """

    kind: Literal["merger"] = "merger"
    acquirer: str | None = None
    acquirer_rate: Decimal = Field(default=Decimal(0), ge=0)
    acquiree_rate: Decimal = Field(default=Decimal(1), gt=0)
    cash_rate: Decimal = Field(default=Decimal(0), ge=0)

    @model_validator(mode="after")
    def _pays(self) -> Merger:
        if (self.acquirer is None) != (self.acquirer_rate == 0):
            raise ValueError("acquirer and acquirer_rate go together")
        if not self.acquirer_rate and not self.cash_rate:
            raise ValueError("give acquirer and acquirer_rate, cash_rate, or all of them")
        return self


class WorthlessRemoval(CorporateAction):
    """The symbol ends on `day`, and holdings of it are taken out for nothing."""

    kind: Literal["worthless_removal"] = "worthless_removal"


type Action = MadeSplit | Renamed | CashDividend | StockDividend | SpinOff | Merger | WorthlessRemoval
type MarketChange = Annotated[
    SkippedBars | Delisted | MadeSplit | Renamed | CashDividend | StockDividend | SpinOff | Merger | WorthlessRemoval,
    Field(discriminator="kind"),
]
