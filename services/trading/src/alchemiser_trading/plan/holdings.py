"""Which strategies hold what they have, and what a plan therefore wants the account to hold. Pure.

A strategy that holds has no target weight: its own shares are its target, whatever they are worth by now. Quantities in
shares, money in USD.
"""

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from alchemiser_common.messages.decision import Signal, SignalStatus, Target
from alchemiser_common.messages.snapshot import Position
from alchemiser_common.records.books import StrategyBook
from alchemiser_common.records.plan import HeldShares, Plan, StrategyHolding


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the account is to hold: shares that are kept, and beside them a part of the invested money by symbol."""

    kept: Mapping[str, Decimal]
    """Shares by symbol that belong to strategies that hold."""
    weights: Mapping[str, Decimal]
    """What the strategies with targets ask for, in fractions of the invested money by symbol, all above 0."""
    scale: Decimal
    """What they get of it, at most 1: what is kept is not there for them."""
    invested: Decimal
    """Equity without what is not managed, less the reserve, USD."""

    def value(self, symbol: str) -> Decimal:
        """USD of a symbol for the strategies with targets."""
        return self.weight(symbol) * self.invested

    def weight(self, symbol: str) -> Decimal:
        """What the strategies with targets get of a symbol, in fractions of the invested money."""
        return self.weights.get(symbol, Decimal(0)) * self.scale


def holdings_of(signals: Iterable[Signal], books: Mapping[str, StrategyBook]) -> tuple[StrategyHolding, ...]:
    """The strategies that hold, each with the shares in its book."""
    return tuple(
        StrategyHolding(
            strategy=signal.strategy,
            weights=signal.weights,
            shares=_shares(books.get(signal.strategy)),
            rules=signal.rules,
        )
        for signal in signals
        if holds(signal)
    )


def holds(signal: Signal) -> bool:
    """Whether the strategy keeps what it has: it says so, or is unknown and by policy keeps its targets."""
    return signal.status is SignalStatus.HOLD or (signal.status is SignalStatus.UNKNOWN and bool(signal.weights))


# Example: equity 1000, reserve 10, so 990 are invested. H holds 6 AAA at 100 and keeps them; T has half of the account
# and wants BBB with it: 495. H has grown and leaves 990 - 600 = 390, so T gets 390/495 of its target. Without that T
# would ask for more than there is, and which of its symbols goes short would depend on their order.
def wanted(
    targets: Iterable[Target], holdings: Iterable[StrategyHolding], positions: Sequence[Position], invested: Decimal
) -> Wanted:
    """From a decision's targets and the strategies that hold. `invested` is what there is to allocate, in USD."""
    kept: dict[str, Decimal] = {}
    keeping = set()
    for holding in holdings:
        for item in holding.shares:
            keeping.add(holding.strategy)
            kept[item.symbol] = kept.get(item.symbol, Decimal(0)) + item.quantity
    weights: dict[str, Decimal] = {}
    for target in targets:
        asked = math.fsum(share.weight for share in target.shares if share.strategy not in keeping)
        if asked > 0:
            weights[target.symbol] = Decimal(str(min(1.0, asked)))
    wished = sum(weights.values(), Decimal(0)) * invested
    if not kept or wished <= 0:
        return Wanted(kept, weights, Decimal(1), invested)
    worth = sum((kept.get(item.symbol, Decimal(0)) * item.price for item in positions), Decimal(0))
    return Wanted(kept, weights, min(max(invested - worth, Decimal(0)) / wished, Decimal(1)), invested)


def unclaimed(
    symbols: Collection[str],
    targets: Iterable[Target],
    holdings: Sequence[StrategyHolding],
    positions: Sequence[Position],
) -> Decimal:
    """USD of these symbols' shares that no strategy keeps and none has a target for: nobody's plan counts them."""
    want = wanted(targets, holdings, positions, Decimal(0))
    spare = (
        max(item.quantity - want.kept.get(item.symbol, Decimal(0)), Decimal(0)) * item.price
        for item in positions
        if item.symbol in symbols and item.symbol not in want.weights
    )
    return sum(spare, Decimal(0))


def wanted_by(plan: Plan) -> Wanted:
    """What a frozen plan wants."""
    return wanted(plan.targets, plan.holdings, plan.positions, plan.invested)


def _shares(book: StrategyBook | None) -> tuple[HeldShares, ...]:
    quantities: dict[str, Decimal] = {}
    for lot in () if book is None else book.lots:
        quantities[lot.symbol] = quantities.get(lot.symbol, Decimal(0)) + lot.quantity
    return tuple(HeldShares(symbol=symbol, quantity=held) for symbol, held in sorted(quantities.items()) if held > 0)
