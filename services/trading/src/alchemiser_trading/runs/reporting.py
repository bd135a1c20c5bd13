"""From legs that have ended to the run's report: intended against done, why not more, and what is left over. Pure."""

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from enum import StrEnum

from alchemiser_common.ids import Side
from alchemiser_common.messages.reasons import LegReason
from alchemiser_common.messages.report import LegReport, LegStatus, Residual, RunStatus
from alchemiser_common.records.plan import Plan, SkippedLeg
from alchemiser_common.shares import REPORTED_STEP
from alchemiser_common.text import and_more
from alchemiser_trading.orders.legs import LegState
from alchemiser_trading.orders.loose import LastLook
from alchemiser_trading.orders.order_gateway import Stop, StopKind
from alchemiser_trading.orders.settling import Afterwards
from alchemiser_trading.plan.holdings import wanted_by

_MOST_NAMED = 5


class Ending(StrEnum):
    """What can have happened to a run, each the worse the later; the worst decides the status."""

    ALL_DONE = "every leg got what was planned"
    LESS_BY_ITS_NATURE = "less for want of cash, of a whole share, or of a trade worth making"
    LESS = "a leg or a wanted trade got less for another reason"
    STOPPED = "the switch stopped it before all was done"
    LIMITED = "a limit left out what would have added risk"
    UNSETTLED = "an order is not known to have ended, or positions are not what the fills explain"
    NOT_ALONE = "somebody else has orders on the account"


_STATUS = {
    Ending.ALL_DONE: RunStatus.COMPLETED,
    Ending.LESS_BY_ITS_NATURE: RunStatus.COMPLETED,
    Ending.LESS: RunStatus.PARTIAL,
    Ending.STOPPED: RunStatus.HALTED,
    Ending.LIMITED: RunStatus.HALTED,
    Ending.UNSETTLED: RunStatus.HALTED,
    Ending.NOT_ALONE: RunStatus.HALTED,
}
_BY_NATURE = frozenset(
    {
        LegReason.CASH_SHORT,
        LegReason.LESS_THAN_ONE_SHARE,
        LegReason.PART_OF_A_SHARE_STAYS,
        LegReason.SMALL_TRADE,
        LegReason.DUST,
    }
)
"""Reasons that tomorrow's run has again, and nothing to be looked at."""


def status_of(
    legs: Sequence[LegState], skipped: Sequence[SkippedLeg], stop: Stop | None, after: Afterwards, seen: LastLook
) -> RunStatus:
    """What the run came to: halted if a person must look, partial if a leg got less than planned.

    Raises nothing: whatever is not known to be well is worse.
    """
    return _STATUS[max(endings(legs, skipped, stop, after, seen), key=list(Ending).index)]


def endings(
    legs: Sequence[LegState], skipped: Sequence[SkippedLeg], stop: Stop | None, after: Afterwards, seen: LastLook
) -> frozenset[Ending]:
    """Everything that happened, from what legs, broker and plan show."""
    found = {Ending.ALL_DONE}
    for state in legs:
        if state.outcome is LegStatus.FROZEN or state.unsettled > 0:
            found.add(Ending.UNSETTLED)
        elif state.outcome is not LegStatus.FILLED:
            found.add(Ending.LESS_BY_ITS_NATURE if _cut_short(state) else Ending.LESS)
    for leg in skipped:
        found.add(_ending_of(leg))
    if stop is not None and stop.kind is StopKind.HALTED and found != {Ending.ALL_DONE}:
        found.add(Ending.STOPPED)
    if after.differences or seen.ours or seen.unread:
        found.add(Ending.UNSETTLED)
    if seen.foreign or (stop is not None and stop.kind is StopKind.UNRECONCILED):
        found.add(Ending.NOT_ALONE)
    return frozenset(found)


def _ending_of(leg: SkippedLeg) -> Ending:
    if leg.cause is not None and leg.cause.by_limit:
        return Ending.LIMITED
    if leg.cause in _BY_NATURE and not leg.untradable:
        return Ending.LESS_BY_ITS_NATURE
    return Ending.LESS


def reason_of(plan: Plan, legs: Sequence[LegState], stop: Stop | None, after: Afterwards) -> str:
    """Everything a person should know, in one line; empty if all went as planned."""
    notes: list[str] = [] if stop is None else [stop.reason]
    if plan.short_of_cash:
        notes.append(f"all buys cut to {plan.shrink:.4f} of their value: cash to spend beside the reserve falls short")
    unhappy = [
        f"{state.leg.side.value} {state.leg.symbol}: {state.outcome.value}, {state.reason}"
        for state in legs
        if state.outcome is not None and state.outcome is not LegStatus.FILLED and state.reason
    ]
    notes.extend(and_more(unhappy, _MOST_NAMED))
    skipped = [f"{leg.side.value} {leg.symbol} left alone: {leg.reason}" for leg in plan.skipped]
    notes.extend(and_more(skipped, _MOST_NAMED))
    notes.extend(and_more([f"position {item.symbol}: {item.detail}" for item in after.differences], _MOST_NAMED))
    return "; ".join(notes)


def leg_reports(plan: Plan, legs: Sequence[LegState]) -> tuple[LegReport, ...]:
    """One line a leg, and one for each difference that was left alone."""
    return (*(_leg_report(state) for state in legs), *(_skipped_report(plan, leg) for leg in plan.skipped))


def residuals(plan: Plan, after: Afterwards) -> tuple[Residual, ...]:
    """Weight wanted and weight held of every symbol of either, in fractions of equity.

    Shares that strategies keep are wanted at what they are worth: they are off by nothing, whatever the price does.
    """
    want, held = wanted_by(plan), {position.symbol: position for position in after.positions}
    equity = after.account.equity

    def share(worth: Decimal) -> Decimal:
        return worth / equity if equity > 0 else Decimal(0)

    def kept(symbol: str) -> Decimal:
        quantity, position = want.kept.get(symbol, Decimal(0)), held.get(symbol)
        if position is None:
            return Decimal(0)
        return share(position.market_value if quantity == position.quantity else quantity * position.price)

    return tuple(
        Residual(
            symbol=symbol,
            target=float(share(want.value(symbol)) + kept(symbol)),
            actual=float(share(held[symbol].market_value)) if symbol in held else 0.0,
        )
        for symbol in sorted(want.weights.keys() | held.keys())
    )


def _leg_report(state: LegState) -> LegReport:
    taken = timedelta(0)
    if state.started_at is not None and state.ended_at is not None:
        taken = max(state.ended_at - state.started_at, taken)
    return LegReport(
        symbol=state.leg.symbol,
        side=state.leg.side,
        status=state.outcome or LegStatus.UNFILLED,
        intended=state.leg.quantity,
        filled=state.filled,
        unknown=state.unsettled,
        average_price=state.average_price,
        arrival_mid=state.arrival_mid,
        steps=state.steps,
        duration=taken,
        reason=state.reason,
        cause=state.cause,
    )


def _skipped_report(plan: Plan, leg: SkippedLeg) -> LegReport:
    positions = {position.symbol: position for position in plan.positions}
    price = positions[leg.symbol].price if leg.symbol in positions else None
    return LegReport(
        symbol=leg.symbol,
        side=leg.side,
        status=LegStatus.REFUSED if leg.cause is None or leg.cause.by_broker else LegStatus.UNFILLED,
        intended=(leg.value / price).quantize(REPORTED_STEP) if price else Decimal(0),
        filled=Decimal(0),
        reason=leg.reason,
        cause=leg.cause,
    )


def _cut_short(state: LegState) -> bool:
    """A buy that got all that cash allowed; one that was cut for now only was to get more."""
    cut = state.leg.side is Side.BUY and state.intended < state.leg.quantity and not state.for_now
    return cut and state.negligible(state.remaining)
