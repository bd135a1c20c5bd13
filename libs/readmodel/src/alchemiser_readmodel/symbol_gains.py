"""What each symbol earned, from one plan to the next: how its value changed, less what was bought, plus what was sold.

A plan says what the account held before its run, at which prices, and the report what the run then filled: nothing else
is needed. Where the shares are not those that this makes, somebody else moved them, by a split or by hand, and what
they earned in between cannot be told by symbol.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import pairwise

from alchemiser_common.ids import Side
from alchemiser_common.messages.report import ExecutionReport
from alchemiser_common.records.plan import Plan
from alchemiser_common.shares import REPORTED_STEP

_NOTHING = Decimal(0)


@dataclass(frozen=True, slots=True)
class PlannedRun:
    """A run that came to a plan, and what it then did."""

    plan: Plan
    report: ExecutionReport | None = None
    """None while it has not ended: its fills are not known."""


@dataclass(frozen=True, slots=True)
class SymbolGain:
    """What one symbol earned, USD, dividends not counted."""

    symbol: str
    profit: Decimal
    untold: tuple[date, ...] = ()
    """Sessions since the one before which its shares changed by other than the run's fills: not counted either."""


def symbol_gains(runs: Sequence[PlannedRun]) -> tuple[SymbolGain, ...]:
    """By symbol, the largest gain first, from the first plan to the last; `runs` oldest first."""
    profits: dict[str, Decimal] = {}
    untold: dict[str, list[date]] = {}
    for before, after in pairwise(runs):
        held, then = _positions(before.plan), _positions(after.plan)
        fills = _fills(before.report)
        for symbol in held.keys() | then.keys() | fills.keys():
            shares, worth = held.get(symbol, _NO_SHARES)
            shares_then, worth_then = then.get(symbol, _NO_SHARES)
            filled, paid = fills.get(symbol, _NO_SHARES)
            profits.setdefault(symbol, _NOTHING)
            if abs(shares + filled - shares_then) > REPORTED_STEP:
                untold.setdefault(symbol, []).append(after.plan.session)
            else:
                profits[symbol] += worth_then - worth - paid
    gains = [SymbolGain(symbol, profit, tuple(untold.get(symbol, ()))) for symbol, profit in profits.items()]
    return tuple(sorted(gains, key=lambda item: (-item.profit, item.symbol)))


type _Holding = tuple[Decimal, Decimal]
"""Shares, and USD."""
_NO_SHARES: _Holding = (_NOTHING, _NOTHING)


def _positions(plan: Plan) -> Mapping[str, _Holding]:
    return {item.symbol: (item.quantity, item.market_value) for item in plan.positions}


def _fills(report: ExecutionReport | None) -> Mapping[str, _Holding]:
    """Shares that came (or, below 0, went) and USD that were paid for them, by symbol."""
    found: dict[str, _Holding] = {}
    for leg in () if report is None else report.legs:
        if leg.filled > 0 and leg.average_price is not None:
            sign = 1 if leg.side is Side.BUY else -1
            shares, paid = found.get(leg.symbol, _NO_SHARES)
            found[leg.symbol] = (shares + sign * leg.filled, paid + sign * leg.filled * leg.average_price)
    return found
