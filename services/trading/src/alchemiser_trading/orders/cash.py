"""How much buys may cost, and which may begin. Pure; USD.

Rests on three figures and trusts the lowest: the ledger (cash before + proceeds the broker confirmed - what buys took),
the broker's own cash, which may lag, and its buying power, which may be less than cash. Whatever is promised to open or
coming orders is taken off first.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import ROUND_DOWN, Decimal
from functools import cached_property

from alchemiser_common.ids import Side
from alchemiser_common.records.plan import Plan
from alchemiser_trading.orders.legs import LegPhase, LegState
from alchemiser_trading.orders.smart_execution import release

_SETTLED_WITHIN = Decimal("0.001")
"""Fees and rounding may keep the broker's cash this fraction of equity under the ledger for good."""


@dataclass(frozen=True)
class CashBudget:
    """Cash of a run at one moment."""

    plan: Plan
    legs: Sequence[LegState]
    broker_cash: Decimal
    buying_power: Decimal
    """What the broker would let new orders cost; what its open orders may cost is taken off already."""

    @cached_property
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
        """Whether the broker's cash or buying power does not show all confirmed fills yet."""
        _, at_broker = self._promises
        shown = min(self.broker_cash, self.buying_power + at_broker)
        return shown < self.ledger - self.plan.account.equity * _SETTLED_WITHIN

    def coming(self, to: LegState) -> bool:
        """Whether another leg may still bring cash: a sale that is not done, or a buy that keeps more than it takes."""
        return any(
            state is not to and (state.under_way or (state.leg.side is Side.SELL and state.phase is not LegPhase.DONE))
            for state in self.legs
        )

    def spendable(self, without: LegState | None = None) -> Decimal:
        """What may be promised anew; `without`, one of `legs`, leaves its own promise out. May be negative."""
        unsent, at_broker = self._promises
        if without is not None and without.order is None:
            unsent -= _promised(without)
        elif without is not None:
            at_broker -= _promised(without)
        of_cash = min(self.ledger, self.broker_cash) - self.plan.reserve - unsent - at_broker
        return min(of_cash, self.buying_power - unsent)

    @cached_property
    def _promises(self) -> tuple[Decimal, Decimal]:
        """What buys can still cost: those that surely have no order at the broker, and those whose order it has."""
        unsent = at_broker = Decimal(0)
        for state in self.legs:
            if state.order is None:
                unsent += _promised(state)
            else:
                at_broker += _promised(state)
        return unsent, at_broker


def _cost_price(state: LegState) -> Decimal:
    return state.pending.cost_price if state.pending else state.leg.price


def _promised(state: LegState) -> Decimal:
    """What a buy that may have an order, or comes to its next one, can still cost.

    What is not known counts as bought: a frozen order can still fill, and its promise stands.
    """
    if state.leg.side is Side.SELL or state.phase is LegPhase.HELD:
        return Decimal(0)
    if state.phase is LegPhase.DONE:
        return state.unsettled * _cost_price(state)
    return (state.remaining + state.unknown) * _cost_price(state)


# Why a buy begins when it does:
#
#     cash covers all of it          at once, largest first
#     cash covers a part             when all others are done and the broker's cash shows it (or did not for `settle`):
#                                    what there is is shared out in proportion, and that is that
#     the same, others not done      after `patience`: what there is is shared out for now. An order of another leg that
#                                    never fills keeps its own cash, and no longer everybody's.
#
# Nothing here can promise a dollar twice: what is released counts as promised from the same moment on.
def release_buys(
    budget: CashBudget, allowance: Decimal, now: datetime, settle: timedelta, patience: timedelta
) -> list[LegState]:
    """Every leg, with the held buys that cash covers set free, largest first."""
    legs = list(budget.legs)
    left = budget.spendable()
    for index, state in enumerate(legs):
        if state.phase is not LegPhase.HELD or state.stopping:
            continue
        cost = _cost(state, allowance)
        if cost <= left:
            legs[index] = release(state, state.leg.quantity)
            left -= cost
        else:
            legs[index] = replace(state, short_since=state.short_since or now)
    held = [state for state in legs if state.phase is LegPhase.HELD and not state.stopping]
    if not held:
        return legs
    factor = max(left, Decimal(0)) / sum((_cost(state, allowance) for state in held), Decimal(0))
    if not _others_done(budget, legs, now, settle):
        late = all(now - (state.short_since or now) >= patience for state in held)
        return [_part(state, factor) if late and state in held else state for state in legs]
    return [_cut(state, factor) if state in held else state for state in legs]


def _others_done(budget: CashBudget, legs: Sequence[LegState], now: datetime, settle: timedelta) -> bool:
    """Whether no cash comes any more from other legs, and the broker's shows what they brought."""
    others = [state for state in legs if state.phase is not LegPhase.HELD]
    if any(state.phase is not LegPhase.DONE for state in others):
        return False
    sold_at = max((state.ended_at for state in others if state.ended_at is not None), default=None)
    unpriced = any(state.unpriced > 0 for state in others)
    return not ((budget.lags or unpriced) and sold_at is not None and now - sold_at < settle)


def _cost(state: LegState, allowance: Decimal) -> Decimal:
    """What the rest of a held buy may cost, USD."""
    return (state.leg.quantity - state.filled) * state.leg.price * (1 + allowance)


def _shared(state: LegState, factor: Decimal) -> Decimal:
    """Shares of the leg in all that cash allows if it buys `factor`, under 1, of what it lacks."""
    part = ((state.leg.quantity - state.filled) * factor).quantize(state.leg.step, rounding=ROUND_DOWN)
    return state.filled + part


def _cut(state: LegState, factor: Decimal) -> LegState:
    quantity = _shared(state, factor)
    return release(state, quantity, f"cut from {state.leg.quantity} to {quantity} shares: cash falls short")


def _part(state: LegState, factor: Decimal) -> LegState:
    quantity = _shared(state, factor)
    if state.negligible(quantity - state.filled):
        return state
    return replace(release(state, quantity), for_now=True)
