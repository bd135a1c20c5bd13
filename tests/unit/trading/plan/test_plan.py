"""The plan: its rules as tables."""

from decimal import Decimal

import pytest

from alchemiser_common.errors import DecisionRefused
from alchemiser_common.ids import Side
from alchemiser_common.messages.decision import SignalStatus
from alchemiser_common.messages.reasons import LegReason
from alchemiser_common.messages.snapshot import StrategyTargets
from alchemiser_common.ports.broker import Asset, OtherHolding
from alchemiser_common.records.plan import HeldShares, Plan, PlanSetting, SkippedLeg, StrategyHolding
from alchemiser_common.settings import TradingSettings
from alchemiser_trading.plan.account_sum import set_aside
from alchemiser_trading.plan.plan import Unmanaged, make_plan
from alchemiser_trading.plan.prices import NoPrice
from support.messages import ACCOUNT, RUN, SCHEDULED, SESSION, make_decision
from support.plans import SETTINGS, account, book, decided, legs, planned, planned_for, position, signal, target

EXACT = TradingSettings(cash_reserve=Decimal(0), min_trade_share=Decimal(0))


def left_alone(symbol: str, side: Side, value: str, cause: LegReason, reason: str) -> SkippedLeg:
    untradable = cause in {LegReason.UNTRADABLE, LegReason.UNKNOWN_SYMBOL}
    return SkippedLeg(symbol=symbol, side=side, value=Decimal(value), reason=reason, cause=cause, untradable=untradable)


def test_a_symbol_that_is_held_and_not_wanted_is_sold_to_the_last_digit() -> None:
    plan = planned({"AAA": 0.5}, cash="0", positions=(position("CCC", "7.227357651", "100"),), prices={"AAA": "10"})
    assert legs(plan)[0] == ("sell", "CCC", Decimal("7.227357651"))


def test_a_full_exit_takes_what_the_broker_calls_available_and_says_what_stays() -> None:
    plan = planned({}, cash="0", positions=(position("CCC", "10", "100", available="4"),))
    assert legs(plan) == [("sell", "CCC", Decimal(4))]
    reason = "6 of 10 shares are not available: other orders hold them"
    assert plan.skipped == (left_alone("CCC", Side.SELL, "600", LegReason.NOT_AVAILABLE, reason),)


@pytest.mark.parametrize(
    ("available", "whole", "sold", "reason"),
    [
        ("1.25", frozenset[str](), ["1.25"], "6.250000 of 7.500000 shares are not available: other orders hold them"),
        ("1.25", frozenset({"AAA"}), ["1"], "6 of 7 shares are not available: other orders hold them"),
        ("0", frozenset({"AAA"}), [], "7 of 7 shares are not available: other orders hold them"),
        ("-3", frozenset({"AAA"}), [], "7 of 7 shares are not available: other orders hold them"),
    ],
    ids=["fractions", "whole shares only", "nothing", "less than nothing"],
)
def test_a_part_sale_takes_what_is_available_and_orderable_and_says_what_stays(
    available: str, whole: frozenset[str], sold: list[str], reason: str
) -> None:
    held = (position("AAA", "10", "100", available=available),)
    plan = planned({"AAA": 0.25}, cash="0", positions=held, whole=whole, settings=EXACT)
    assert legs(plan) == [("sell", "AAA", Decimal(quantity)) for quantity in sold]
    assert [skipped.reason for skipped in plan.skipped] == [reason]


def test_a_part_sale_is_rounded_down_to_what_can_be_ordered() -> None:
    held = (position("AAA", "10", "300"), position("BBB", "10", "300"))
    whole = frozenset({"BBB"})
    plan = planned({"AAA": 0.35, "BBB": 0.35}, cash="1000", positions=held, whole=whole, settings=EXACT)
    assert legs(plan) == [("sell", "AAA", Decimal("1.833333")), ("sell", "BBB", Decimal(1))]
    plan = planned({"AAA": 0.4, "BBB": 0.4}, cash="1000", positions=held, whole=whole, settings=EXACT)
    assert legs(plan) == [("sell", "AAA", Decimal("0.666666"))]


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
    assert [leg.full_exit for leg in plan.legs] == [True, True, False, False]


def test_differences_under_the_minimum_are_left_alone_but_full_exits_are_not() -> None:
    held = (position("AAA", "50.5", "100"), position("BBB", "0.01", "100"))
    plan = planned({"AAA": 0.51}, cash="4949", positions=held)
    assert legs(plan) == [("sell", "BBB", Decimal("0.01"))]
    assert plan.skipped == (), "nothing of it stays"


@pytest.mark.parametrize(
    ("smallest", "weight", "cash", "bought"),
    [
        ({"min_trade_value": 10}, 0.01, "1000", "1"),
        ({"min_trade_value": 10}, 0.0099, "1000", None),
        ({"min_trade_value": 1}, 0.001, "1000", "0.1"),
        ({"min_trade_value": 10, "min_trade_share": "0.002"}, 0.0015, "100000", None),
        ({"min_trade_value": 10, "min_trade_share": "0.002"}, 0.002, "100000", "20"),
    ],
    ids=["just the smallest", "less", "just a dollar", "less than the share of equity", "just the share of equity"],
)
def test_the_smallest_trade_is_the_larger_of_a_value_and_a_share_of_equity(
    smallest: dict[str, object], weight: float, cash: str, bought: str | None
) -> None:
    settings = TradingSettings.model_validate({"cash_reserve": 0, "min_trade_share": 0} | smallest)
    plan = planned({"AAA": weight}, cash=cash, prices={"AAA": "10"}, settings=settings)
    assert legs(plan) == ([] if bought is None else [("buy", "AAA", Decimal(bought))])
    assert [leg.cause for leg in plan.skipped] == ([LegReason.SMALL_TRADE] if bought is None else [])


def test_whole_share_assets_are_bought_and_sold_in_whole_shares() -> None:
    held = (position("BBB", "3.7", "100"),)
    plan = planned({"AAA": 0.5}, cash="1000", positions=held, prices={"AAA": "99"}, whole=frozenset({"AAA", "BBB"}))
    assert legs(plan) == [("sell", "BBB", Decimal(3)), ("buy", "AAA", Decimal(6))]
    reason = "0.7 shares stay: the broker trades whole shares of it only"
    assert plan.skipped == (left_alone("BBB", Side.SELL, "70", LegReason.PART_OF_A_SHARE_STAYS, reason),)


def test_a_buy_of_less_than_a_share_of_a_whole_share_asset_is_left_alone_and_named() -> None:
    plan = planned({"AAA": 0.5}, cash="1000", prices={"AAA": "501"}, whole=frozenset({"AAA"}), settings=EXACT)
    reason = "500.00 USD are less than one share at 501; the broker trades whole shares of it only"
    assert plan.legs == ()
    assert plan.skipped == (left_alone("AAA", Side.BUY, "500", LegReason.LESS_THAN_ONE_SHARE, reason),)


def test_buys_shrink_in_proportion_when_cash_falls_short() -> None:
    held = (position("YYY", "90", "100"),)
    targets, prices = {"AAA": 0.6, "BBB": 0.3, "CCC": 0.0011}, {"AAA": "10", "BBB": "10", "CCC": "10"}
    settings = TradingSettings(min_trade_share=Decimal(0))
    unknown = frozenset({"YYY"})
    plan = planned(targets, cash="1000", positions=held, prices=prices, unknown=unknown, settings=settings)
    values = {leg.symbol: leg.value for leg in plan.legs}
    assert values["AAA"] / values["BBB"] == pytest.approx(Decimal(2), rel=Decimal("1e-6"))
    assert sum(values.values()) <= Decimal(1000) - plan.reserve
    reason = "cash to spend beside the reserve falls short of 10.89 USD"
    small = left_alone("CCC", Side.BUY, "10.89", LegReason.CASH_SHORT, reason)
    assert small in plan.skipped, "what it shrank to is no order any more"
    assert "CCC" not in values
    cut = {leg.symbol: leg for leg in plan.skipped if leg.cause is LegReason.CASH_SHORT}
    assert cut["AAA"].value == Decimal(6534) * 1 - values["AAA"] - Decimal(594)
    assert (
        cut["AAA"].reason
        == f"cut from 5940.00 to {values['AAA']:.2f} USD: cash to spend beside the reserve falls short"
    )
    assert plan.short_of_cash


def test_buys_may_cost_cash_and_cautious_proceeds_less_the_reserve() -> None:
    plan = planned({"BBB": 1.0}, cash="5", positions=(position("AAA", "100", "10"),), prices={"BBB": "10"})
    there_is = Decimal(5) + Decimal(1000) * Decimal("0.9995") - Decimal("10.05")
    assert plan.reserve == Decimal("10.05")
    assert plan.shrink == there_is / (Decimal("994.95") * Decimal("1.0005"))
    assert planned({"BBB": 0.5}, cash="1000", prices={"BBB": "10"}).shrink == 1


def test_without_cash_nothing_is_bought() -> None:
    held = (position("AAA", "100", "10"),)
    plan = planned({"BBB": 0.5}, cash="-100", positions=held, prices={"BBB": "10"}, unknown=frozenset({"AAA"}))
    assert (plan.legs, plan.shrink) == ((), Decimal(0))


def test_what_the_broker_does_not_trade_is_left_alone_and_named_and_the_rest_is_traded() -> None:
    held = (position("BBB", "30", "10"),)
    plan = planned(
        {"AAA": 0.2, "CCC": 0.2},
        cash="700",
        positions=held,
        prices={"AAA": "10", "CCC": "10"},
        unknown=frozenset({"AAA"}),
        untraded=frozenset({"BBB"}),
        settings=EXACT,
    )
    assert legs(plan) == [("buy", "CCC", Decimal(20))]
    assert plan.skipped == (
        left_alone("AAA", Side.BUY, "200", LegReason.UNKNOWN_SYMBOL, "the broker does not know the symbol any more"),
        left_alone("BBB", Side.SELL, "300", LegReason.UNTRADABLE, "the broker does not trade it"),
    )


def test_an_empty_position_is_no_position() -> None:
    plan = planned({}, cash="1000", positions=(position("AAA", "0", "10"),), unknown=frozenset({"AAA"}))
    assert (plan.legs, plan.skipped) == ((), ())


@pytest.mark.parametrize(("cash", "refused"), [("-1", True), ("0", True), ("0.50", False)])
def test_without_equity_there_is_nothing_to_allocate(cash: str, *, refused: bool) -> None:
    if refused:
        with pytest.raises(DecisionRefused, match=f"equity is {cash} USD; there is nothing to allocate"):
            planned({}, cash=cash)
    else:
        assert planned({}, cash=cash).legs == ()


def test_the_plan_keeps_what_it_was_made_from_and_what_each_strategy_stated() -> None:
    made = make_decision()
    held = tuple(position(symbol, "1", "10") for symbol in ("DDD", "CCC"))
    stated = made.signals[0]
    holding = stated.model_copy(update={"strategy": "b", "status": SignalStatus.HOLD})
    decision = made.model_copy(update={"signals": (stated, holding), "targets": ()})
    prices = {"CCC": Decimal(10), "DDD": Decimal(10)}
    plan = make_plan(decision, ACCOUNT, held, {"b": book("b", CCC="1")}, prices, {}, SETTINGS, SCHEDULED)
    statement = StrategyTargets(
        strategy=stated.strategy,
        decided_for=SESSION.day,
        weights=stated.weights,
        as_of=decision.as_of,
        rules=stated.rules,
        allocation=stated.allocation,
    )
    kept = StrategyHolding(
        strategy="b",
        weights=stated.weights,
        shares=(HeldShares(symbol="CCC", quantity=Decimal(1)),),
        rules=stated.rules,
    )
    assert plan == Plan(
        run_id=RUN,
        decision_hash=decision.content_hash(),
        session=SESSION.day,
        made_at=SCHEDULED,
        account=ACCOUNT,
        positions=(held[1], held[0]),
        reserve=ACCOUNT.equity / 100,
        targets=(),
        strategy_targets=(statement,),
        holdings=(kept,),
        legs=(),
        skipped=plan.skipped,
        settings=plan.settings,
    )
    assert {item.name for item in plan.settings} == {f"trading.{name}" for name in TradingSettings.model_fields}
    assert PlanSetting(name="trading.cash_reserve", value="0.01") in plan.settings


def test_more_strategies_than_an_account_takes_are_refused() -> None:
    many = tuple(signal(f"s{number}", 0.01, {}) for number in range(91))
    with pytest.raises(DecisionRefused, match="the decision has 91 strategies; an account takes 90"):
        planned_for(decided(*many), (), cash="1000", prices={})
    assert planned_for(decided(*many[:90]), (), cash="1000", prices={}).legs == ()


def test_a_symbol_without_a_price_or_held_in_another_form_is_left_alone_and_the_rest_is_traded() -> None:
    held = (position("DDD", "10", "10"), position("FFF", "1", "10"))
    prices: dict[str, Decimal | NoPrice] = {
        "AAA": NoPrice(LegReason.PRICES_DISAGREE, "the last trade 0.2 against the quote's middle 20"),
        "CCC": Decimal(0),
        "DDD": Decimal(10),
        "GGG": Decimal(10),
    }
    assets = {symbol: Asset(symbol=symbol, tradable=True, fractionable=True) for symbol in "AAA BBB CCC GGG".split()}
    assets |= {symbol: Asset(symbol=symbol, tradable=True, fractionable=True) for symbol in ("DDD", "EEE", "FFF")}
    decision = make_decision(
        targets=tuple(target(symbol, 0.2) for symbol in ("AAA", "BBB", "CCC", "EEE", "GGG")), signals=()
    )
    others = (
        OtherHolding(symbol="FFF", kind="unreadable", detail="qty is null"),
        OtherHolding(symbol="EEE", kind="short", detail="-1 shares held short; only long holdings are managed"),
    )
    plan = make_plan(
        decision,
        account("890", "1000"),
        held,
        {},
        prices,
        assets,
        EXACT,
        SCHEDULED,
        Unmanaged(Decimal(100), set_aside(others)),
    )
    assert legs(plan) == [("sell", "DDD", Decimal(10)), ("buy", "GGG", Decimal(18))], "900 are there to allocate"
    assert [(leg.symbol, leg.cause, leg.reason) for leg in plan.skipped] == [
        ("AAA", LegReason.PRICES_DISAGREE, "the last trade 0.2 against the quote's middle 20"),
        ("BBB", LegReason.NO_PRICE, "no price"),
        ("CCC", LegReason.NO_PRICE, "no price"),
        ("EEE", LegReason.OTHER_HOLDING, "held as short: -1 shares held short; only long holdings are managed"),
        ("FFF", LegReason.OTHER_HOLDING, "held as unreadable: qty is null"),
    ]


@pytest.mark.parametrize(
    ("held", "trade", "kept"),
    [
        ("51", [("sell", "AAA", Decimal(1))], "1000"),
        ("60", [("sell", "AAA", Decimal(10))], "1000"),
        ("50", [], "1000"),
        ("44", [], "400"),
        ("40", [], None),
        ("10", [("buy", "AAA", Decimal(30))], None),
    ],
    ids=["more than either", "far more", "all of it", "between the two", "as without it", "less than either"],
)
def test_beside_shares_that_cannot_be_read_the_lesser_of_two_trades_is_made(
    held: str, trade: list[tuple[str, str, Decimal]], kept: str | None
) -> None:
    """2,000 of 10,000 USD are in DDD, which cannot be read: targets are fractions of 8,000 or of 10,000."""
    others = (OtherHolding(symbol="DDD", kind="unreadable", market_value=Decimal(2000), detail="qty is null"),)
    plan = make_plan(
        make_decision(targets=(target("AAA", 0.5),), signals=()),
        account(str(8000 - Decimal(held) * 100), "10000"),
        (position("AAA", held, "100"),),
        {},
        {"AAA": Decimal(100)},
        {"AAA": Asset(symbol="AAA", tradable=True, fractionable=True)},
        EXACT,
        SCHEDULED,
        Unmanaged(Decimal(2000), set_aside(others), {}, Decimal(2000)),
    )
    reason = "they are wanted if 2000.00 USD of holdings that cannot be read are there to be allocated"
    said = f"{Decimal(kept or 0):.2f} USD of it are kept: {reason}"
    named = () if kept is None else (left_alone("AAA", Side.SELL, kept, LegReason.OTHER_HOLDING, said),)
    assert (legs(plan), plan.skipped) == (trade, named)


@pytest.mark.parametrize("price", ["100", "0.99"])
def test_an_exit_under_a_dollar_is_dust_and_named_but_not_ordered(price: str) -> None:
    quantity = "0.0099" if price == "100" else "1"
    for untraded in (frozenset[str](), frozenset({"BBB"})):
        plan = planned({}, cash="1000", positions=(position("BBB", quantity, price),), untraded=untraded)
        reason = f"{quantity} shares are worth 0.9900 USD: the broker takes no order under 1 USD"
        dust = left_alone("BBB", Side.SELL, str(Decimal(quantity) * Decimal(price)), LegReason.DUST, reason)
        assert (plan.legs, plan.skipped) == ((), (dust,))
    assert legs(planned({}, cash="1000", positions=(position("BBB", "1", "1"),))) == [("sell", "BBB", Decimal(1))]


def test_what_is_available_of_an_exit_may_be_dust() -> None:
    plan = planned({}, cash="1000", positions=(position("BBB", "10", "100", available="0.005"),))
    assert plan.legs == ()
    assert [leg.cause for leg in plan.skipped] == [LegReason.NOT_AVAILABLE, LegReason.DUST]


def test_fifteen_whole_shares_of_a_thousand_dollars_are_too_few_dollars_each_and_not_too_little_cash() -> None:
    prices = {f"S{number:02}": "60" if number < 3 else "90" for number in range(15)}
    plan = planned(dict.fromkeys(prices, 1 / 15), cash="1000", prices=prices, whole=frozenset(prices))
    assert len(legs(plan)) == 3
    assert {leg.cause for leg in plan.skipped} == {LegReason.LESS_THAN_ONE_SHARE}
    assert len(plan.skipped) == 12
    assert not plan.short_of_cash


def test_a_target_that_is_too_small_to_be_bought_is_named_until_it_is_held() -> None:
    plan = planned({"AAA": 0.009, "BBB": 0.9}, cash="1000", prices={"AAA": "10", "BBB": "10"})
    reason = "8.91 USD are wanted, the smallest trade is 10.00"
    assert plan.skipped == (left_alone("AAA", Side.BUY, "8.91", LegReason.SMALL_TRADE, reason),)
    held = (position("AAA", "0.5", "10"),)
    assert planned({"AAA": 0.009}, cash="1000", positions=held).skipped == (), "drift is no news"


def test_buys_are_sized_on_buying_power_where_it_is_below_cash() -> None:
    decision = make_decision(targets=(target("AAA", 1.0),), signals=())
    some = account("100000", "100000").model_copy(update={"buying_power": Decimal(40_000)})
    assets = {"AAA": Asset(symbol="AAA", tradable=True, fractionable=True)}
    plan = make_plan(decision, some, (), {}, {"AAA": Decimal(10)}, assets, SETTINGS, SCHEDULED)
    assert Decimal(39_970) < sum(leg.value for leg in plan.legs) <= Decimal(40_000)
    assert [leg.cause for leg in plan.skipped] == [LegReason.CASH_SHORT]
    more = some.model_copy(update={"buying_power": Decimal(400_000)})
    plan = make_plan(decision, more, (), {}, {"AAA": Decimal(10)}, assets, SETTINGS, SCHEDULED)
    assert sum(leg.value for leg in plan.legs) <= Decimal(99_000), "never on margin"


def test_a_small_lack_on_a_day_of_small_trades_is_no_lack_of_cash() -> None:
    """A buy of 202 of 100,000 USD and 15 in cash: what is lacking is a sell of 187, which is too small to be made."""
    held = (position("AAA", "4910", "10"), position("BBB", "4988.5", "10"))
    targets = {"AAA": 0.498, "BBB": 0.502}
    plan = planned(targets, cash="1015", positions=held)
    assert plan.shrink < Decimal("0.1")
    assert not plan.short_of_cash
