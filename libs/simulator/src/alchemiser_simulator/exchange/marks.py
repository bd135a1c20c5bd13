"""Holdings that the market has no price for, or is not to give one: options, crypto, worthless and delisted shares."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from alchemiser_simulator.exchange.orders import ZERO

type AssetClass = Literal["us_equity", "us_option", "crypto"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """How a holding is shown and valued: at `price` USD a unit times `multiplier`; worthless if the price is None."""

    asset_class: AssetClass = "us_equity"
    price: Decimal | None = None
    multiplier: Decimal = Decimal(1)

    def value(self, qty: Decimal) -> Decimal:
        """USD that `qty` units count for."""
        return ZERO if self.price is None else qty * self.price * self.multiplier
