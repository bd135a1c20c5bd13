"""Splits a run's fills over the strategies by their share of each symbol's target change. Pure.

Strategies that hold end with the shares that they began with: the rest is shared by those with targets.

Strategies that want opposite things are netted against each other at the fill's price: the account trades the rest.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from decimal import ROUND_DOWN, Decimal

from alchemiser_common.ids import Side
from alchemiser_common.ports.broker import Fill
from alchemiser_common.ports.clock import EXCHANGE_ZONE
from alchemiser_common.records.plan import Plan
from alchemiser_common.shares import REPORTED_STEP
from alchemiser_trading.books.alignment import aligned
from alchemiser_trading.books.books import UNASSIGNED, Book, total
from alchemiser_trading.orders.legs import LegState


def attribute(books: Mapping[str, Book], plan: Plan, legs: Sequence[LegState]) -> dict[str, Book]:
    """The books after the run. They add up to what they held before plus the fills.

    A symbol of which they hold less or more than the plan's positions is left as it is, unless it was traded: then its
    books are first made to follow the position.
    """
    held = {position.symbol: position for position in plan.positions}
    by_symbol = {state.leg.symbol: state for state in legs}
    result = aligned(books, plan.positions, plan.session, only=by_symbol.keys())
    result.setdefault(UNASSIGNED, Book(strategy=UNASSIGNED))
    for strategy in strategies_of(plan):
        result.setdefault(strategy, Book(strategy=strategy))
    for symbol in sorted(held.keys() | by_symbol.keys()):
        before = held[symbol].quantity if symbol in held else Decimal(0)
        if before != total(result.values(), symbol):
            continue
        state = by_symbol.get(symbol)
        price = held[symbol].price if state is None else _price(state)
        sign = 1 if state is not None and state.leg.side is Side.BUY else -1
        planned = sign * state.leg.quantity if state is not None else Decimal(0)
        filled = sign * state.filled if state is not None else Decimal(0)
        _split(result, plan, symbol, planned, filled, price, plan.session)
    return _without_empty(result)


def attribute_late(books: Mapping[str, Book], plan: Plan, fill: Fill) -> dict[str, Book]:
    """The books after a fill of a run that has ended: its strategies' as if it had come in time, at its own price.

    Never more is sold than the books hold.
    """
    result = dict(books)
    result.setdefault(UNASSIGNED, Book(strategy=UNASSIGNED))
    for strategy in strategies_of(plan):
        result.setdefault(strategy, Book(strategy=strategy))
    filled = fill.quantity if fill.side is Side.BUY else -min(fill.quantity, total(books.values(), fill.symbol))
    _split(result, plan, fill.symbol, filled, filled, fill.price, fill.at.astimezone(EXCHANGE_ZONE).date())
    return _without_empty(result)


def strategies_of(plan: Plan) -> frozenset[str]:
    """The strategies that shall have shares when the plan has come true."""
    asked = {share.strategy for target in plan.targets for share in target.shares}
    return frozenset(asked | {holding.strategy for holding in plan.holdings if holding.shares})


# Example: SPY held 10 by A and 0 by B; A wants 4, B wants 4, the account 8: one sale of 2 is planned, and 1 is filled.
#   B takes its 4 from A, who is to give 6: what is netted needs no fill. Of the 2 that A is to give beside, 1 is gone.
#   So A goes to 10 - 4 - 1 = 5 and B to 4: together 9 = 10 held - 1 filled, all at the fill's price.
# Had C held 5 more, and went on holding: 15 before, 14 after, of which C's 5 are nobody's to share. Of a buy that comes
# true in part, those that take share what others give and what was filled. Invariant: the books of a symbol add up to
# the shares held before plus the fills, to the last digit the broker reports (`_exact`), and none is negative.
def _split(
    books: dict[str, Book], plan: Plan, symbol: str, planned: Decimal, filled: Decimal, price: Decimal, day: date
) -> None:
    before = total(books.values(), symbol)
    kept = _kept(plan, symbol)
    whole = sum(kept.values(), Decimal(0))
    desired = _desired(plan, symbol, max(before + planned - whole, Decimal(0)), kept.keys())
    had = {name: book.quantity(symbol) for name, book in books.items() if name not in kept}
    after = _moved(had, {name: desired.get(name, Decimal(0)) for name in had}, abs(filled))
    there = before + filled
    # Less is there than is kept only if more was sold than planned, by hand: then those that hold lose it too.
    exact = _exact(kept, min(whole, there)) | _exact(after, there - min(whole, there))
    # Those that give come first: what they give is there before others take it.
    changes = sorted((exact[name] - book.quantity(symbol), name) for name, book in books.items())
    for change, name in changes:
        if change != 0:
            books[name] = books[name].changed(symbol, change, price, day)


def _without_empty(books: Mapping[str, Book]) -> dict[str, Book]:
    """Without the book `unassigned` if there is nothing in it."""
    return {name: book for name, book in books.items() if name != UNASSIGNED or book != Book(strategy=UNASSIGNED)}


def _moved(had: Mapping[str, Decimal], desired: Mapping[str, Decimal], filled: Decimal) -> dict[str, Decimal]:
    """Shares after takers and givers were netted and so many were filled: the side with more gets that much further."""
    changes = {name: desired[name] - quantity for name, quantity in had.items()}
    taken = sum((change for change in changes.values() if change > 0), Decimal(0))
    given = -sum((change for change in changes.values() if change < 0), Decimal(0))
    smaller, larger = min(taken, given), max(taken, given)
    part = min((smaller + filled) / larger, Decimal(1)) if larger > 0 else Decimal(1)
    takes, gives = (part, Decimal(1)) if taken > given else (Decimal(1), part)
    return {name: had[name] + change * (takes if change > 0 else gives) for name, change in changes.items()}


def _kept(plan: Plan, symbol: str) -> dict[str, Decimal]:
    """Shares that each strategy that holds has of the symbol, none included."""
    return {
        holding.strategy: sum((item.quantity for item in holding.shares if item.symbol == symbol), Decimal(0))
        for holding in plan.holdings
        if holding.shares
    }


def _desired(plan: Plan, symbol: str, final: Decimal, keeping: Collection[str]) -> dict[str, Decimal]:
    """Shares each strategy with targets is to have if the plan comes true; together they are `final`."""
    targets = (target for target in plan.targets if target.symbol == symbol)
    asked = {
        share.strategy: Decimal(str(share.weight))
        for target in targets
        for share in target.shares
        if share.strategy not in keeping
    }
    weight = sum(asked.values(), Decimal(0))
    if weight <= 0:
        # No strategy wants it: what the plan leaves of it belongs to none.
        return {UNASSIGNED: final} if final > 0 else {}
    return {strategy: final * part / weight for strategy, part in asked.items()}


def _exact(quantities: Mapping[str, Decimal], whole: Decimal) -> dict[str, Decimal]:
    """Rounded to what a broker reports, never negative, adding up to `whole`: the largest takes the rest."""
    rounded = {
        name: max(quantity, Decimal(0)).quantize(REPORTED_STEP, rounding=ROUND_DOWN)
        for name, quantity in quantities.items()
    }
    left = whole - sum(rounded.values(), Decimal(0))
    for name in sorted(rounded, key=lambda item: (-rounded[item], item)):
        taken = max(left, -rounded[name])
        rounded[name] += taken
        left -= taken
        if left == 0:
            break
    return rounded


def _price(state: LegState) -> Decimal:
    """The average fill price, or the plan's where nothing is filled or the price never came."""
    return state.average_price or state.leg.price
