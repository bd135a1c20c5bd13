"""SmartExecution step by step, and the prices it uses."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from alchemiser_common.ids import Side
from alchemiser_common.messages.report import LegStatus
from alchemiser_common.ports.broker import LimitOrder, MarketOrder, OrderStatus, Quote
from alchemiser_common.settings import ExecutionSettings, ExecutionStyle, WithoutQuote
from alchemiser_trading.orders.legs import Action, Cancel, LegPhase, LegState, Place, start
from alchemiser_trading.orders.pricing import BidAsk, collared_limit, sane, to_tick, walk_limit
from alchemiser_trading.orders.smart_execution import advance, release, stop
from alchemiser_trading.orders.styles import style_for
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


@pytest.mark.parametrize(
    ("quantity", "fractionable", "full_exit", "negligible"),
    [
        ("0.5", False, False, True),
        ("0.5", False, True, True),
        ("1", False, False, False),
        ("0.009", True, False, True),
        ("0.01", True, False, False),
        ("0.000000001", True, True, False),
        ("0", True, True, True),
    ],
)
def test_what_is_too_little_to_order(quantity: str, *, fractionable: bool, full_exit: bool, negligible: bool) -> None:
    state = start(leg(fractionable=fractionable, full_exit=full_exit))
    assert state.negligible(Decimal(quantity)) is negligible


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


@pytest.mark.parametrize(
    ("bid", "ask", "age", "fault"),
    [
        ("107", "0", 0, "empty"),
        ("0", "107", 0, "empty"),
        ("-1", "1", 0, "empty"),
        ("101", "100", 0, "crossed"),
        ("99", "101", 61, "old"),
        ("99", "101", -6, "old"),
        ("90", "110", 0, "spread"),
        ("50", "50.01", 0, "from the last trade"),
    ],
)
def test_a_bad_quote_never_becomes_a_price(bid: str, ask: str, age: int, fault: str) -> None:
    quote = Quote(symbol="AAA", bid=Decimal(bid), ask=Decimal(ask), at=SCHEDULED - timedelta(seconds=age))
    verdict = sane(quote, Decimal(100), SCHEDULED, RULES)
    assert isinstance(verdict, str)
    assert fault in verdict


@pytest.mark.parametrize(
    ("bid", "ask", "age", "reference"),
    [
        ("100", "100", 0, "100"),
        ("99", "101", 60, "100"),
        ("99", "101", -5, "100"),
        ("97.5", "102.5", 0, "100"),
        ("114", "116", 0, "100"),
        ("84", "86", 0, "100"),
        ("0.50", "0.51", 0, "0.50"),
    ],
    ids=["locked", "just fresh", "just ahead", "just narrow", "just near above", "just near below", "cheap"],
)
def test_a_quote_on_the_edge_is_a_market(bid: str, ask: str, age: int, reference: str) -> None:
    quote = Quote(symbol="AAA", bid=Decimal(bid), ask=Decimal(ask), at=SCHEDULED - timedelta(seconds=age))
    assert sane(quote, Decimal(reference), SCHEDULED, RULES) == BidAsk(Decimal(bid), Decimal(ask))


@pytest.mark.parametrize(
    ("price", "side", "expected"),
    [
        ("10.019", Side.BUY, "10.01"),
        ("10.011", Side.SELL, "10.02"),
        ("0.12349", Side.BUY, "0.1234"),
        ("0.12341", Side.SELL, "0.1235"),
        ("0.00001", Side.BUY, "0.0001"),
    ],
)
def test_limits_are_on_the_tick_and_on_the_passive_side(price: str, side: Side, expected: str) -> None:
    assert to_tick(Decimal(price), side) == Decimal(expected)


def test_the_walk_and_the_collar() -> None:
    market = BidAsk(Decimal("99.90"), Decimal("100.10"))
    assert walk_limit(market, Side.BUY, Decimal("0.75")) == Decimal("100.05")
    assert walk_limit(market, Side.SELL, Decimal("0.75")) == Decimal("99.95")
    assert collared_limit(market.ask, Side.BUY, Decimal("0.01")) == Decimal("101.10")
    assert collared_limit(market.bid, Side.SELL, Decimal("0.01")) == Decimal("98.91")


def test_the_spread_decides_the_style() -> None:
    rules = ExecutionSettings(tight_style=ExecutionStyle.MARKET)
    assert style_for(BidAsk(Decimal("100.00"), Decimal("100.01")), rules) is ExecutionStyle.MARKET
    assert style_for(BidAsk(Decimal("99.90"), Decimal("100.10")), rules) is ExecutionStyle.LIMIT_WALK
    assert style_for(BidAsk(Decimal(99), Decimal(101)), rules) is ExecutionStyle.PATIENT
    assert style_for(BidAsk(Decimal("99.975"), Decimal("100.025")), rules) is ExecutionStyle.MARKET, "just tight"
    assert style_for(BidAsk(Decimal("99.80"), Decimal("100.20")), rules) is ExecutionStyle.PATIENT, "just wide"
