"""What an account earned between two sessions: what came from outside is nobody's profit. Pure; USD and fractions.

In come the records of its worth at each session's last run. The return is time-weighted: the product of the returns
from session to session, each on what was there to earn it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import pairwise

from alchemiser_common.records.books import DailyEquity, StrategyWorth

_NOTHING = Decimal(0)


@dataclass(frozen=True, slots=True)
class Worth:
    """The account at one moment, USD."""

    day: date
    """Of the session. The first worth of all may be from before the first run of its session."""
    equity: Decimal
    transferred: Decimal
    """Came from outside, less what went there, since the account is followed."""
    strategies: tuple[StrategyWorth, ...] = ()


@dataclass(frozen=True, slots=True)
class Gain:
    """What was earned from one worth to another."""

    since: date
    until: date
    profit: Decimal
    """USD, transfers taken out."""
    transferred: Decimal
    """USD that came from outside meanwhile, less what went there."""
    fraction: Decimal | None
    """Time-weighted return; None where there was nothing to earn it on."""


@dataclass(frozen=True, slots=True)
class StrategyGain:
    """What one strategy earned, USD."""

    strategy: str
    realised: Decimal
    unrealised: Decimal
    """The change of what its shares are worth above their cost."""
    income: Decimal
    """Dividends less taxes and charges on them."""

    @property
    def profit(self) -> Decimal:
        """USD in all."""
        return self.realised + self.unrealised + self.income


@dataclass(frozen=True, slots=True)
class Performance:
    """What an account earned, whole and in parts that add up to the whole."""

    curve: tuple[Worth, ...]
    whole: Gain
    months: tuple[Gain, ...]
    strategies: tuple[StrategyGain, ...]
    unbooked: Decimal
    """USD of the profit that is in no book: interest, fees, holdings that are not managed, and what has not been
    booked yet."""


def worths(records: Iterable[DailyEquity], opening: Decimal | None = None) -> tuple[Worth, ...]:
    """The account's worth by session, oldest first; `opening` is its equity before the first run, if that is known."""
    ordered = sorted(records, key=lambda record: record.session)
    curve = tuple(Worth(item.session, item.equity, item.transferred, item.strategies) for item in ordered)
    if opening is None or not curve:
        return curve
    return (Worth(curve[0].day, opening, _NOTHING), *curve)


def performance(curve: Sequence[Worth]) -> Performance | None:
    """What was earned from the first worth to the last; None of fewer than two."""
    if len(curve) < 2:
        return None
    whole = _gain(curve)
    strategies = _by_strategy(curve[0], curve[-1])
    booked = sum((item.profit for item in strategies), _NOTHING)
    return Performance(tuple(curve), whole, _by_month(curve), strategies, whole.profit - booked)


def since(curve: Sequence[Worth], first: date | None, last: date | None) -> tuple[Worth, ...]:
    """The worths of these days, after the last one before them: what was earned on the first day counts."""
    kept = [worth for worth in curve if last is None or worth.day <= last]
    before = [worth for worth in kept if first is not None and worth.day < first]
    return (*before[-1:], *(worth for worth in kept if first is None or worth.day >= first))


def gain_since(curve: Sequence[Worth], day: date) -> Gain | None:
    """What was earned after `day`, from the last worth on or before it; from the first one if there is none."""
    start = max((index for index, worth in enumerate(curve) if worth.day <= day), default=0)
    return gain(curve[start:])


def gain(curve: Sequence[Worth]) -> Gain | None:
    """What was earned from the first worth to the last; None of fewer than two."""
    return _gain(curve) if len(curve) > 1 else None


# Money that comes is there to earn from the session on which it is seen, and what goes leaves after it: so a deposit
# into an empty account, or all that is withdrawn, makes no return of its own, and none can be less than -1.
def session_return(before: Worth, after: Worth) -> Decimal | None:
    """The return from one worth to the next, a fraction; None if there was nothing to earn it on."""
    moved = after.transferred - before.transferred
    base = before.equity + max(moved, _NOTHING)
    return (after.equity - min(moved, _NOTHING)) / base - 1 if base > 0 else None


def growth(curve: Sequence[Worth]) -> tuple[Decimal, ...] | None:
    """What one dollar of the first worth had become at each, transfers taken out; None if it cannot be told."""
    values = [Decimal(1)]
    for before, after in pairwise(curve):
        earned = session_return(before, after)
        if earned is None:
            return None
        values.append(values[-1] * (1 + earned))
    return tuple(values)


def _gain(curve: Sequence[Worth]) -> Gain:
    first, last = curve[0], curve[-1]
    moved = last.transferred - first.transferred
    grown = growth(curve)
    return Gain(
        since=first.day,
        until=last.day,
        profit=last.equity - first.equity - moved,
        transferred=moved,
        fraction=None if grown is None else grown[-1] - 1,
    )


def _by_month(curve: Sequence[Worth]) -> tuple[Gain, ...]:
    """Each month from the last worth before it; what the curve begins with belongs to its own month."""
    months: dict[tuple[int, int], list[Worth]] = {}
    for before, after in pairwise(curve):
        months.setdefault((after.day.year, after.day.month), [before]).append(after)
    return tuple(_gain(worths) for worths in months.values())


def _by_strategy(first: Worth, last: Worth) -> tuple[StrategyGain, ...]:
    before = {item.strategy: item for item in first.strategies}
    gains = (_earned(before.get(item.strategy), item) for item in last.strategies)
    return tuple(sorted(gains, key=lambda item: (-item.profit, item.strategy)))


def _earned(before: StrategyWorth | None, after: StrategyWorth) -> StrategyGain:
    if before is None:
        return StrategyGain(after.strategy, after.realised, after.unrealised, after.income)
    return StrategyGain(
        after.strategy,
        after.realised - before.realised,
        after.unrealised - before.unrealised,
        after.income - before.income,
    )
