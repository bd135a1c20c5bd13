"""SmartExecution: works one leg through the spread. `advance` is pure: time, prices and order come in, actions go out.

Holds at all times: one open order at most; no next order before the last one has ended by two sources' word; ordered
quantity = intended minus all that may have been filled; nothing new once stopping.
"""

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import ROUND_DOWN, Decimal

from alchemiser_common.errors import BrokerRefused
from alchemiser_common.ids import Side
from alchemiser_common.messages.reasons import LegReason
from alchemiser_common.messages.report import LegStatus
from alchemiser_common.ports.broker import BrokerOrder, LimitOrder, MarketOrder, OrderStatus
from alchemiser_common.settings import ExecutionSettings, WithoutQuote
from alchemiser_common.shares import REPORTED_STEP
from alchemiser_trading.orders.evidence import Asked, Judgement, Proof, judge
from alchemiser_trading.orders.legs import Action, Cancel, LegPhase, LegState, Place, Resend, Step
from alchemiser_trading.orders.pricing import BidAsk, Prices, Unfit, collared_limit, market_of, to_tick, walk_limit
from alchemiser_trading.orders.styles import style_for, style_of

_CANCEL_AGAIN = timedelta(seconds=10)
_MAX_SENDS = 4
_ENDED_BY_TIME = frozenset({OrderStatus.EXPIRED, OrderStatus.DONE_FOR_DAY})

type Advance = tuple[LegState, tuple[Action, ...]]


# The life of a leg. Money rests on the arrow into READY: nothing gets there but a leg that has sent nothing yet, and
# one whose orders have all ended by the broker's word and whose position says the same.
#
#     HELD ──cash──► READY ──place──► SENT ──seen──► WORKING ──rested, a better price, or stop──► CANCELLING
#                      ▲                │ refused        │ ended                                      │ ended
#                      └───position─── CHECKING ◄────────┴────────────────────────────────────────────┘
#                          agrees
#     Any of them ends in DONE: filled, stopped, refused too often; frozen where reports or position never agree.
def advance(
    state: LegState, prices: Prices | None, order: BrokerOrder | None, now: datetime, settings: ExecutionSettings
) -> Advance:
    """What to do next.

    `order` is the newest report of the leg's order; for a leg in SENT, None means that the broker was asked and does
    not know the id. `prices` are None if they were not read. Calling it again with nothing new does nothing new.
    """
    match state.phase:
        case LegPhase.SENT:
            return _resolve(state, order, now, settings)
        case LegPhase.WORKING | LegPhase.CANCELLING:
            if order is not None:
                return _told(state, order, now, settings)
            if state.order is None and prices is None:
                return _resolve(replace(state, phase=LegPhase.SENT), None, now, settings)
            return _watch(state, prices, now, settings)
        case LegPhase.READY:
            return _place(state, prices, now, settings)
        case LegPhase.CHECKING:
            return _rechecked(state, order, now, settings)
        case LegPhase.HELD if state.stopping:
            return _done(state, LegStatus.UNFILLED, state.stopping, now, LegReason.STOPPED), ()
        case _:
            return state, ()


def stop(state: LegState, reason: str) -> LegState:
    """From now on the leg sends nothing new and cancels what is open; the first reason stays."""
    return state if state.stopping or state.phase is LegPhase.DONE else replace(state, stopping=reason)


def release(state: LegState, quantity: Decimal, reason: str = "") -> LegState:
    """Let a held buy begin, for `quantity` shares in all; with a reason, they are fewer for want of cash."""
    cause = LegReason.CASH_SHORT if reason else None
    return replace(state, phase=LegPhase.READY, intended=quantity, reason=reason, cause=cause, short_since=None)


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


def refused(state: LegState, error: BrokerRefused, now: datetime, settings: ExecutionSettings) -> LegState:
    """The broker said no, in its own words, to the step that was just sent: nothing of it is there, it says."""
    state = replace(state, phase=LegPhase.CHECKING, since=now, misses=0)
    if not error.may_pass:
        return _done(state, LegStatus.REFUSED, str(error), now, LegReason.BROKER_REFUSED)
    return _withdrawn(state, str(error), now, settings, LegReason.BROKER_REFUSED)


def throttled(state: LegState, now: datetime, settings: ExecutionSettings) -> LegState:
    """The broker surely did not look at the request: send it again after a pause, without look-ups."""
    pause = timedelta(seconds=settings.refusal_wait_seconds)
    return replace(state, misses=settings.lookups, sends=max(state.sends - 1, 0), not_before=now + pause)


def unsent(state: LegState, reason: str, now: datetime) -> LegState:
    """The step's request was never made: the time for it had passed."""
    return _done(replace(state, phase=LegPhase.CHECKING), LegStatus.UNFILLED, reason, now, LegReason.NOT_IN_TIME)


def frozen(state: LegState, reason: str, now: datetime) -> Advance:
    """The leg's orders cannot be settled: no further order of the symbol, and what may be open is to be cancelled."""
    done = _done(state, LegStatus.FROZEN, reason, now, LegReason.CONTRADICTION)
    return done, () if state.order is None else (Cancel(state.order.order_id),)


def unheard(state: LegState, now: datetime, settings: ExecutionSettings) -> Advance:
    """The broker could not be asked for the leg's order: a leg that is to end does not wait for it for ever."""
    if not state.stopping:
        return state, ()
    if state.order is None:
        if now - (state.since or now) >= timedelta(seconds=settings.cancel_patience_seconds):
            return _lost(state, now), ()
        return state, ()
    return _watch(state, None, now, settings)


def checked(state: LegState, moved: Decimal | None, now: datetime, settings: ExecutionSettings) -> Advance:
    """The positions were read: `moved` shares have come (of a buy) or gone (of a sale) since the plan was made.

    None: the symbol's position cannot be told. The one arrow into READY after an order: orders and position say the same, so nothing is unknown any more. Positions
    may lag behind fills, so it waits; what never agrees freezes the leg.
    """
    if state.phase is not LegPhase.CHECKING:
        return state, ()
    if moved is not None and abs(moved - state.filled) <= REPORTED_STEP:
        state = replace(state, phase=LegPhase.READY, unknown=Decimal(0), since=now)
        return _next(state, now), ()
    if now - (state.since or now) < timedelta(seconds=settings.settle_seconds):
        return state, ()
    if moved is None:
        return frozen(state, "the position cannot be read", now)
    reason = f"the position has moved by {moved} shares, the orders' reports say {state.filled}"
    beyond = max(moved - state.filled, state.unknown)
    return frozen(replace(state, unknown=beyond), reason, now)


def reheard(state: LegState, report: BrokerOrder, now: datetime) -> LegState:
    """A report of an order of the chain, which had ended: a fill that came late counts, and an order that is open
    after all is the leg's order again.
    """
    known = next((order for order in state.chain if order.order_id == report.order_id), None)
    if known is None or state.phase is LegPhase.DONE:
        return state
    if report.filled_quantity > known.filled_quantity and report.filled_quantity <= (known.quantity or Decimal(0)):
        late = known.model_copy(
            update={"filled_quantity": report.filled_quantity, "average_price": report.average_price}
        )
        state = replace(state, chain=tuple(late if order is known else order for order in state.chain))
        if state.phase is LegPhase.WORKING:
            # What is open was sized without it.
            return replace(state, phase=LegPhase.CANCELLING, since=now, not_before=now)
    if not report.status.terminal and state.phase in {LegPhase.CHECKING, LegPhase.READY}:
        chain = tuple(order for order in state.chain if order.order_id != report.order_id)
        order = report.model_copy(update={"filled_quantity": max(report.filled_quantity, known.filled_quantity)})
        return replace(state, chain=chain, order=order, phase=LegPhase.CANCELLING, since=now, not_before=now)
    return state


def last_report(state: LegState, report: BrokerOrder) -> LegState:
    """What the order of a leg that is done came to, seen at the end of the run: it may have ended by now."""
    judged = _judged(state, report)
    if judged.proof is Proof.CONTRADICTION:
        return state
    order = report.model_copy(update={"filled_quantity": judged.filled})
    if judged.proof is Proof.OPEN:
        return replace(state, order=order, lost=False)
    return replace(state, chain=(*state.chain, order), order=None, lost=False)


def given_up(state: LegState, reason: str, now: datetime) -> LegState:
    """A leg of which nothing more can be read: what it may have done stays unknown."""
    if state.phase is LegPhase.DONE:
        return state
    if state.steps == 0:
        return _done(state, LegStatus.UNFILLED, reason, now, LegReason.STOPPED)
    return _done(replace(state, lost=True), LegStatus.FROZEN, reason, now, LegReason.NO_ANSWER)


def closed(state: LegState) -> LegState:
    """A leg whose orders have all ended and whose position agrees: it is known what it got, frozen or not."""
    if state.may_have_order:
        return state
    if state.outcome is not LegStatus.FROZEN:
        return replace(state, unknown=Decimal(0))
    outcome = LegStatus.UNFILLED if state.filled <= 0 else LegStatus.PARTIAL
    whole = state.filled > 0 and state.negligible(state.leg.quantity - state.filled)
    return replace(state, unknown=Decimal(0), outcome=LegStatus.FILLED if whole else outcome)


def _asked(state: LegState) -> Asked:
    step = state.pending
    if step is None:
        raise AssertionError("a leg with an order has a step")
    return Asked(state.leg.symbol, state.leg.side, step.quantity, step.order_type)


def _judged(state: LegState, report: BrokerOrder) -> Judgement:
    most = Decimal(0) if state.order is None else state.order.filled_quantity
    return judge(report, _asked(state), most)


def _resolve(state: LegState, order: BrokerOrder | None, now: datetime, settings: ExecutionSettings) -> Advance:
    if order is not None:
        judged = _judged(state, order)
        if judged.proof is Proof.CONTRADICTION:
            return _odd(state, judged, now, settings)
        found = replace(state, phase=LegPhase.WORKING, misses=0, sends=0, not_before=None)
        return _told(found, order, now, settings)
    pending = state.pending
    if pending is None or (state.not_before is not None and now < state.not_before):
        return state, ()
    if state.misses < settings.lookups:
        pause = timedelta(seconds=2.0**state.misses)
        state = replace(state, misses=state.misses + 1, not_before=now + pause)
        if state.misses < settings.lookups:
            return state, ()
    if state.stopping:
        return _lost(state, now), ()
    if state.sends >= _MAX_SENDS:
        reason = f"step {pending.number} was sent {state.sends} times without an answer and is not at the broker"
        return _done(replace(state, lost=True), LegStatus.FROZEN, reason, now, LegReason.NO_ANSWER), ()
    return replace(state, misses=0, sends=state.sends + 1, not_before=now + timedelta(seconds=1)), (Resend(pending),)


# Halted while the request was on its way:
#
#     send ──► (held by the network)                      ──► the broker accepts it
#          halt, look-up: not found, …, the run ends  ·  here the order may still come
#
# Not found is no end. The leg is done, and its order is unknown: it is kept among the loose orders, which the next
# delivery, the watch and the next run look up and cancel.
def _lost(state: LegState, now: datetime) -> LegState:
    reason = f"unknown: {state.stopping}; the order's request had no answer, and it may still reach the broker"
    return _done(replace(state, lost=True), LegStatus.FROZEN, reason, now, LegReason.NO_ANSWER)


def _told(state: LegState, report: BrokerOrder, now: datetime, settings: ExecutionSettings) -> Advance:
    """A report of the open order, weighed."""
    judged = _judged(state, report)
    if judged.proof is Proof.CONTRADICTION:
        return _odd(state, judged, now, settings)
    price = report.average_price or (state.order.average_price if state.order is not None else None)
    order = report.model_copy(update={"filled_quantity": judged.filled, "average_price": price})
    state = replace(state, order=order, odd_since=None)
    if judged.proof is Proof.OPEN:
        return _watch(state, None, now, settings)
    state = _ended(state, order, now, settings)
    return (state if judged.proof is Proof.FILLED else replace(state, walked=state.walked + 1)), ()


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


def _watch(state: LegState, prices: Prices | None, now: datetime, settings: ExecutionSettings) -> Advance:
    order = state.order
    if order is None:
        return state, ()
    if state.phase is LegPhase.CANCELLING:
        return _cancelling(state, order, now, settings)
    if order.status is OrderStatus.CANCELLING:
        return replace(state, phase=LegPhase.CANCELLING, since=now), ()
    state = replace(state, since=state.since or now)
    if state.stopping:
        return _cancel(state, order, now)
    if prices is None or not rested(state, now, settings):
        return state, ()
    market = market_of(prices, state.leg.price, now, settings)
    if not isinstance(market, BidAsk):
        return state, ()
    if _same_price(state, order, market, settings):
        return replace(state, since=now), ()
    return _cancel(state, order, now)


def _cancel(state: LegState, order: BrokerOrder, now: datetime) -> Advance:
    again = now + _CANCEL_AGAIN
    return replace(state, phase=LegPhase.CANCELLING, since=now, not_before=again), (Cancel(order.order_id),)


def _cancelling(state: LegState, order: BrokerOrder, now: datetime, settings: ExecutionSettings) -> Advance:
    """Wait for the end; ask again if the broker shows no sign of the cancel; give the symbol up in the end."""
    if now - (state.since or now) >= timedelta(seconds=settings.cancel_patience_seconds):
        reason = f"order {order.order_id} did not end within {settings.cancel_patience_seconds:.0f} s of its cancel"
        return frozen(state, reason, now)
    if order.status is OrderStatus.OPEN and (state.not_before is None or now >= state.not_before):
        return replace(state, not_before=now + _CANCEL_AGAIN), (Cancel(order.order_id),)
    return state, ()


def _same_price(state: LegState, order: BrokerOrder, market: BidAsk, settings: ExecutionSettings) -> bool:
    """Whether every step that is left would have the open order's limit: then it is better left where it is."""
    side, walk = state.leg.side, style_of(state.style).walk(settings)
    last = collared_limit(market.ask if side is Side.BUY else market.bid, side, settings.collar)
    left = [walk_limit(market, side, fraction) for fraction in walk[state.walked + 1 : -1]]
    return all(limit == order.order_type.limit_price for limit in (*left, last))


def _ended(state: LegState, order: BrokerOrder, now: datetime, settings: ExecutionSettings) -> LegState:
    """The order can fill no more, the broker says: count its fills; what is left waits for the position's word."""
    asked = state.phase is LegPhase.CANCELLING
    state = replace(
        state,
        chain=(*state.chain, order),
        order=None,
        phase=LegPhase.CHECKING,
        since=now,
        not_before=None,
        odd_since=None,
    )
    if order.status is OrderStatus.REPLACED:
        reason = f"order {order.order_id} was replaced by one that cannot be found"
        beyond = state.unknown + max((order.quantity or Decimal(0)) - order.filled_quantity, Decimal(0))
        return _done(replace(state, unknown=beyond), LegStatus.FROZEN, reason, now, LegReason.CONTRADICTION)
    if state.negligible(state.remaining):
        return _next(state, now)
    if state.stopping:
        return _done(state, LegStatus.UNFILLED, state.stopping, now, LegReason.STOPPED)
    if order.status in _ENDED_BY_TIME:
        reason = f"the broker ended the order: {order.status.value}"
        return _done(state, LegStatus.UNFILLED, reason, now, LegReason.BROKER_ENDED)
    if order.status is OrderStatus.REJECTED or (order.status is OrderStatus.CANCELLED and not asked):
        reason = f"the broker ended the order: {order.status.value}"
        return _withdrawn(state, reason, now, settings, LegReason.BROKER_ENDED)
    return state


def _next(state: LegState, now: datetime) -> LegState:
    """What follows once nothing is unknown: done, or held again if only the cash that was there was to be spent."""
    if not state.negligible(state.remaining):
        return state
    if state.for_now and not state.stopping and state.phase is not LegPhase.DONE:
        return replace(state, phase=LegPhase.HELD, intended=state.leg.quantity, for_now=False, short_since=None)
    return _done(state, LegStatus.FILLED, state.reason, now, state.cause)


def _rechecked(state: LegState, order: BrokerOrder | None, now: datetime, settings: ExecutionSettings) -> Advance:
    """All orders of the leg have ended, by one source; `order` is what the list shows under the last one's id."""
    if order is not None and all(known.order_id != order.order_id for known in state.chain):
        # It was refused, and is there all the same.
        return _told(replace(state, phase=LegPhase.WORKING, not_before=None), order, now, settings)
    if state.stopping:
        return _done(state, LegStatus.UNFILLED, state.stopping, now, LegReason.STOPPED), ()
    return state, ()


def _withdrawn(state: LegState, reason: str, now: datetime, settings: ExecutionSettings, cause: LegReason) -> LegState:
    """Somebody else ended the order: try again after a pause, a few times."""
    state = replace(state, refusals=state.refusals + 1, reason=reason)
    if state.refusals > settings.max_refusals:
        return _done(state, LegStatus.REFUSED, reason, now, cause)
    return replace(state, not_before=now + timedelta(seconds=settings.refusal_wait_seconds))


def _place(state: LegState, prices: Prices | None, now: datetime, settings: ExecutionSettings) -> Advance:
    if state.stopping:
        return _done(state, LegStatus.UNFILLED, state.stopping, now, LegReason.STOPPED), ()
    if state.negligible(state.remaining):
        return _next(state, now), ()
    if state.not_before is not None and now < state.not_before:
        return state, ()
    state = replace(state, started_at=state.started_at or now)
    market = market_of(prices, state.leg.price, now, settings)
    if isinstance(market, Unfit):
        return _quoteless(state, market, now, settings)
    chosen = state.style or style_for(market, settings)
    arrival = state.arrival_mid or market.mid
    return _ordered(replace(state, quoteless_since=None, style=chosen, arrival_mid=arrival), market, now, settings)


def _quoteless(state: LegState, market: Unfit, now: datetime, settings: ExecutionSettings) -> Advance:
    """Wait for a better quote for a while, then go by a verified last trade or give up, as configured."""
    since = state.quoteless_since or now
    state = replace(state, quoteless_since=since)
    if now - since < timedelta(seconds=settings.quote_patience_seconds):
        return state, ()
    if settings.without_quote is WithoutQuote.SKIP or market.trade is None:
        return _done(state, LegStatus.UNFILLED, market.detail, now, market.reason), ()
    return _ordered(state, market.trade, now, settings)


# What a buy may spend is what nobody else may need (`CashBudget.spendable`). If that is less than the step costs, it
# waits for what others bring, but not for ever: an order that never fills keeps its cash until the deadline.
#
#     short ──► cash coming: wait `cash_patience_seconds`, broker's cash behind its fills: wait `settle_seconds`
#           ──► then buy what there is cash for; the rest waits on while others are under way
def _ordered(state: LegState, market: BidAsk | Decimal, now: datetime, settings: ExecutionSettings) -> Advance:
    """The next step at the walk's price, or at a verified last trade's within the collar if there is no market."""
    side = state.leg.side
    far_side = market if isinstance(market, Decimal) else market.ask if side is Side.BUY else market.bid
    collared = collared_limit(far_side, side, settings.collar)
    quantity = min(state.remaining, state.leg.order_quantity or state.remaining)
    step = Step(state.steps + 1, quantity, LimitOrder(collared), collared)
    style = style_of(state.style)
    if isinstance(market, BidAsk) and style.at_market:
        step = replace(step, order_type=MarketOrder())
    elif isinstance(market, BidAsk):
        walk = style.walk(settings)
        state = _onward(state, market, walk)
        if state.walked < len(walk) - 1:
            step = _at_limit(step, walk_limit(market, side, walk[state.walked]))
    if side is Side.BUY and state.spendable is not None:
        affordable = _affordable(state, step, far_side, state.spendable)
        if affordable.quantity < step.quantity:
            state = replace(state, short_since=state.short_since or now)
            if now - (state.short_since or now) < _patience(state, settings):
                return state, ()
            if state.negligible(affordable.quantity):
                if state.cash_coming:
                    return state, ()
                reason = f"cut to {state.filled} shares: cash falls short"
                state = replace(state, intended=state.filled)
                return _done(state, LegStatus.UNFILLED, reason, now, LegReason.CASH_SHORT), ()
        step = affordable
    return replace(
        state,
        phase=LegPhase.SENT,
        pending=step,
        steps=step.number,
        since=now,
        misses=0,
        sends=1,
        not_before=None,
        short_since=None,
    ), (Place(step),)


def _patience(state: LegState, settings: ExecutionSettings) -> timedelta:
    if state.cash_coming:
        return timedelta(seconds=settings.cash_patience_seconds)
    return timedelta(seconds=settings.settle_seconds if state.cash_lags else 0)


def _at_limit(step: Step, price: Decimal) -> Step:
    return replace(step, order_type=LimitOrder(price), cost_price=price)


def _onward(state: LegState, market: BidAsk, walk: tuple[Decimal, ...]) -> LegState:
    """Past the steps whose limit, rounded to the tick, is the last order's: the same price again is no step."""
    before = state.pending.order_type.limit_price if state.pending else None
    walked = state.walked
    while walked < len(walk) - 1 and walk_limit(market, state.leg.side, walk[walked]) == before:
        walked += 1
    return replace(state, walked=walked)


def _affordable(state: LegState, step: Step, ask: Decimal, cash: Decimal) -> Step:
    """The step within `cash` USD: a limit (or a lower one) if it still takes the ask, else fewer shares."""
    if step.quantity * step.cost_price <= cash:
        return step
    lower = to_tick(max(cash, Decimal(0)) / step.quantity, Side.BUY)
    if ask <= lower < step.cost_price and lower * step.quantity <= cash:
        return _at_limit(step, lower)
    quantity = (max(cash, Decimal(0)) / step.cost_price).quantize(state.leg.step, rounding=ROUND_DOWN)
    return replace(step, quantity=quantity)


def _done(state: LegState, otherwise: LegStatus, reason: str, now: datetime, cause: LegReason | None) -> LegState:
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
