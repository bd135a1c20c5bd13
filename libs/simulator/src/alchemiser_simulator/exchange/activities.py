"""What happens on the account apart from trades: transfers, dividends, corporate actions, as entries that explain it.

Cash and holdings are those of the opening, plus the fills, plus these entries; nothing else moves either.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Literal
from uuid import UUID

from alchemiser_simulator.exchange.orders import ZERO

type EntryStatus = Literal["executed", "correct", "canceled"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One non-trade activity. `amount` in USD and `qty` in shares, below zero for what goes; `day` is the one it is
    for, `at` when the account changes, `shown_at` when it is told, either of them first.
    """

    number: int
    id: UUID
    code: str
    at: datetime
    shown_at: datetime
    day: date
    amount: Decimal = ZERO
    symbol: str = ""
    qty: Decimal = ZERO
    sub_code: str = ""
    per_share: Decimal | None = None
    description: str = ""
    status: EntryStatus = "executed"
    group: UUID | None = None
    cost: Decimal | None = None  # USD that coming shares cost in all; None: nothing, or their part where they go

    @property
    def shares(self) -> Decimal:
        """Shares by which the holding changes. A cash dividend's `qty` is what it was paid on, which stays."""
        paid = self.code.startswith("DIV") and self.sub_code != "SDIV"
        return ZERO if paid else self.qty
