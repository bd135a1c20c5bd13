"""A run's orders leg by leg: what was planned, each limit price that was asked for, and what became of it. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from alchemiser_common.ids import Side
from alchemiser_common.messages.report import ExecutionReport, LegReport
from alchemiser_common.records.journal import Intent
from alchemiser_common.records.plan import Plan


@dataclass(frozen=True, slots=True)
class LegSteps:
    """One symbol's side of the plan."""

    symbol: str
    side: Side
    planned: Decimal
    """Shares."""
    steps: tuple[Intent, ...]
    """Each written down before it was asked for, in their order."""
    report: LegReport | None
    """None while the run has not ended."""


def leg_steps(plan: Plan | None, intents: Sequence[Intent], report: ExecutionReport | None) -> tuple[LegSteps, ...]:
    """The legs in the plan's order; none without a plan."""
    told = {(leg.symbol, leg.side): leg for leg in (() if report is None else report.legs)}
    return tuple(
        LegSteps(
            symbol=leg.symbol,
            side=leg.side,
            planned=leg.quantity,
            steps=tuple(sorted((each for each in intents if each.leg == leg.number), key=lambda each: each.step)),
            report=told.get((leg.symbol, leg.side)),
        )
        for leg in (() if plan is None else plan.legs)
    )
