"""SmartExecution step by step, and the prices it uses."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from alchemiser_common.ids import Side
from alchemiser_common.messages.reasons import LegReason
from alchemiser_common.messages.report import LegStatus
from alchemiser_common.ports.broker import BrokerOrder, LimitOrder, MarketOrder, OrderStatus, Trade
from alchemiser_common.settings import ExecutionSettings, ExecutionStyle, WithoutQuote
from alchemiser_trading.orders.legs import Action, Cancel, LegPhase, LegState, Place, Step, start
from alchemiser_trading.orders.pricing import Prices
from alchemiser_trading.orders.smart_execution import advance, release, stop
from support.legs import QUOTE, at, confirmed, fresh, leg, order
from support.messages import SCHEDULED

RULES = ExecutionSettings()


def placed(state: LegState, seconds: float = 0, rules: ExecutionSettings = RULES) -> tuple[LegState, Place]:
    state, actions = advance(state, fresh(seconds), None, at(seconds), rules)
    (action,) = actions
    assert isinstance(action, Place)
    return state, action


def reported(step: Step, status: OrderStatus, filled: str = "0") -> BrokerOrder:
    return order(step.number, step.quantity, status, filled, step.order_type)


def test_it_walks_from_mid_to_the_far_side_and_then_through_it_and_stays_there() -> None:
    state, limits, seconds = start(leg()), [], 0.0
    for last in (False, False, False, True):
        state, action = placed(state, seconds)
        limits.append(action.step.order_type.limit_price)
        state, _ = advance(state, None, reported(action.step, OrderStatus.OPEN), at(seconds), RULES)
        seconds += 11
        state, actions = advance(state, None, reported(action.step, OrderStatus.OPEN), at(seconds), RULES)
        assert actions == (), "without prices there is no better one"
        state, actions = advance(state, fresh(seconds), None, at(seconds), RULES)
        assert actions == (() if last else (Cancel(f"order-{action.step.number}"),))
        if not last:
            state, _ = advance(state, None, reported(action.step, OrderStatus.CANCELLED), at(seconds), RULES)
            assert state.phase is LegPhase.CHECKING
            assert advance(state, fresh(seconds), None, at(seconds), RULES) == (state, ()), "nothing confirms the end"
            state = confirmed(state, seconds)
    assert limits == [Decimal(text) for text in ("100.00", "99.95", "99.92", "98.91")]
    away = {"bid": Decimal("98.50"), "ask": Decimal("98.70"), "at": at(seconds + 11)}
    moved = Prices(QUOTE.model_copy(update=away))
    assert advance(state, moved, None, at(seconds + 11), RULES)[1] == (Cancel("order-4"),), "the market moved away"


def test_after_a_partial_fill_only_the_rest_is_ordered() -> None:
    state, first = placed(start(leg()))
    state, _ = advance(state, None, reported(first.step, OrderStatus.OPEN, "4"), SCHEDULED, RULES)
    state, _ = advance(state, fresh(11), reported(first.step, OrderStatus.OPEN, "4"), at(11), RULES)
    state, _ = advance(state, None, reported(first.step, OrderStatus.CANCELLED, "7"), at(11), RULES)
    _, second = placed(confirmed(state, 12), 12)
    assert second.step.quantity == Decimal(3)
    assert second.step.number == 2


@pytest.mark.parametrize(
    ("status", "filled", "outcome"),
    [
        (OrderStatus.FILLED, "10", LegStatus.FILLED),
        (OrderStatus.EXPIRED, "0", LegStatus.UNFILLED),
        (OrderStatus.EXPIRED, "4", LegStatus.PARTIAL),
        (OrderStatus.DONE_FOR_DAY, "4", LegStatus.PARTIAL),
        (OrderStatus.REPLACED, "4", LegStatus.FROZEN),
        (OrderStatus.REJECTED, "0", None),
        (OrderStatus.CANCELLED, "4", None),
    ],
)
def test_how_an_order_ends_decides_what_comes_next(status: OrderStatus, filled: str, outcome: LegStatus | None) -> None:
    state, first = placed(start(leg()))
    state, actions = advance(state, None, reported(first.step, status, filled), SCHEDULED, RULES)
    assert state.outcome is outcome
    assert actions == ()
    if outcome is None:
        assert state.phase is LegPhase.CHECKING
        state = confirmed(state, 0)
        assert state.phase is LegPhase.READY
        assert advance(state, Prices(QUOTE), None, SCHEDULED, RULES)[1] == (), "it must pause first"


def test_a_leg_that_is_rejected_again_and_again_gives_up() -> None:
    state, seconds = start(leg()), 0.0
    for _ in range(RULES.max_refusals + 1):
        state, action = placed(confirmed(state, seconds), seconds)
        state, _ = advance(state, None, reported(action.step, OrderStatus.REJECTED), at(seconds), RULES)
        seconds += RULES.refusal_wait_seconds + 1
    assert (state.outcome, state.cause) == (LegStatus.REFUSED, LegReason.BROKER_ENDED)


def test_an_order_that_nobody_knows_is_looked_up_and_then_sent_again_under_its_id() -> None:
    state, first = placed(start(leg()))
    sent: list[Action] = []
    for second in range(60):
        state, actions = advance(state, None, None, SCHEDULED + timedelta(seconds=second), RULES)
        sent.extend(actions)
    assert sent
    assert {action.step for action in sent if not isinstance(action, Cancel)} == {first.step}
    assert len(sent) <= 3, "it must not be sent without end"


def test_once_stopped_an_absent_order_is_not_sent_again() -> None:
    state, _ = placed(start(leg()))
    state = stop(state, "deadline")
    for second in range(60):
        state, actions = advance(state, None, None, SCHEDULED + timedelta(seconds=second), RULES)
        assert actions == ()
    assert (state.phase, state.outcome, state.cause) == (LegPhase.DONE, LegStatus.FROZEN, LegReason.NO_ANSWER)
    assert "deadline" in state.reason
    assert state.lost
    assert (state.filled, state.unsettled) == (Decimal(0), Decimal(10)), "the request may still arrive"


def test_a_cancel_that_never_ends_freezes_the_symbol() -> None:
    state, first = placed(start(leg()))
    state, _ = advance(state, None, reported(first.step, OrderStatus.OPEN), SCHEDULED, RULES)
    stuck = reported(first.step, OrderStatus.CANCELLING, "2")
    for second in (11, 20, 40, 60):
        state, actions = advance(state, None, stuck, at(second), RULES)
        assert (state.outcome, actions) == (None, ())
    state, actions = advance(state, None, stuck, at(75), RULES)
    assert (state.outcome, actions) == (LegStatus.FROZEN, (Cancel("order-1"),)), "it is asked once more"
    assert (state.filled, state.unsettled) == (Decimal(2), Decimal(8))


def test_a_buy_lowers_its_limit_to_what_cash_allows_and_then_its_quantity() -> None:
    buy = replace(release(start(leg(Side.BUY)), Decimal(10)), walked=3)
    _, exact = placed(replace(buy, spendable=Decimal(1005)))
    assert exact.step.order_type == LimitOrder(Decimal("100.50"))
    assert exact.step.quantity == Decimal(10)
    short = replace(buy, spendable=Decimal(500), cash_lags=True)
    state, actions = advance(short, Prices(QUOTE), None, SCHEDULED, RULES)
    assert actions == (), "it waits for cash that may be on its way"
    _, less = placed(state, RULES.settle_seconds + 1)
    assert less.step.quantity * less.step.cost_price <= Decimal(500)


def test_a_short_buy_waits_for_other_legs_and_for_cash_that_lags_but_not_for_nothing() -> None:
    short = replace(release(start(leg(Side.BUY)), Decimal(10)), spendable=Decimal(500))
    waiting, actions = advance(replace(short, cash_coming=True), Prices(QUOTE), None, SCHEDULED, RULES)
    assert actions == ()
    patience = RULES.cash_patience_seconds
    assert advance(waiting, fresh(patience - 1), None, at(patience - 1), RULES)[1] == (), "others are still under way"
    _, part = placed(waiting, patience)
    assert part.step.quantity < Decimal(10), "what there is cash for"
    _, now_or_never = placed(short)
    assert now_or_never.step.quantity < Decimal(10)


def test_a_market_order_that_cash_just_covers_becomes_a_limit() -> None:
    rules = ExecutionSettings(normal_style=ExecutionStyle.MARKET)
    buy = replace(release(start(leg(Side.BUY)), Decimal(10)), spendable=Decimal(1005))
    _, action = placed(buy, rules=rules)
    assert (action.step.order_type, action.step.quantity) == (LimitOrder(Decimal("100.50")), Decimal(10))


def test_a_pause_ends_when_it_says() -> None:
    pausing = replace(start(leg()), not_before=SCHEDULED + timedelta(seconds=5))
    assert advance(pausing, fresh(4.9), None, at(4.9), RULES)[1] == ()
    assert advance(pausing, fresh(5), None, at(5), RULES)[1] != ()


def test_without_a_fit_quote_it_goes_by_the_last_trade_or_gives_up() -> None:
    crossed = Prices(
        QUOTE.model_copy(update={"bid": Decimal(101)}), Trade(symbol="AAA", price=Decimal(100), at=SCHEDULED)
    )
    waiting, actions = advance(start(leg()), crossed, None, SCHEDULED, RULES)
    assert actions == ()
    later = SCHEDULED + timedelta(seconds=RULES.quote_patience_seconds)
    _, (action,) = advance(waiting, crossed, None, later, RULES)
    assert isinstance(action, Place)
    assert action.step.order_type == LimitOrder(Decimal("99.00")), "the collar around the last trade"
    skip = ExecutionSettings(without_quote=WithoutQuote.SKIP)
    gone, actions = advance(waiting, crossed, None, later, skip)
    assert (gone.outcome, actions) == (LegStatus.UNFILLED, ())


def test_market_style_sends_one_market_order_and_lets_it_be() -> None:
    rules = ExecutionSettings(normal_style=ExecutionStyle.MARKET)
    state, action = placed(start(leg()), rules=rules)
    assert action.step.order_type == MarketOrder()
    later = SCHEDULED + timedelta(hours=1)
    state, actions = advance(state, None, reported(action.step, OrderStatus.OPEN), later, rules)
    assert actions == ()
    assert state.phase is LegPhase.WORKING
