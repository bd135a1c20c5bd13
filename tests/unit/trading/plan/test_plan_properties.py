"""The plan: what holds in every situation."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from alchemiser_common.ids import Side
from alchemiser_common.messages.reasons import LegReason
from alchemiser_common.messages.snapshot import Account, Position
from alchemiser_common.ports.broker import Asset
from alchemiser_common.records.plan import Plan
from alchemiser_trading.plan.plan import Unmanaged, make_plan
from alchemiser_trading.plan.prices import NoPrice
from support.messages import SCHEDULED, make_decision
from support.plans import SETTINGS, account, planned, position, target

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
            assert dust or after[symbol] < 1, "whole shares were left"
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


@dataclass(frozen=True)
class Odd:
    """An account whose broker has something against most of what is wanted."""

    account: Account
    positions: tuple[Position, ...]
    weights: Mapping[str, float]
    prices: Mapping[str, Decimal | NoPrice]
    assets: Mapping[str, Asset]
    aside: Unmanaged

    def plan(self) -> Plan:
        targets = tuple(target(symbol, weight) for symbol, weight in self.weights.items())
        decision = make_decision(targets=targets, signals=())
        return make_plan(
            decision, self.account, self.positions, {}, self.prices, self.assets, SETTINGS, SCHEDULED, self.aside
        )


@st.composite
def odd_accounts(draw: st.DrawFn) -> Odd:
    price = {symbol: draw(prices) for symbol in LETTERS}
    held = []
    for symbol in sorted(draw(st.sets(st.sampled_from(LETTERS), max_size=4))):
        quantity = draw(st.sampled_from([Decimal("0.000000007"), Decimal("0.4"), Decimal(3), Decimal("87.5")]))
        part = draw(st.sampled_from([Decimal(0), Decimal("0.5"), Decimal(1), Decimal(2)]))
        held.append(position(symbol, str(quantity), str(price[symbol]), available=str(quantity * part)))
    raw = {symbol: draw(st.integers(1, 100)) for symbol in draw(st.sets(st.sampled_from(LETTERS), max_size=4))}
    scale = draw(st.sampled_from([0.02, 0.5, 1.0])) / max(sum(raw.values()), 1)
    cash = draw(st.decimals("-500", "20000", places=2))
    equity = max(cash + sum((item.market_value for item in held), Decimal(0)), Decimal(1))
    power = draw(st.sampled_from([Decimal(0), Decimal("0.4"), Decimal(1), Decimal(4)]))
    unpriced = NoPrice(LegReason.PRICES_DISAGREE, "as the test says")
    told: dict[str, Decimal | NoPrice] = {
        symbol: unpriced if draw(st.integers(0, 3)) == 3 else price[symbol] for symbol in LETTERS
    }
    return Odd(
        account(str(cash), str(equity)).model_copy(update={"buying_power": max(cash, Decimal(0)) * power}),
        tuple(held),
        {symbol: part * scale for symbol, part in raw.items()},
        told,
        {
            symbol: Asset(symbol=symbol, tradable=draw(st.integers(0, 5)) > 0, fractionable=draw(st.booleans()))
            for symbol in LETTERS
            if draw(st.integers(0, 5)) > 0
        },
        Unmanaged(
            aside := draw(st.sampled_from([Decimal(0), equity / 3, equity * 2])),
            dict.fromkeys(draw(st.sets(st.sampled_from(LETTERS), max_size=1)), "as the test says"),
            {},
            aside * draw(st.sampled_from([Decimal(0), Decimal("0.01"), Decimal("0.5"), Decimal(1)])),
        ),
    )


@given(odd_accounts())
def test_whether_uncertain_holdings_are_ours_or_not_no_more_is_sold_than_that_asks_for(odd: Odd) -> None:
    aside, certain = odd.aside, Decimal(0)
    sold = {leg.symbol: leg.quantity for leg in odd.plan().legs if leg.side is Side.SELL}
    for value in (aside.value, aside.value - aside.uncertain):
        known = replace(odd, aside=replace(aside, value=value, uncertain=certain)).plan()
        asked = {leg.symbol: leg.quantity for leg in known.legs if leg.side is Side.SELL}
        assert all(quantity <= asked.get(symbol, 0) for symbol, quantity in sold.items()), f"{sold} of {asked}"


@given(odd_accounts())
def test_nothing_is_sold_that_is_not_there_nor_bought_without_money_and_what_is_lacking_has_a_reason(odd: Odd) -> None:
    plan = odd.plan()
    held = {item.symbol: item for item in odd.positions}
    value = dict.fromkeys(LETTERS, Decimal(0))
    for leg in plan.legs:
        assert leg.value >= 1, "the broker takes no smaller order"
        assert leg.symbol not in odd.aside.symbols
        if leg.side is Side.SELL:
            assert leg.quantity <= min(held[leg.symbol].quantity, held[leg.symbol].available)
        value[leg.symbol] += leg.value if leg.side is Side.BUY else -leg.value
    bought = sum((leg.value for leg in plan.legs if leg.side is Side.BUY), Decimal(0))
    sold = sum((leg.value for leg in plan.legs if leg.side is Side.SELL), Decimal(0))
    there_is = min(odd.account.cash - plan.reserve, odd.account.buying_power) + sold
    assert bought <= max(there_is, Decimal(0)), "more is bought than cash and buying power allow"
    base = max(odd.account.equity - odd.aside.value, Decimal(0))
    smallest = max(SETTINGS.min_trade_value, SETTINGS.min_trade_share * odd.account.equity)
    for symbol in LETTERS:
        has = held[symbol].market_value if symbol in held else Decimal(0)
        wanted = Decimal(str(odd.weights.get(symbol, 0))) * base * (1 - SETTINGS.cash_reserve)
        named = [leg for leg in plan.skipped if leg.symbol == symbol]
        assert all(leg.cause is not None and leg.reason for leg in named)
        left = abs(wanted - has - value[symbol])
        whole = symbol in odd.assets and not odd.assets[symbol].fractionable
        share = next((item.price for item in plan.legs if item.symbol == symbol), Decimal(0)) if whole else Decimal(0)
        exits = symbol in held and symbol not in odd.weights
        if left >= smallest + share + Decimal("0.01") or (exits and left > 0 and value[symbol] == 0):
            assert named, f"{left} USD of {symbol} are wanted and nothing says why they are not planned"
