"""What both pipelines' orders of one cycle came to, symbol by symbol: the trader's fills beside the shadow's dry walk.

Information and no verdict: two walks at different moments get different prices, whoever is right, and orders of one
of the two were never sent. What the pipelines decided is compared elsewhere, exactly.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from alchemiser_common.ids import Side
from alchemiser_common.messages.report import BASIS_POINTS, ExecutionReport, LegReport
from alchemiser_common.records.dry_walk import DryWalk


@dataclass(frozen=True, slots=True)
class Execution:
    """One side's legs."""

    legs: tuple[LegReport, ...] = ()
    simulated: bool = False
    """Of a dry walk: nobody sent them."""
    began: datetime | None = None
    """Of the dry walk."""
    reason: str = ""
    """Why the dry walk came to less."""


@dataclass(frozen=True, slots=True)
class PriceBeside:
    """One symbol's side of the cycle: average prices in USD, None where nothing was filled."""

    symbol: str
    side: Side
    monolith: Decimal | None
    modular: Decimal | None

    @property
    def modular_worse_bps(self) -> Decimal | None:
        """By how much the modular side paid more, or got less, in basis points of the monolith's price."""
        if self.monolith is None or self.modular is None:
            return None
        sign = 1 if self.side is Side.BUY else -1
        return sign * (self.modular - self.monolith) / self.monolith * BASIS_POINTS


def execution_of(report: ExecutionReport | None, walk: DryWalk | None) -> Execution:
    """What a side's orders came to: really, or in its dry walk. A run that sent orders has no other."""
    if walk is not None and (report is None or report.orders_placed == 0):
        return Execution(walk.legs, simulated=True, began=walk.began, reason=walk.reason)
    return Execution(() if report is None else report.legs)


def prices_beside(monolith: Execution, modular: Execution) -> tuple[PriceBeside, ...]:
    """By symbol and side, wherever a side has filled something."""
    mine, theirs = _filled(monolith), _filled(modular)
    return tuple(
        PriceBeside(symbol, side, mine.get((symbol, side)), theirs.get((symbol, side)))
        for symbol, side in sorted(mine.keys() | theirs.keys())
    )


def _filled(execution: Execution) -> Mapping[tuple[str, Side], Decimal]:
    legs: Sequence[LegReport] = execution.legs
    return {(leg.symbol, leg.side): leg.average_price for leg in legs if leg.average_price is not None}
