"""How much buys may cost, and which may begin. Pure; USD.

Rests on two figures and trusts the lower: the ledger (cash before + proceeds the broker confirmed - what buys took)
and the broker's own cash, which may lag. Whatever is promised to open or coming orders is taken off first.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_DOWN, Decimal

from alchemiser_common.ids import Side
from alchemiser_common.messages.report import LegStatus
from alchemiser_common.records.plan import Plan
from alchemiser_trading.orders.legs import LegPhase, LegState
from alchemiser_trading.orders.smart_execution import release

_SETTLED_WITHIN = Decimal("0.001")
"""Fees and rounding may keep the broker's cash this fraction of equity under the ledger for good."""


@dataclass(frozen=True, slots=True)
class CashBudget:
    """Cash of a run at one moment."""

    plan: Plan
    legs: Sequence[LegState]
    broker_cash: Decimal

    @property
    def ledger(self) -> Decimal:
        """Cash as the confirmed fills make it; a sale counts once its price is known, a buy at its limit until then."""
        total = self.plan.account.cash
        for state in self.legs:
            if state.leg.side is Side.SELL:
                total += state.known_value
            else:
                total -= state.known_value + state.unpriced_cost
        return total

    @property
    def lags(self) -> bool:
        """Whether the broker's cash does not show all confirmed fills yet."""
        return self.broker_cash < self.ledger - self.plan.account.equity * _SETTLED_WITHIN

    def coming(self, to: LegState) -> bool:
        """Whether another leg may still bring cash: a sale that is not done, or a buy that keeps more than it takes."""
        return any(
            state is not to and (state.under_way or (state.leg.side is Side.SELL and state.phase is not LegPhase.DONE))
            for state in self.legs
        )

    def spendable(self, without: LegState | None = None) -> Decimal:
        """What may be promised anew; `without` leaves one leg's own promise out. May be negative."""
        promised = sum((_promised(state) for state in self.legs if state is not without), Decimal(0))
        return min(self.ledger, self.broker_cash) - self.plan.reserve - promised


def _cost_price(state: LegState) -> Decimal:
    return state.pending.cost_price if state.pending else state.leg.price


def _promised(state: LegState) -> Decimal:
    """What a buy that may have an order, or comes to its next one, can still cost.

    A frozen order can still fill: its promise stands.
    """
    if state.leg.side is Side.SELL or state.phase is LegPhase.HELD:
        return Decimal(0)
    if state.phase is LegPhase.DONE:
        open_order = state.order
        if open_order is not None and not open_order.status.terminal and state.pending is not None:
            return max(state.pending.quantity - open_order.filled_quantity, Decimal(0)) * state.pending.cost_price
        if state.outcome is LegStatus.FROZEN and state.order is None and state.pending is not None:
            return state.pending.quantity * state.pending.cost_price
        return Decimal(0)
    return state.remaining * _cost_price(state)


def release_buys(budget: CashBudget, allowance: Decimal, now: datetime, settle: timedelta) -> list[LegState]:
    """Every leg, with the held buys that cash covers set free, largest first.

    Once every other leg is done and the broker's cash shows it (or did not for `settle`), what cash cannot cover is
    shared out in proportion.
    """
    legs = list(budget.legs)
    left = budget.spendable()
    for index, state in enumerate(legs):
        cost = state.leg.quantity * state.leg.price * (1 + allowance)
        if state.phase is LegPhase.HELD and not state.stopping and cost <= left:
            legs[index] = release(state, state.leg.quantity)
            left -= cost
    held = [state for state in legs if state.phase is LegPhase.HELD and not state.stopping]
    others = [state for state in legs if state.phase is not LegPhase.HELD]
    if not held or any(state.phase is not LegPhase.DONE for state in others):
        return legs
    sold_at = max((state.ended_at for state in others if state.ended_at is not None), default=None)
    unpriced = any(state.unpriced > 0 for state in others)
    if (budget.lags or unpriced) and sold_at is not None and now - sold_at < settle:
        return legs
    cost = sum((state.leg.quantity * state.leg.price for state in held), Decimal(0)) * (1 + allowance)
    factor = max(left, Decimal(0)) / cost  # under 1: each of them costs more than what is left
    numbers = {state.leg.number for state in held}
    return [_cut(state, factor) if state.leg.number in numbers else state for state in legs]


def _cut(state: LegState, factor: Decimal) -> LegState:
    quantity = (state.leg.quantity * factor).quantize(state.leg.step, rounding=ROUND_DOWN)
    reason = f"cut from {state.leg.quantity} to {quantity} shares: cash falls short"
    return release(state, quantity, reason)
