"""SmartExecution step by step, and the prices it uses."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from alchemiser_common.ids import Side
from alchemiser_common.messages.report import LegStatus
from alchemiser_common.ports.broker import LimitOrder, MarketOrder, OrderStatus
from alchemiser_common.settings import ExecutionSettings, ExecutionStyle, WithoutQuote
from alchemiser_trading.orders.legs import Action, Cancel, LegPhase, LegState, Place, start
from alchemiser_trading.orders.smart_execution import advance, release, stop
from support.legs import QUOTE, fresh, leg, order
from support.messages import SCHEDULED

RULES = ExecutionSettings()


def placed(state: LegState, at: float = 0, rules: ExecutionSettings = RULES) -> tuple[LegState, Place]:
    state, actions = advance(state, fresh(at), None, SCHEDULED + timedelta(seconds=at), rules)
    (action,) = actions
    assert isinstance(action, Place)
    return state, action


def test_it_walks_from_mid_to_the_far_side_and_then_through_it() -> None:
    state, limits, at = start(leg()), [], 0.0
    for _ in range(5):
        state, action = placed(state, at)
        limits.append(action.step.order_type.limit_price)
        number, quantity = action.step.number, action.step.quantity
        state, _ = advance(state, None, order(number, quantity, OrderStatus.OPEN), SCHEDULED, RULES)
        at += 11
        late = SCHEDULED + timedelta(seconds=at)
        state, actions = advance(state, None, order(number, quantity, OrderStatus.OPEN), late, RULES)
        assert actions == (Cancel(f"order-{number}"),)
        state, _ = advance(state, None, order(number, quantity, OrderStatus.CANCELLED), late, RULES)
    assert limits == [Decimal(text) for text in ("100.00", "99.95", "99.92", "98.91", "98.91")]


def test_after_a_partial_fill_only_the_rest_is_ordered() -> None:
    state, first = placed(start(leg()))
    state, _ = advance(state, None, order(1, first.step.quantity, OrderStatus.OPEN, "4"), SCHEDULED, RULES)
    at = SCHEDULED + timedelta(seconds=11)
    state, _ = advance(state, None, order(1, first.step.quantity, OrderStatus.OPEN, "4"), at, RULES)
    state, _ = advance(state, None, order(1, first.step.quantity, OrderStatus.CANCELLED, "7"), at, RULES)
    _, second = placed(state, 12)
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
    state, actions = advance(state, None, order(1, first.step.quantity, status, filled), SCHEDULED, RULES)
    assert state.outcome is outcome
    assert actions == ()
    if outcome is None:
        assert state.phase is LegPhase.READY
        assert advance(state, QUOTE, None, SCHEDULED, RULES)[1] == (), "it must pause first"


def test_a_leg_that_is_rejected_again_and_again_gives_up() -> None:
    state, at = start(leg()), 0.0
    for _ in range(RULES.max_refusals + 1):
        state, action = placed(state, at)
        ended = order(action.step.number, action.step.quantity, OrderStatus.REJECTED)
        state, _ = advance(state, None, ended, SCHEDULED + timedelta(seconds=at), RULES)
        at += RULES.refusal_wait_seconds + 1
    assert state.outcome is LegStatus.REFUSED


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
    assert state.phase is LegPhase.DONE
    assert state.reason == "deadline"


def test_a_cancel_that_never_ends_freezes_the_symbol() -> None:
    state, first = placed(start(leg()))
    working = order(1, first.step.quantity, OrderStatus.OPEN)
    state, _ = advance(state, None, working, SCHEDULED, RULES)
    stuck = order(1, first.step.quantity, OrderStatus.CANCELLING, "2")
    for second in (11, 20, 40, 60, 75):
        state, _ = advance(state, None, stuck, SCHEDULED + timedelta(seconds=second), RULES)
    assert state.outcome is LegStatus.FROZEN
    assert state.filled == Decimal(2)


def test_a_buy_lowers_its_limit_to_what_cash_allows_and_then_its_quantity() -> None:
    buy = replace(release(start(leg(Side.BUY)), Decimal(10)), walked=3)
    _, exact = placed(replace(buy, spendable=Decimal(1005)))
    assert exact.step.order_type == LimitOrder(Decimal("100.50"))
    assert exact.step.quantity == Decimal(10)
    short = replace(buy, spendable=Decimal(500), cash_lags=True)
    state, actions = advance(short, QUOTE, None, SCHEDULED, RULES)
    assert actions == (), "it waits for cash that may be on its way"
    _, less = placed(state, RULES.settle_seconds + 1)
    assert less.step.quantity * less.step.cost_price <= Decimal(500)


def test_a_short_buy_waits_for_other_legs_and_for_cash_that_lags_but_not_for_nothing() -> None:
    short = replace(release(start(leg(Side.BUY)), Decimal(10)), spendable=Decimal(500))
    much_later = SCHEDULED + timedelta(hours=1)
    late = QUOTE.model_copy(update={"at": much_later})
    waiting, actions = advance(replace(short, cash_coming=True), QUOTE, None, SCHEDULED, RULES)
    assert actions == ()
    assert advance(waiting, late, None, much_later, RULES)[1] == (), "others are still under way"
    _, now_or_never = placed(short)
    assert now_or_never.step.quantity < Decimal(10)


def test_a_market_order_that_cash_just_covers_becomes_a_limit() -> None:
    rules = ExecutionSettings(normal_style=ExecutionStyle.MARKET)
    buy = replace(release(start(leg(Side.BUY)), Decimal(10)), spendable=Decimal(1005))
    _, action = placed(buy, rules=rules)
    assert (action.step.order_type, action.step.quantity) == (LimitOrder(Decimal("100.50")), Decimal(10))


def test_a_pause_ends_when_it_says() -> None:
    pausing = replace(start(leg()), not_before=SCHEDULED + timedelta(seconds=5))
    assert advance(pausing, fresh(4.9), None, SCHEDULED + timedelta(seconds=4.9), RULES)[1] == ()
    assert advance(pausing, fresh(5), None, SCHEDULED + timedelta(seconds=5), RULES)[1] != ()


def test_without_a_fit_quote_it_goes_by_the_last_trade_or_gives_up() -> None:
    crossed = QUOTE.model_copy(update={"bid": Decimal(101)})
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
    state, actions = advance(state, None, order(1, action.step.quantity, OrderStatus.OPEN), later, rules)
    assert actions == ()
    assert state.phase is LegPhase.WORKING
