"""The plan: rules as tables, invariants as properties."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alchemiser_common.errors import DecisionRefused, LimitBreached
from alchemiser_common.ids import Side
from alchemiser_common.messages.decision import StrategyShare, Target
from alchemiser_common.messages.snapshot import Account, Position
from alchemiser_common.ports.broker import Asset
from alchemiser_common.settings import TradingSettings
from alchemiser_trading.limits import check_limits
from alchemiser_trading.plan import Plan, make_plan
from support.messages import ACCOUNT, SCHEDULED, make_decision

SETTINGS = TradingSettings()
LETTERS = ("AAA", "BBB", "CCC", "DDD", "EEE")


def account(cash: str, equity: str) -> Account:
    return ACCOUNT.model_copy(update={"cash": Decimal(cash), "equity": Decimal(equity), "last_equity": Decimal(equity)})


def position(symbol: str, quantity: str, price: str, available: str | None = None) -> Position:
    held = Decimal(quantity)
    return Position(
        symbol=symbol,
        quantity=held,
        available=Decimal(available) if available is not None else held,
        market_value=held * Decimal(price),
        price=Decimal(price),
        average_entry_price=Decimal(price),
    )


def target(symbol: str, weight: float) -> Target:
    return Target(symbol=symbol, weight=weight, shares=(StrategyShare(strategy="only", weight=weight),))


def planned(
    targets: dict[str, float],
    *,
    cash: str,
    positions: tuple[Position, ...] = (),
    prices: dict[str, str] | None = None,
    whole: frozenset[str] = frozenset(),
    unknown: frozenset[str] = frozenset(),
    settings: TradingSettings = SETTINGS,
) -> Plan:
    """A plan at the given prices; equity is cash and positions."""
    known = {item.symbol: item.price for item in positions} | {
        symbol: Decimal(price) for symbol, price in (prices or {}).items()
    }
    equity = Decimal(cash) + sum((item.market_value for item in positions), Decimal(0))
    symbols = {*targets, *(item.symbol for item in positions)} - unknown
    assets = {symbol: Asset(symbol=symbol, tradable=True, fractionable=symbol not in whole) for symbol in symbols}
    decision = make_decision(targets=tuple(target(symbol, weight) for symbol, weight in targets.items()), signals=())
    return make_plan(decision, account(cash, str(equity)), positions, known, assets, settings, SCHEDULED)


def legs(plan: Plan) -> list[tuple[str, str, Decimal]]:
    return [(leg.side.value, leg.symbol, leg.quantity) for leg in plan.legs]


def test_a_symbol_that_is_held_and_not_wanted_is_sold_to_the_last_digit() -> None:
    plan = planned({"AAA": 0.5}, cash="0", positions=(position("CCC", "7.227357651", "100"),), prices={"AAA": "10"})
    assert legs(plan)[0] == ("sell", "CCC", Decimal("7.227357651"))


def test_a_full_exit_takes_what_the_broker_calls_available_and_says_what_stays() -> None:
    plan = planned({}, cash="0", positions=(position("CCC", "10", "100", available="4"),))
    assert legs(plan) == [("sell", "CCC", Decimal(4))]
    assert "not available" in plan.skipped[0].reason


def test_sells_come_first_and_the_largest_first_then_buys_likewise() -> None:
    held = (position("AAA", "10", "10"), position("BBB", "100", "10"))
    plan = planned({"CCC": 0.1, "DDD": 0.8}, cash="0", positions=held, prices={"CCC": "5", "DDD": "7"})
    assert [(leg.side.value, leg.symbol) for leg in plan.legs] == [
        ("sell", "BBB"),
        ("sell", "AAA"),
        ("buy", "DDD"),
        ("buy", "CCC"),
    ]
    assert [leg.number for leg in plan.legs] == [1, 2, 3, 4]


def test_differences_under_the_minimum_are_left_alone_but_full_exits_are_not() -> None:
    held = (position("AAA", "50.5", "100"), position("BBB", "0.01", "100"))
    plan = planned({"AAA": 0.51}, cash="4949", positions=held)
    assert legs(plan) == [("sell", "BBB", Decimal("0.01"))]


def test_whole_share_assets_are_bought_and_sold_in_whole_shares() -> None:
    held = (position("BBB", "3.7", "100"),)
    plan = planned({"AAA": 0.5}, cash="1000", positions=held, prices={"AAA": "99"}, whole=frozenset({"AAA", "BBB"}))
    assert legs(plan) == [("sell", "BBB", Decimal(3)), ("buy", "AAA", Decimal(6))]
    assert "0.7 shares stay" in plan.skipped[0].reason


def test_buys_shrink_in_proportion_when_cash_falls_short() -> None:
    held = (position("ZZZ", "90", "100"),)
    plan = planned(
        {"AAA": 0.6, "BBB": 0.3},
        cash="1000",
        positions=held,
        prices={"AAA": "10", "BBB": "10"},
        unknown=frozenset({"ZZZ"}),
    )
    values = {leg.symbol: leg.value for leg in plan.legs}
    assert plan.shrink < 1
    assert values["AAA"] / values["BBB"] == pytest.approx(Decimal(2), rel=Decimal("1e-6"))
    assert sum(values.values()) <= Decimal(1000) - plan.reserve


def test_what_the_broker_does_not_trade_is_left_alone_and_named() -> None:
    plan = planned({"AAA": 0.5}, cash="1000", prices={"AAA": "10"}, unknown=frozenset({"AAA"}))
    assert plan.legs == ()
    assert plan.skipped[0].untradable


def test_no_price_and_a_short_position_are_refused() -> None:
    with pytest.raises(DecisionRefused, match="AAA has no price"):
        planned({"AAA": 0.5}, cash="1000")
    with pytest.raises(DecisionRefused, match="held short"):
        planned({}, cash="1000", positions=(position("AAA", "-1", "10"),))


@pytest.mark.parametrize(
    ("limits", "what"),
    [
        ({"max_orders": 1}, "max_orders"),
        ({"max_order_value": 100}, "max_order_value"),
        ({"max_turnover": 0.5}, "max_turnover"),
        ({"max_symbol_weight": 0.4}, "max_symbol_weight"),
    ],
)
def test_a_limit_that_is_breached_is_named_with_its_figure(limits: dict[str, object], what: str) -> None:
    settings = TradingSettings.model_validate(limits)
    plan = planned({"AAA": 0.5, "BBB": 0.4}, cash="1000", prices={"AAA": "10", "BBB": "10"}, settings=settings)
    with pytest.raises(LimitBreached, match=f"trading.{what}: .*limit is"):
        check_limits(plan, settings)


def test_a_loss_beyond_the_limit_stops_trading() -> None:
    plan = planned({"AAA": 0.5}, cash="1000", prices={"AAA": "10"})
    after = plan.model_copy(update={"account": plan.account.model_copy(update={"last_equity": Decimal(2000)})})
    with pytest.raises(LimitBreached, match=r"max_daily_loss: equity fell 0\.5000"):
        check_limits(after, SETTINGS)


quantities = st.decimals("0.000000001", "5000", places=9)
prices = st.decimals("0.5", "900", places=2)


@st.composite
def situations(draw: st.DrawFn) -> tuple[dict[str, float], str, tuple[Position, ...], dict[str, str], frozenset[str]]:
    held = draw(st.sets(st.sampled_from(LETTERS), max_size=4))
    wanted = draw(st.sets(st.sampled_from(LETTERS), max_size=4))
    price = {symbol: str(draw(prices)) for symbol in LETTERS}
    raw = [draw(st.integers(1, 100)) for _ in wanted]
    scale = draw(st.floats(0.1, 1.0)) / max(sum(raw), 1)
    weights = {symbol: part * scale for symbol, part in zip(sorted(wanted), raw, strict=True)}
    positions = tuple(position(symbol, str(draw(quantities)), price[symbol]) for symbol in sorted(held))
    whole = frozenset(draw(st.sets(st.sampled_from(LETTERS), max_size=2)))
    return weights, str(draw(st.decimals("100", "200000", places=2))), positions, price, whole


@given(situations())
def test_the_plan_reaches_its_targets_within_one_minimum_trade_or_one_share(
    situation: tuple[dict[str, float], str, tuple[Position, ...], dict[str, str], frozenset[str]],
) -> None:
    weights, cash, positions, price, whole = situation
    plan = planned(weights, cash=cash, positions=positions, prices=price, whole=whole)
    held = {item.symbol: item.quantity for item in positions}
    after = dict(held)
    for leg in plan.legs:
        after[leg.symbol] = after.get(leg.symbol, Decimal(0)) + (1 if leg.side is Side.BUY else -1) * leg.quantity
        assert leg.quantity > 0
        if leg.side is Side.SELL:
            assert leg.quantity <= held[leg.symbol], "more sold than held"
    equity = plan.account.equity
    bought = sum((leg.value for leg in plan.legs if leg.side is Side.BUY), Decimal(0))
    sold = sum((leg.value for leg in plan.legs if leg.side is Side.SELL), Decimal(0))
    assert bought <= max(plan.account.cash + sold - plan.reserve, Decimal(0)), "buys cost more than there is"
    smallest = max(SETTINGS.min_trade_value, SETTINGS.min_trade_share * equity)
    for symbol in {*held, *weights}:
        wanted = Decimal(str(weights.get(symbol, 0.0))) * equity * (1 - SETTINGS.cash_reserve)
        share = Decimal(price[symbol]) if symbol in whole else Decimal(0)
        shrunk = wanted * (1 - plan.shrink)
        off = abs(after.get(symbol, Decimal(0)) * Decimal(price[symbol]) - wanted)
        if symbol not in weights:
            assert after[symbol] == 0 or symbol in whole, "held, not wanted, not sold"
            assert after[symbol] < 1, "whole shares were left"
        else:
            assert off <= smallest + share + shrunk + SETTINGS.min_trade_value + 1, f"{symbol} is {off} USD off"


@given(situations())
def test_the_same_situation_gives_the_same_plan(
    situation: tuple[dict[str, float], str, tuple[Position, ...], dict[str, str], frozenset[str]],
) -> None:
    weights, cash, positions, price, whole = situation
    first = planned(weights, cash=cash, positions=positions, prices=price, whole=whole)
    turned = tuple(reversed(positions))
    assert first == planned(weights, cash=cash, positions=turned, prices=price, whole=whole)
