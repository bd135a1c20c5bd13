"""The plan: what holds in every situation."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from alchemiser_common.ids import Side
from alchemiser_common.messages.snapshot import Position
from support.plans import SETTINGS, planned, position

LETTERS = ("AAA", "BBB", "CCC", "DDD", "EEE")

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
            dust = after[symbol] * Decimal(price[symbol]) < 1
            assert dust or symbol in whole, "held, not wanted, not sold"
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
