"""What becomes of a leg's order once it was sent: looked for, weighed, cancelled, ended, confirmed. Pure."""

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

from alchemiser_common.errors import BrokerRefused
from alchemiser_common.ids import Side
from alchemiser_common.messages.reasons import LegReason
from alchemiser_common.messages.report import LegStatus
from alchemiser_common.ports.broker import BrokerOrder, OrderStatus
from alchemiser_common.settings import ExecutionSettings
from alchemiser_common.shares import REPORTED_STEP
from alchemiser_trading.orders.evidence import Asked, Judgement, Proof, judge
from alchemiser_trading.orders.leg_ends import (
    Advance,
    closed,
    done,
    frozen,
    judged_report,
    last_report,
    lost_order,
    next_or_done,
)
from alchemiser_trading.orders.legs import Cancel, LegPhase, LegState, Resend
from alchemiser_trading.orders.pricing import BidAsk, Prices, market_of
from alchemiser_trading.orders.styles import style_of

_CANCEL_AGAIN = timedelta(seconds=10)
_MAX_SENDS = 4
_ENDED_BY_TIME = frozenset({OrderStatus.EXPIRED, OrderStatus.DONE_FOR_DAY})


def resolve(state: LegState, order: BrokerOrder | None, now: datetime, settings: ExecutionSettings) -> Advance:
    """Find out whether the step that was sent is at the broker; None: it was asked, and does not know the id."""
    if order is not None:
        judged = judged_report(state, order)
        if judged.proof is Proof.CONTRADICTION:
            return _odd(state, judged, now, settings)
        found = replace(state, phase=LegPhase.WORKING, misses=0, sends=0, not_before=None)
        return told(found, order, now, settings)
    return _missed(state, now, settings)


def _missed(state: LegState, now: datetime, settings: ExecutionSettings) -> Advance:
    pending = state.pending
    if pending is None or (state.not_before is not None and now < state.not_before):
        return state, ()
    if state.misses < settings.lookups:
        pause = timedelta(seconds=2.0**state.misses)
        state = replace(state, misses=state.misses + 1, not_before=now + pause)
        if state.misses < settings.lookups:
            return state, ()
    if state.stopping:
        return lost_order(state, now), ()
    if state.sends >= _MAX_SENDS:
        reason = f"step {pending.number} was sent {state.sends} times without an answer and is not at the broker"
        return done(replace(state, lost=True), LegStatus.FROZEN, reason, now, LegReason.NO_ANSWER), ()
    return replace(state, misses=0, sends=state.sends + 1, not_before=now + timedelta(seconds=1)), (Resend(pending),)


def told(state: LegState, report: BrokerOrder, now: datetime, settings: ExecutionSettings) -> Advance:
    """A report of the open order, weighed."""
    judged = judged_report(state, report)
    if judged.proof is Proof.CONTRADICTION:
        return _odd(state, judged, now, settings)
    price = report.average_price or (state.order.average_price if state.order is not None else None)
    order = report.model_copy(update={"filled_quantity": judged.filled, "average_price": price})
    state = replace(state, order=order, odd_since=None)
    if judged.proof is Proof.OPEN:
        return watch(state, None, now, settings)
    return _ended(state, order, now, settings), ()


def _odd(state: LegState, judged: Judgement, now: datetime, settings: ExecutionSettings) -> Advance:
    """The report cannot be true: ask again for a while, then leave the symbol alone."""
    since = state.odd_since or now
    state = replace(state, odd_since=since)
    if now - since >= timedelta(seconds=settings.cancel_patience_seconds):
        lost = state.order is None
        return frozen(replace(state, lost=lost), f"the broker contradicts itself: {judged.detail}", now)
    if state.stopping and state.order is not None and state.phase is LegPhase.WORKING:
        return _cancel(state, state.order, now)
    return state, ()


def watch(state: LegState, prices: Prices | None, now: datetime, settings: ExecutionSettings) -> Advance:
    """Nothing new was heard of the order: wait, or cancel it if its time is over."""
    order = state.order
    if order is None:
        return state, ()
    if state.phase is LegPhase.CANCELLING:
        return _cancelling(state, order, now, settings)
    if order.status is OrderStatus.CANCELLING:
        return replace(state, phase=LegPhase.CANCELLING, since=now, cancel_taken=None), ()
    state = replace(state, since=state.since or now)
    if state.stopping:
        return _cancel(state, order, now)
    return _repriced(state, order, prices, now, settings)


def _repriced(
    state: LegState, order: BrokerOrder, prices: Prices | None, now: datetime, settings: ExecutionSettings
) -> Advance:
    """Make room for the next step if there is a better price for it; else the order is better left where it is."""
    market = market_of(prices, state.leg.price, now, settings) if rested(state, now, settings) and prices else None
    if not isinstance(market, BidAsk):
        return state, ()
    if _takes_the_far_side(state, order, market):
        return replace(state, since=now), ()
    return _cancel(state, order, now)


def rested(state: LegState, now: datetime, settings: ExecutionSettings) -> bool:
    """Whether the open order has had its time, and there may be a better price for the next step."""
    if state.phase is not LegPhase.WORKING or state.stopping or state.order is None:
        return False
    seconds = style_of(state.style).rest_seconds(settings)
    return (
        seconds is not None
        and state.steps < settings.max_steps
        and now - (state.since or now) >= timedelta(seconds=seconds)
    )


def _takes_the_far_side(state: LegState, order: BrokerOrder, market: BidAsk) -> bool:
    """Whether the order can have no better price: whatever the next step's, this one fills first or not at all."""
    limit = order.order_type.limit_price
    return limit is None or (limit >= market.ask if state.leg.side is Side.BUY else limit <= market.bid)


def _cancel(state: LegState, order: BrokerOrder, now: datetime) -> Advance:
    again = now + _CANCEL_AGAIN
    asked = replace(state, phase=LegPhase.CANCELLING, since=now, not_before=again, cancel_taken=None)
    return asked, (Cancel(order.order_id),)


def answered(state: LegState, *, taken: bool, now: datetime) -> LegState:
    """A cancel was asked for and taken, or not; the end of one that is taken at last is waited for from then on.

    Once taken it stays so: an order whose cancel is under way may be refused another one.
    """
    since = now if taken and state.cancel_taken is False else state.since
    return replace(state, cancel_taken=taken or bool(state.cancel_taken), since=since)


# A request to cancel that is refused or has no answer makes nothing doubtful: the order is open, and what it fills is
# counted. It has no next step, that is all. So only the end of a cancel that was taken is waited for with patience.
# A leg that must stop waits no longer: what is open is then looked for after the legs, and named (`LooseEnds`).
def _cancelling(state: LegState, order: BrokerOrder, now: datetime, settings: ExecutionSettings) -> Advance:
    """Wait for the end; ask again if the broker shows no sign of the cancel; give the symbol up in the end."""
    late = now - (state.since or now) >= timedelta(seconds=settings.cancel_patience_seconds)
    if late and (state.stopping or state.cancel_taken is not False):
        reason = f"order {order.order_id} did not end within {settings.cancel_patience_seconds:.0f} s of its cancel"
        return frozen(state, reason, now)
    if order.status is OrderStatus.OPEN and (state.not_before is None or now >= state.not_before):
        return replace(state, not_before=now + _CANCEL_AGAIN), (Cancel(order.order_id),)
    return state, ()


def _ended(state: LegState, order: BrokerOrder, now: datetime, settings: ExecutionSettings) -> LegState:
    """The order can fill no more, the broker says: count its fills; what is left waits for the position's word."""
    asked = state.phase is LegPhase.CANCELLING
    state = replace(
        state,
        chain=(*state.chain, order),
        order=None,
        phase=LegPhase.CHECKING,
        since=now,
        confirmed=False,
        turned_away=False,
        not_before=None,
        odd_since=None,
    )
    if order.status is OrderStatus.REPLACED:
        reason = f"order {order.order_id} was replaced by one that cannot be found"
        beyond = state.unknown + max((order.quantity or Decimal(0)) - order.filled_quantity, Decimal(0))
        return done(replace(state, unknown=beyond), LegStatus.FROZEN, reason, now, LegReason.CONTRADICTION)
    if state.negligible(state.intended - state.filled):  # what is unknown the position has to tell first
        return next_or_done(state, now)
    if state.stopping:
        return done(state, LegStatus.UNFILLED, state.stopping, now, LegReason.STOPPED)
    if order.status in _ENDED_BY_TIME:
        reason = f"the broker ended the order: {order.status.value}"
        return done(state, LegStatus.UNFILLED, reason, now, LegReason.BROKER_ENDED)
    if order.status is OrderStatus.REJECTED or (order.status is OrderStatus.CANCELLED and not asked):
        reason = f"the broker ended the order: {order.status.value}"
        return _withdrawn(state, reason, now, settings, LegReason.BROKER_ENDED)
    # A slice that filled whole goes on at the same place of the walk.
    return state if order.filled_quantity == order.quantity else replace(state, walked=state.walked + 1)


def _withdrawn(state: LegState, reason: str, now: datetime, settings: ExecutionSettings, cause: LegReason) -> LegState:
    """Somebody else ended the order: try again after a pause, a few times.

    Only the last one is why the leg ends: until then it keeps the reason for which it was to get less.
    """
    state = replace(state, refusals=state.refusals + 1)
    if state.refusals > settings.max_refusals:
        return done(state, LegStatus.REFUSED, reason, now, cause)
    return replace(state, not_before=now + timedelta(seconds=settings.refusal_wait_seconds))


def refused(state: LegState, error: BrokerRefused, now: datetime, settings: ExecutionSettings) -> LegState:
    """The broker said no, in its own words, to the step that was just sent: nothing of it is there, it says.

    That is about this request. An earlier one under the same id that had no answer may be in the network yet, and be
    taken when it comes: then nothing more of the symbol is sent, and the order is looked for after the run.
    """
    if state.sends > 1:
        reason = f"unknown: an earlier request of step {state.steps} had no answer, and the next was refused: {error}"
        return done(replace(state, lost=True), LegStatus.FROZEN, reason, now, LegReason.NO_ANSWER)
    state = replace(
        state,
        phase=LegPhase.CHECKING,
        since=now,
        misses=0,
        confirmed=False,
        turned_away=True,
        affordable=error.affordable,
    )
    if not error.may_pass:
        return done(state, LegStatus.REFUSED, str(error), now, LegReason.BROKER_REFUSED)
    return _withdrawn(state, str(error), now, settings, LegReason.BROKER_REFUSED)


def throttled(state: LegState, now: datetime, settings: ExecutionSettings) -> LegState:
    """The broker surely did not look at the request: send it again after a pause, without look-ups."""
    pause = timedelta(seconds=settings.refusal_wait_seconds)
    return replace(state, misses=settings.lookups, sends=max(state.sends - 1, 0), not_before=now + pause)


def unheard(state: LegState, now: datetime, settings: ExecutionSettings) -> Advance:
    """The broker could not be asked for the leg's order: a leg that is to end does not wait for it for ever."""
    if not state.stopping:
        return state, ()
    if state.order is None:
        if now - (state.since or now) >= timedelta(seconds=settings.cancel_patience_seconds):
            return lost_order(state, now), ()
        return state, ()
    return watch(state, None, now, settings)


# A next order needs three answers that agree, of three endpoints, for each is wrong now and then:
#
#     the list (or the refusal)    the order has ended, so much of it filled          into CHECKING
#     a look-up by its id          the same; of a refused one: it is not there        confirmed
#     the positions                so much has come, or gone, and no more             READY
def rechecked(state: LegState, order: BrokerOrder | None, now: datetime, settings: ExecutionSettings) -> Advance:
    """All orders of the leg have ended, by one report; `order` is what a look-up of the last one's id shows."""
    if state.stopping:
        return done(state, LegStatus.UNFILLED, state.stopping, now, LegReason.STOPPED), ()
    if order is None:
        return replace(state, confirmed=state.turned_away), ()
    if state.turned_away or not state.chain:
        # It was refused, and is there all the same.
        return told(replace(state, phase=LegPhase.WORKING, not_before=None), order, now, settings)
    heard = reheard(state, order, now)
    return replace(heard, confirmed=heard is state and _ended_as(state.chain[-1], order)), ()


def _rest(state: LegState) -> Decimal:
    """Shares that the last order was for and is not reported to have filled."""
    if state.turned_away and state.pending is not None:
        return state.pending.quantity
    last = state.chain[-1] if state.chain else None
    return Decimal(0) if last is None else max((last.quantity or Decimal(0)) - last.filled_quantity, Decimal(0))


def _ended_as(known: BrokerOrder, report: BrokerOrder) -> bool:
    """Whether the report says, too, that the order has ended, with as much filled."""
    judged = judge(report, _asked_as(known), known.filled_quantity)
    over = report.order_id == known.order_id and judged.proof in {Proof.ENDED, Proof.FILLED}
    return over and judged.filled == known.filled_quantity


def _asked_as(known: BrokerOrder) -> Asked:
    return Asked(known.symbol, known.side, known.quantity or Decimal(0), known.order_type)


def checked(state: LegState, moved: Decimal | None, now: datetime, settings: ExecutionSettings) -> Advance:
    """The positions were read: `moved` shares have come (of a buy) or gone (of a sale) since the plan was made.

    None: the symbol's position cannot be told. The one arrow into READY after an order: orders and position say the
    same, so nothing is unknown any more. Positions may lag behind fills, so it waits; what never agrees freezes it.
    """
    if state.phase is not LegPhase.CHECKING:
        return state, ()
    if state.confirmed and moved is not None and abs(moved - state.filled) <= REPORTED_STEP:
        known = replace(state, proved=state.filled, unknown=Decimal(0), confirmed=False)
        state = replace(known, phase=LegPhase.READY, since=now)
        return next_or_done(state, now), ()
    if now - (state.since or now) < timedelta(seconds=settings.settle_seconds):
        return state, ()
    if moved is None or not state.confirmed:
        doubt = "the position cannot be read" if moved is None else "no look-up confirms how the last order ended"
        return frozen(replace(state, unknown=max(state.unknown, _rest(state))), doubt, now)
    reason = f"the position has moved by {moved} shares, the orders' reports say {state.filled}"
    beyond = max(moved - state.filled, state.unknown)
    return frozen(replace(state, unknown=beyond), reason, now)


# A frozen leg sends nothing any more, but what its order may have cost is kept from all others for as long as that is
# not known. So it is looked at again while others wait, and what sets a leg free for its next order settles it, too.
def settled(state: LegState, listed: BrokerOrder | None, found: BrokerOrder | None, moved: Decimal | None) -> LegState:
    """A leg that is frozen: known, if list, look-up and position now agree on its last order's end, and done anyhow."""
    if listed is None or found is None or moved is None:
        return state
    heard = last_report(state, found) if state.may_have_order else state
    if heard.may_have_order or not heard.chain or heard.chain[-1].status is OrderStatus.REPLACED:
        return state
    agreed = all(_ended_as(heard.chain[-1], report) for report in (listed, found))
    return closed(heard) if agreed and abs(moved - heard.filled) <= REPORTED_STEP else state


def reheard(state: LegState, report: BrokerOrder, now: datetime) -> LegState:
    """A report of an order of the chain, which had ended: a fill that came late counts, and an order that is open
    after all is the leg's order again. While the next one may be on its way it is not listened to: what is open can
    only be cancelled once it is found.
    """
    known = next((order for order in state.chain if order.order_id == report.order_id), None)
    if known is None or state.phase in {LegPhase.DONE, LegPhase.SENT}:
        return state
    judged = judge(report, _asked_as(known), known.filled_quantity)
    if judged.proof is Proof.CONTRADICTION:
        return state
    if judged.filled > known.filled_quantity:
        late = known.model_copy(update={"filled_quantity": judged.filled, "average_price": report.average_price})
        state = replace(state, chain=tuple(late if order is known else order for order in state.chain))
        if state.phase is LegPhase.WORKING:
            # What is open was sized without it.
            return replace(state, phase=LegPhase.CANCELLING, since=now, not_before=now, cancel_taken=None)
    if judged.proof is Proof.OPEN and state.phase in {LegPhase.CHECKING, LegPhase.READY}:
        chain = tuple(order for order in state.chain if order.order_id != report.order_id)
        order = report.model_copy(update={"filled_quantity": judged.filled})
        return replace(
            state, chain=chain, order=order, phase=LegPhase.CANCELLING, since=now, not_before=now, cancel_taken=None
        )
    return state
