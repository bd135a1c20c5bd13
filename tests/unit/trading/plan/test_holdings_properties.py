"""What holds in every situation in which some strategies hold and others have targets."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from alchemiser_common.ids import Side
from alchemiser_common.messages.decision import SignalStatus, TradeDecision
from alchemiser_common.records.books import StrategyBook
from alchemiser_common.records.plan import Plan, PlannedLeg
from alchemiser_trading.books.attribution import attribute
from alchemiser_trading.books.books import UNASSIGNED, Book, bought, total
from alchemiser_trading.orders.legs import LegState
from support.books import ended
from support.plans import book, decided, planned_for, signal

SYMBOLS = ("AAA", "BBB", "CCC", "DDD")
NAMES = ("a", "b", "c", "d")

shares = st.decimals("0.000000001", "900", places=9)
prices = st.decimals("0.5", "900", places=2)


@dataclass(frozen=True)
class Situation:
    decision: TradeDecision
    books: list[StrategyBook]
    cash: str
    prices: Mapping[str, str]
    last: Mapping[str, str]
    spare: Mapping[str, str]
    whole: frozenset[str]

    def plan(self, prices: Mapping[str, str] | None = None) -> Plan:
        return planned_for(
            self.decision,
            self.books,
            cash=self.cash,
            prices=prices or self.prices,
            last=prices or self.last,
            spare=self.spare,
            whole=self.whole,
        )

    def booked(self) -> dict[str, Book]:
        """The books that add up to the account: what is spare is nobody's."""
        books = {item.strategy: Book.model_validate(item.model_dump()) for item in self.books}
        for symbol, quantity in self.spare.items():
            books = bought(
                books,
                UNASSIGNED,
                symbol,
                Decimal(quantity),
                Decimal(self.prices[symbol]),
                self.decision.session,
            )
        return books


@st.composite
def situations(draw: st.DrawFn, statuses: tuple[SignalStatus, ...] = tuple(SignalStatus)) -> Situation:
    names = draw(st.lists(st.sampled_from(NAMES), min_size=1, unique=True))
    signals, books = [], []
    for name in sorted(names):
        weights = draw(st.dictionaries(st.sampled_from(SYMBOLS), st.integers(1, 9), max_size=3))
        whole = sum(weights.values())
        fractions = {symbol: part / max(whole, 1) for symbol, part in weights.items()}
        signals.append(signal(name, 1 / len(names), fractions, draw(st.sampled_from(statuses))))
        held = draw(st.dictionaries(st.sampled_from(SYMBOLS), shares, min_size=int(len(statuses) == 1), max_size=3))
        books.append(book(name, **{symbol: str(quantity) for symbol, quantity in held.items()}))
    booked = {lot.symbol for item in books for lot in item.lots}
    fits = st.sampled_from(SYMBOLS)
    return Situation(
        decided(*signals),
        books,
        str(draw(st.decimals("100", "200000", places=2))),
        {symbol: str(draw(prices)) for symbol in SYMBOLS},
        {symbol: str(draw(prices)) for symbol in draw(st.sets(fits))},
        {} if len(statuses) == 1 else {symbol: str(draw(shares)) for symbol in draw(st.sets(fits)) if symbol in booked},
        frozenset(draw(st.sets(fits, max_size=2))),
    )


def keeping(plan: Plan) -> dict[str, dict[str, Decimal]]:
    return {
        item.strategy: {held.symbol: held.quantity for held in item.shares} for item in plan.holdings if item.shares
    }


@given(situations((SignalStatus.HOLD,)), st.dictionaries(st.sampled_from(SYMBOLS), prices))
def test_where_all_hold_nothing_is_traded_whatever_prices_do(
    situation: Situation, moved: Mapping[str, Decimal]
) -> None:
    tomorrow = {**situation.prices, **{symbol: str(price) for symbol, price in moved.items()}}
    assert situation.plan().legs == situation.plan(tomorrow).legs == ()
    assert situation.plan(tomorrow).skipped == ()


@given(situations())
def test_no_leg_touches_what_is_kept_and_buys_cost_no_more_than_there_is(situation: Situation) -> None:
    plan = situation.plan()
    kept = [held for holding in keeping(plan).values() for held in holding.items()]
    held = {position.symbol: position.quantity for position in plan.positions}
    for leg in plan.legs:
        of_others = held.get(leg.symbol, Decimal(0)) - sum(
            (quantity for symbol, quantity in kept if symbol == leg.symbol), Decimal(0)
        )
        if leg.side is Side.SELL:
            assert leg.quantity <= of_others, f"{leg.symbol}: {leg.quantity} sold, {of_others} are the others'"
    sold = sum((leg.value for leg in plan.legs if leg.side is Side.SELL), Decimal(0))
    bought = sum((leg.value for leg in plan.legs if leg.side is Side.BUY), Decimal(0))
    assert bought <= max(plan.account.cash + sold - plan.reserve, Decimal(0))
    unwanted = {lot.symbol for item in situation.books for lot in item.lots} | situation.spare.keys()
    traded = [target for target in plan.targets if any(share.strategy not in keeping(plan) for share in target.shares)]
    unwanted -= {symbol for symbol, _ in kept} | {target.symbol for target in traded}
    exits = {leg.symbol for leg in plan.legs if leg.full_exit}
    assert exits <= unwanted, "a full exit of what somebody keeps or wants"


@given(situations(), st.lists(st.integers(0, 100), min_size=8, max_size=8))
def test_through_partial_fills_who_holds_keeps_the_last_digit_and_the_books_add_up(
    situation: Situation, parts: list[int]
) -> None:
    plan = situation.plan()
    filled = tuple(ended(leg, _part(leg, part)) for leg, part in zip(plan.legs, parts, strict=False))
    books = situation.booked()
    after = attribute(books, plan, filled)
    for name, held in keeping(plan).items():
        for symbol in SYMBOLS:
            assert after[name].quantity(symbol) == held.get(symbol, Decimal(0))
        assert after[name].lots == books[name].lots, "bought and sold nothing, not even with itself"
    for symbol in SYMBOLS:
        expected = sum((item.quantity for item in plan.positions if item.symbol == symbol), Decimal(0))
        expected += sum((_signed(state) for state in filled if state.leg.symbol == symbol), Decimal(0))
        assert total(after.values(), symbol) == expected
        assert all(each.quantity(symbol) >= 0 for each in after.values())


@given(situations(), st.lists(st.integers(0, 100), min_size=8, max_size=8))
def test_who_traded_yesterday_and_holds_today_is_not_traded(situation: Situation, parts: list[int]) -> None:
    """A partial fill is what a strategy has: the next day's hold asks for no more of it."""
    plan = situation.plan()
    filled = tuple(ended(leg, _part(leg, part)) for leg, part in zip(plan.legs, parts, strict=False))
    books = situation.booked()
    after = attribute(books, plan, filled)
    holding = [
        item.model_copy(update={"status": SignalStatus.HOLD})
        for item in situation.decision.signals
        if item.strategy in after and after[item.strategy].lots
    ]
    tomorrow = planned_for(
        decided(*holding),
        [each for name, each in after.items() if name in {item.strategy for item in holding}],
        cash=situation.cash,
        prices=situation.prices,
        last=situation.last,
        whole=situation.whole,
    )
    assert (tomorrow.legs, tomorrow.skipped) == ((), ())


def _part(leg: PlannedLeg, percent: int) -> Decimal:
    return (leg.quantity * percent / 100).quantize(Decimal("0.000000001"))


def _signed(state: LegState) -> Decimal:
    return state.filled if state.leg.side is Side.BUY else -state.filled
