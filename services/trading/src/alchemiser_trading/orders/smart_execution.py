"""SmartExecution: works one leg through the spread. `advance` is pure: time, quote and order come in, actions go out.

Holds at all times: one open order at most; no next order before the last one has ended; ordered quantity = intended
minus the fills the broker reports; nothing new once stopping.
"""

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import ROUND_DOWN, Decimal

from alchemiser_common.errors import BrokerRefused
from alchemiser_common.ids import Side
from alchemiser_common.messages.report import LegStatus
from alchemiser_common.ports.broker import BrokerOrder, LimitOrder, MarketOrder, OrderStatus, Quote
from alchemiser_common.settings import ExecutionSettings, WithoutQuote
from alchemiser_trading.orders.legs import Action, Cancel, LegPhase, LegState, Place, Resend, Step
from alchemiser_trading.orders.pricing import BidAsk, collared_limit, sane, to_tick, walk_limit
from alchemiser_trading.orders.styles import style_for, style_of

_CANCEL_AGAIN = timedelta(seconds=10)
_MAX_SENDS = 4

type Advance = tuple[LegState, tuple[Action, ...]]


def advance(
    state: LegState, quote: Quote | None, order: BrokerOrder | None, now: datetime, settings: ExecutionSettings
) -> Advance:
    """What to do next.

    `order` is the newest report of the leg's order; for a leg in SENT, None means that the broker was asked and does
    not know the id. Calling it again with nothing new does nothing new.
    """
    match state.phase:
        case LegPhase.SENT:
            return _resolve(state, order, now, settings)
        case LegPhase.WORKING | LegPhase.CANCELLING:
            return _watch(_seen(state, order), now, settings)
        case LegPhase.READY:
            return _place(state, quote, now, settings)
        case LegPhase.HELD if state.stopping:
            return _done(state, LegStatus.UNFILLED, state.stopping, now), ()
        case _:
            return state, ()


def stop(state: LegState, reason: str) -> LegState:
    """From now on the leg sends nothing new and cancels what is open; the first reason stays."""
    return state if state.stopping or state.phase is LegPhase.DONE else replace(state, stopping=reason)


def release(state: LegState, quantity: Decimal, reason: str = "") -> LegState:
    """Let a held buy begin, for `quantity` shares."""
    return replace(state, phase=LegPhase.READY, intended=quantity, reason=reason)


def refused(state: LegState, error: BrokerRefused, now: datetime, settings: ExecutionSettings) -> LegState:
    """The broker said no to the step that was just sent; nothing of it is there."""
    state = replace(state, phase=LegPhase.READY, since=now, misses=0)
    if not error.may_pass:
        return _done(state, LegStatus.REFUSED, str(error), now)
    return _withdrawn(state, str(error), now, settings)


def throttled(state: LegState, now: datetime, settings: ExecutionSettings) -> LegState:
    """The broker surely did not look at the request: send it again after a pause, without look-ups."""
    pause = timedelta(seconds=settings.refusal_wait_seconds)
    return replace(state, misses=settings.lookups, sends=max(state.sends - 1, 0), not_before=now + pause)


def abandoned(state: LegState, reason: str, now: datetime) -> LegState:
    """Nothing is known of the leg's order any more: leave the symbol alone."""
    return _done(state, LegStatus.FROZEN, reason, now)


def _resolve(state: LegState, order: BrokerOrder | None, now: datetime, settings: ExecutionSettings) -> Advance:
    if order is not None:
        found = replace(state, phase=LegPhase.WORKING, misses=0, sends=0, not_before=None)
        return _watch(_seen(found, order), now, settings)
    pending = state.pending
    if pending is None or (state.not_before is not None and now < state.not_before):
        return state, ()
    if state.misses < settings.lookups:
        pause = timedelta(seconds=2.0**state.misses)
        state = replace(state, misses=state.misses + 1, not_before=now + pause)
        if state.misses < settings.lookups:
            return state, ()
    if state.stopping:
        return _done(state, LegStatus.UNFILLED, state.stopping, now), ()
    if state.sends >= _MAX_SENDS:
        reason = f"step {pending.number} was sent {state.sends} times without an answer and is not at the broker"
        return abandoned(state, reason, now), ()
    return replace(state, misses=0, sends=state.sends + 1, not_before=now + timedelta(seconds=1)), (Resend(pending),)


def _seen(state: LegState, order: BrokerOrder | None) -> LegState:
    """The newer of two reports: a report that lags behind takes no fill and no end back."""
    known = state.order
    if order is None:
        return state
    if known is not None and (known.status.terminal or order.filled_quantity < known.filled_quantity):
        return state
    return replace(state, order=order)


def _watch(state: LegState, now: datetime, settings: ExecutionSettings) -> Advance:
    order = state.order
    if order is None:
        return state, ()
    if order.status.terminal:
        return _ended(state, order, now, settings), ()
    if state.phase is LegPhase.CANCELLING:
        return _cancelling(state, order, now, settings)
    if order.status is OrderStatus.CANCELLING:
        return replace(state, phase=LegPhase.CANCELLING, since=now), ()
    since = state.since or now
    if state.stopping or _rested(state, now - since, settings):
        again = now + _CANCEL_AGAIN
        return replace(state, phase=LegPhase.CANCELLING, since=now, not_before=again), (Cancel(order.order_id),)
    return replace(state, since=since), ()


def _cancelling(state: LegState, order: BrokerOrder, now: datetime, settings: ExecutionSettings) -> Advance:
    """Wait for the end; ask again if the broker shows no sign of the cancel; give the symbol up in the end."""
    if now - (state.since or now) >= timedelta(seconds=settings.cancel_patience_seconds):
        reason = f"order {order.order_id} did not end within {settings.cancel_patience_seconds:.0f} s of its cancel"
        return abandoned(state, reason, now), ()
    if order.status is OrderStatus.OPEN and (state.not_before is None or now >= state.not_before):
        return replace(state, not_before=now + _CANCEL_AGAIN), (Cancel(order.order_id),)
    return state, ()


def _rested(state: LegState, rest: timedelta, settings: ExecutionSettings) -> bool:
    """Whether the open order has had its time, and there is a next step to take."""
    seconds = style_of(state.style).rest_seconds(settings)
    return seconds is not None and state.steps < settings.max_steps and rest >= timedelta(seconds=seconds)


def _ended(state: LegState, order: BrokerOrder, now: datetime, settings: ExecutionSettings) -> LegState:
    """The order can fill no more: count its fills; what is left waits for the next step, made from fresh cash."""
    asked = state.phase is LegPhase.CANCELLING
    state = replace(state, chain=(*state.chain, order), order=None, phase=LegPhase.READY, since=now, not_before=None)
    if order.status is OrderStatus.REPLACED:
        return abandoned(state, f"order {order.order_id} was replaced by one that cannot be found", now)
    if state.negligible(state.remaining):
        return _done(state, LegStatus.FILLED, state.reason, now)
    if state.stopping:
        return _done(state, LegStatus.UNFILLED, state.stopping, now)
    if order.status in {OrderStatus.EXPIRED, OrderStatus.DONE_FOR_DAY}:
        return _done(state, LegStatus.UNFILLED, f"the broker ended the order: {order.status.value}", now)
    if order.status is OrderStatus.REJECTED or (order.status is OrderStatus.CANCELLED and not asked):
        return _withdrawn(state, f"the broker ended the order: {order.status.value}", now, settings)
    return replace(state, walked=state.walked + 1)


def _withdrawn(state: LegState, reason: str, now: datetime, settings: ExecutionSettings) -> LegState:
    """Somebody else ended the order: try again after a pause, a few times."""
    state = replace(state, refusals=state.refusals + 1, reason=reason)
    if state.refusals > settings.max_refusals:
        return _done(state, LegStatus.REFUSED, reason, now)
    return replace(state, not_before=now + timedelta(seconds=settings.refusal_wait_seconds))


def _place(state: LegState, quote: Quote | None, now: datetime, settings: ExecutionSettings) -> Advance:
    if state.stopping:
        return _done(state, LegStatus.UNFILLED, state.stopping, now), ()
    if state.negligible(state.remaining):
        return _done(state, LegStatus.FILLED, state.reason, now), ()
    if state.not_before is not None and now < state.not_before:
        return state, ()
    state = replace(state, started_at=state.started_at or now)
    market = sane(quote, state.leg.price, now, settings)
    if isinstance(market, str):
        return _quoteless(state, market, now, settings)
    chosen = state.style or style_for(market, settings)
    arrival = state.arrival_mid or market.mid
    return _ordered(replace(state, quoteless_since=None, style=chosen, arrival_mid=arrival), market, now, settings)


def _quoteless(state: LegState, fault: str, now: datetime, settings: ExecutionSettings) -> Advance:
    """Wait for a better quote for a while, then go by the last trade or give up, as configured."""
    since = state.quoteless_since or now
    state = replace(state, quoteless_since=since)
    if now - since < timedelta(seconds=settings.quote_patience_seconds):
        return state, ()
    if settings.without_quote is WithoutQuote.SKIP:
        return _done(state, LegStatus.UNFILLED, f"quote not fit to trade on: {fault}", now), ()
    return _ordered(state, None, now, settings)


def _ordered(state: LegState, market: BidAsk | None, now: datetime, settings: ExecutionSettings) -> Advance:
    """The next step at the walk's price, or at the last trade's within the collar if there is no market."""
    side = state.leg.side
    far_side = state.leg.price if market is None else market.ask if side is Side.BUY else market.bid
    collared = collared_limit(far_side, side, settings.collar)
    step = Step(state.steps + 1, state.remaining, LimitOrder(collared), collared)
    style = style_of(state.style)
    if market is not None and style.at_market:
        step = replace(step, order_type=MarketOrder())
    elif market is not None:
        walk = style.walk(settings)
        state = _onward(state, market, walk)
        if state.walked < len(walk) - 1:
            step = _at_limit(step, walk_limit(market, side, walk[state.walked]))
    if side is Side.BUY and state.spendable is not None:
        affordable = _affordable(state, step, far_side, state.spendable)
        if affordable.quantity < step.quantity:
            state = replace(state, short_since=None if state.cash_coming else state.short_since or now)
            waited = now - (state.short_since or now)
            if state.cash_coming or (state.cash_lags and waited < timedelta(seconds=settings.settle_seconds)):
                return state, ()
            if state.negligible(affordable.quantity):
                reason = f"cut to {state.filled} shares: cash falls short"
                return _done(replace(state, intended=state.filled), LegStatus.UNFILLED, reason, now), ()
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


def _done(state: LegState, otherwise: LegStatus, reason: str, now: datetime) -> LegState:
    """The leg ends: filled if nothing orderable is left of the plan, partial if something is filled."""
    if otherwise is LegStatus.FROZEN:
        outcome = LegStatus.FROZEN
    elif state.filled > 0 and state.negligible(state.leg.quantity - state.filled):
        outcome, reason = LegStatus.FILLED, ""
    elif state.filled > 0:
        outcome = LegStatus.PARTIAL
    else:
        outcome = LegStatus.UNFILLED if otherwise is LegStatus.FILLED else otherwise
    return replace(state, phase=LegPhase.DONE, outcome=outcome, reason=reason, ended_at=now)
