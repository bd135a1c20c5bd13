"""How a leg ends, and what may still be learned of one that has. Pure."""

from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from alchemiser_common.messages.reasons import LegReason
from alchemiser_common.messages.report import LegStatus
from alchemiser_common.ports.broker import BrokerOrder, OrderStatus
from alchemiser_trading.orders.evidence import Asked, Judgement, Proof, judge
from alchemiser_trading.orders.legs import Action, Cancel, LegPhase, LegState

type Advance = tuple[LegState, tuple[Action, ...]]


def done(state: LegState, otherwise: LegStatus, reason: str, now: datetime, cause: LegReason | None) -> LegState:
    """The leg ends: filled if nothing orderable is left of the plan, partial if something is filled."""
    if otherwise is LegStatus.FROZEN:
        outcome = LegStatus.FROZEN
    elif state.filled > 0 and state.negligible(state.leg.quantity - state.filled):
        outcome, reason, cause = LegStatus.FILLED, "", None
    elif state.filled > 0:
        outcome = LegStatus.PARTIAL
    else:
        outcome = LegStatus.UNFILLED if otherwise is LegStatus.FILLED else otherwise
    return replace(state, phase=LegPhase.DONE, outcome=outcome, reason=reason, cause=cause, ended_at=now)


def next_or_done(state: LegState, now: datetime) -> LegState:
    """What follows once nothing is unknown: done, or held again if only the cash that was there was to be spent."""
    if not state.negligible(state.remaining):
        return state
    if state.for_now and state.stopping:  # the rest was to come, and does not any more: that is no want of cash
        return done(state, LegStatus.UNFILLED, state.stopping, now, LegReason.STOPPED)
    if state.for_now and state.phase is not LegPhase.DONE:
        return replace(state, phase=LegPhase.HELD, intended=state.leg.quantity, for_now=False, short_since=None)
    return done(state, LegStatus.FILLED, state.reason, now, state.cause)


def unsent(state: LegState, reason: str, now: datetime) -> LegState:
    """The step's request was not made: the time for it had passed. An earlier one of the step may be on its way yet."""
    if state.sends > 1:
        return lost_order(replace(state, stopping=state.stopping or reason), now)
    return done(replace(state, phase=LegPhase.CHECKING), LegStatus.UNFILLED, reason, now, LegReason.NOT_IN_TIME)


def frozen(state: LegState, reason: str, now: datetime) -> Advance:
    """The leg's orders cannot be settled: no further order of the symbol, and what may be open is to be cancelled."""
    actions = () if state.order is None else (Cancel(state.order.order_id),)
    return done(state, LegStatus.FROZEN, reason, now, LegReason.CONTRADICTION), actions


# Halted while the request was on its way:
#
#     send ──► (held by the network)                      ──► the broker accepts it
#          halt, look-up: not found, …, the run ends  ·  here the order may still come
#
# Not found is no end. The leg is done, and its order is unknown: it is kept among the loose orders, which the next
# delivery, the watch and the next run look up and cancel.
def lost_order(state: LegState, now: datetime) -> LegState:
    reason = f"unknown: {state.stopping}; the order's request had no answer, and it may still reach the broker"
    return done(replace(state, lost=True), LegStatus.FROZEN, reason, now, LegReason.NO_ANSWER)


def given_up(state: LegState, reason: str, now: datetime) -> LegState:
    """A leg of which nothing more can be read: what it may have done stays unknown."""
    if state.phase is LegPhase.DONE:
        return state
    if state.steps == 0:
        return done(state, LegStatus.UNFILLED, reason, now, LegReason.STOPPED)
    return done(replace(state, lost=True), LegStatus.FROZEN, reason, now, LegReason.NO_ANSWER)


def last_report(state: LegState, report: BrokerOrder) -> LegState:
    """What the order of a leg that is done came to, seen at the end of the run: it may have ended by now."""
    judged = judged_report(state, report)
    if judged.proof is Proof.CONTRADICTION:
        return state
    order = report.model_copy(update={"filled_quantity": judged.filled})
    if judged.proof is Proof.OPEN:
        return replace(state, order=order, lost=False)
    if order.status is OrderStatus.REPLACED and judged.proof is Proof.ENDED:  # by one that cannot be found
        beyond = state.unknown + max((order.quantity or Decimal(0)) - order.filled_quantity, Decimal(0))
        state = replace(state, unknown=beyond)
    return replace(state, chain=(*state.chain, order), order=None, lost=False)


def closed(state: LegState) -> LegState:
    """A leg whose orders have all ended and whose position agrees: it is known what it got, frozen or not."""
    if state.may_have_order:
        return state
    if state.outcome is not LegStatus.FROZEN:
        return replace(state, unknown=Decimal(0))
    outcome = LegStatus.UNFILLED if state.filled <= 0 else LegStatus.PARTIAL
    whole = state.filled > 0 and state.negligible(state.leg.quantity - state.filled)
    return replace(state, unknown=Decimal(0), outcome=LegStatus.FILLED if whole else outcome)


# Orders and position disagree when the run ends, and nobody is left to ask:
#
#     orders say 832, the position has moved by   0     at least 0 filled, 832 unknown
#     orders say 832, the position has moved by  10     the same: the 10 may be a person's, and the 832 told wrongly
#     the same, and the two agreed on 5 before          at least 5 filled, 827 unknown
#     orders say   0, the position has moved by 300     at least 0 filled, 300 unknown: they may be a person's
#
# Where the position shows less than the orders, one of the two is wrong, and the smaller figure is no proof either.
def contradicted(state: LegState, moved: Decimal | None) -> LegState:
    """A leg whose position does not agree with its orders: what only one of the two shows is unknown, not filled."""
    if moved is None or moved == state.filled:
        return state
    may_fill = state.unsettled - state.unknown  # of an order that may be open, and unknown as it is
    if moved > state.filled:
        beyond = min(moved, state.leg.quantity) - state.filled - may_fill
        return replace(state, unknown=max(state.unknown, beyond)) if state.steps else state
    left = state.filled - max(min(moved, state.proved), Decimal(0))
    unknown = state.unsettled + left
    orders = list(state.orders)
    for index in reversed(range(len(orders))):
        taken = min(left, orders[index].filled_quantity)
        left -= taken
        fewer = orders[index].filled_quantity - taken
        orders[index] = orders[index].model_copy(update={"filled_quantity": fewer})
    doubted = replace(
        state,
        chain=tuple(orders if state.order is None else orders[:-1]),
        order=None if state.order is None else orders[-1],
    )
    return replace(
        doubted,
        unknown=unknown - (doubted.unsettled - doubted.unknown),
        outcome=LegStatus.FROZEN,
        cause=LegReason.CONTRADICTION,
        reason=f"its orders are said to have filled {state.filled} shares, the position has moved by {moved}",
    )


def judged_report(state: LegState, report: BrokerOrder) -> Judgement:
    most = Decimal(0) if state.order is None else state.order.filled_quantity
    return judge(report, _asked(state), most)


def _asked(state: LegState) -> Asked:
    step = state.pending
    if step is None:
        raise AssertionError("a leg with an order has a step")
    return Asked(state.leg.symbol, state.leg.side, step.quantity, step.order_type)
