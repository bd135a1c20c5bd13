"""SmartExecution: works one leg through the spread. `advance` is pure: time, prices and order come in, actions go out.

Holds at all times: one open order at most; no next order before the last one has ended by two sources' word; ordered
quantity = intended minus all that may have been filled; nothing new once stopping.
"""

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import ROUND_DOWN, Decimal

from alchemiser_common.ids import Side
from alchemiser_common.messages.reasons import LegReason
from alchemiser_common.messages.report import LegStatus
from alchemiser_common.ports.broker import BrokerOrder, LimitOrder, MarketOrder
from alchemiser_common.settings import ExecutionSettings, WithoutQuote
from alchemiser_trading.orders.leg_ends import Advance, done, next_or_done
from alchemiser_trading.orders.legs import LegPhase, LegState, Place, Step
from alchemiser_trading.orders.order_watch import rechecked, resolve, told, watch
from alchemiser_trading.orders.pricing import BidAsk, Prices, Unfit, collared_limit, market_of, to_tick, walk_limit
from alchemiser_trading.orders.styles import style_for, style_of


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
            return resolve(state, order, now, settings)
        case LegPhase.WORKING | LegPhase.CANCELLING:
            return _at_work(state, prices, order, now, settings)
        case LegPhase.READY:
            return _place(state, prices, now, settings)
        case LegPhase.CHECKING:
            return rechecked(state, order, now, settings)
        case LegPhase.HELD if state.stopping:
            return done(state, LegStatus.UNFILLED, state.stopping, now, LegReason.STOPPED), ()
    return state, ()


def _at_work(
    state: LegState, prices: Prices | None, order: BrokerOrder | None, now: datetime, settings: ExecutionSettings
) -> Advance:
    if order is not None:
        state, actions = told(state, order, now, settings)
        return (state, actions) if actions or prices is None else watch(state, prices, now, settings)
    if state.order is None and prices is None:
        # Taken up from a journal, and the broker does not show it any more: it has to be found first.
        return resolve(replace(state, phase=LegPhase.SENT), None, now, settings)
    return watch(state, prices, now, settings)


def stop(state: LegState, reason: str) -> LegState:
    """From now on the leg sends nothing new and cancels what is open; the first reason stays."""
    return state if state.stopping or state.phase is LegPhase.DONE else replace(state, stopping=reason)


def release(state: LegState, quantity: Decimal, reason: str = "") -> LegState:
    """Let a held buy begin, for `quantity` shares in all; with a reason, they are fewer for want of cash."""
    cause = LegReason.CASH_SHORT if reason else None
    return replace(state, phase=LegPhase.READY, intended=quantity, reason=reason, cause=cause, short_since=None)


def _place(state: LegState, prices: Prices | None, now: datetime, settings: ExecutionSettings) -> Advance:
    if state.stopping:
        return done(state, LegStatus.UNFILLED, state.stopping, now, LegReason.STOPPED), ()
    if state.negligible(state.remaining):
        return next_or_done(state, now), ()
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
        return done(state, LegStatus.UNFILLED, market.detail, now, market.reason), ()
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
                return done(state, LegStatus.UNFILLED, reason, now, LegReason.CASH_SHORT), ()
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
        affordable=None,
        turned_away=False,
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
