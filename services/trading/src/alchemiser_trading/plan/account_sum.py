"""Whether the account adds up: equity, cash and every holding, and positions against those of the snapshot. Pure.

Money in USD, quantities in shares.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time
from decimal import Decimal

from alchemiser_common.ids import Side
from alchemiser_common.messages.snapshot import Account
from alchemiser_common.ports.broker import Activities, Fill, Holdings, OtherHolding
from alchemiser_common.ports.clock import EXCHANGE_ZONE
from alchemiser_common.records.plan import HeldShares
from alchemiser_common.shares import REPORTED_STEP

_NOTHING = Decimal(0)
UNREADABLE = "unreadable"
"""The kind of a holding whose element makes no sense."""
_PERHAPS_MANAGED = frozenset({UNREADABLE, "unpriced"})
"""Kinds of holdings that would be managed if all of their figures could be read; the others are something else."""
DIVIDENDS = "DIV"
"""How the codes of dividends begin: the quantity of one in cash is what it was paid on, and does not move."""


@dataclass(frozen=True, slots=True)
class AccountSum:
    """What the account's figures come to."""

    fault: str
    """Why they do not add up, with the figures; empty if they do."""
    unmanaged: Decimal
    """USD of the holdings that are not managed, as far as they are worth something: not there to be allocated."""
    guessed: bool
    """Some of it has no value that can be read and counts as what equity is above the rest."""
    uncertain: Decimal = _NOTHING
    """USD of it that may be worth of shares to manage: their figures could not be read."""


# A holding without a readable value leaves the sum open by just that value. If the rest adds up, it is worth nothing
# that matters. If equity is above the rest, the difference is what it is worth: only its own symbol depends on it. If
# equity is below the rest, no holding explains it. A short holding owes what it is worth, so its cash must stay: it is
# not taken off as a negative value, which would lend its proceeds to the other targets.
def account_sum(account: Account, holdings: Holdings, tolerance: Decimal) -> AccountSum:
    """Equity against cash and every holding; `tolerance` is a fraction of equity."""
    allowed = tolerance * abs(account.equity)
    priced = [(item, item.quantity * item.price) for item in holdings.positions]
    odd = [
        f"{item.symbol}: market value {item.market_value:.2f}, {item.quantity} shares at {item.price} are {worth:.2f}"
        for item, worth in priced
        if abs(item.market_value - worth) > allowed
    ]
    known = [item.market_value for item in holdings.others if item.market_value is not None]
    unvalued = [_name(item) for item in holdings.others if item.market_value is None]
    positions = sum((worth for _, worth in priced), _NOTHING)
    others = sum(known, _NOTHING)
    left = account.equity - account.cash - positions - others
    guess = left if unvalued and left > allowed else _NOTHING
    unmanaged = sum((value for value in known if value > 0), _NOTHING) + guess
    perhaps = [item for item in holdings.others if item.kind in _PERHAPS_MANAGED]
    uncertain = sum((_at_least(item) for item in perhaps), _NOTHING)
    uncertain += guess if any(item.market_value is None for item in perhaps) else _NOTHING
    fault = "; ".join(odd)
    if not fault and abs(left - guess) > allowed:
        fault = (
            f"equity is {account.equity:.2f} USD, but cash {account.cash:.2f}, {len(priced)} positions "
            f"{positions:.2f} and {len(holdings.others)} other holdings {others:.2f} are "
            f"{account.cash + positions + others:.2f}"
        )
    return AccountSum(fault, unmanaged, guess > 0, uncertain)


def moved(before: Iterable[HeldShares], holdings: Holdings) -> Mapping[str, Decimal]:
    """Shares by symbol that positions have more (+) or fewer (-) than before; a symbol that is not managed is left out.

    A symbol whose element cannot be read any more is not traded, and its value is in the account's sum.
    """
    then = {item.symbol: item.quantity for item in before}
    now = {item.symbol: item.quantity for item in holdings.positions}
    aside = {item.symbol for item in holdings.others}
    found = {symbol: now.get(symbol, _NOTHING) - then.get(symbol, _NOTHING) for symbol in then.keys() | now.keys()}
    return {symbol: by for symbol, by in sorted(found.items()) if symbol not in aside and abs(by) > REPORTED_STEP}


# Positions follow a fill within seconds, and the snapshot was read in between somewhere: which of the day's changes it
# had already seen is not known, but it saw them in their order. So the difference must be what the last of them make.
def unexplained(changes: Mapping[str, Decimal], activities: Activities) -> str:
    """The changes of positions that fills and other activities do not make, for a person; empty if they all do."""
    lines = []
    for symbol, by in changes.items():
        total, sums = _NOTHING, {_NOTHING}
        for _, quantity in sorted(_changes(symbol, activities), reverse=True):
            total += quantity
            sums.add(total)
        if all(abs(by - known) > REPORTED_STEP for known in sums):
            lines.append(f"{symbol} {by:+f} shares")
    return ", ".join(lines)


def _changes(symbol: str, activities: Activities) -> Iterable[tuple[datetime, Decimal]]:
    for item in activities.entries:
        if item.symbol != symbol:
            continue
        if isinstance(item, Fill):
            yield item.at, item.quantity if item.side is Side.BUY else -item.quantity
        elif item.quantity and not (item.code.startswith(DIVIDENDS) and item.amount):
            yield datetime.combine(item.day, time(), EXCHANGE_ZONE).astimezone(UTC), item.quantity


def doubtful(before: Iterable[HeldShares], holdings: Holdings) -> bool:
    """Whether an element may only have been read badly: it says nothing, or of a position that was managed before."""
    then = {item.symbol for item in before}
    return any(item.kind == UNREADABLE or item.symbol in then for item in holdings.others)


def set_aside(others: Sequence[OtherHolding]) -> Mapping[str, str]:
    """Symbols that are neither bought nor sold, each with why: held in a form that is not managed."""
    return {item.symbol: f"held as {item.kind}: {item.detail}" for item in others if item.symbol}


# Shares without a price are those of a company that is gone, which stay for years and are no news; or they are worth
# something, and the price is only not told. Equity knows: what it is above the rest is theirs (`account_sum`).
def unread(others: Sequence[OtherHolding], uncertain: Decimal) -> Mapping[str, Decimal]:
    """USD by symbol, 0 where it is not known, of holdings that may be shares to manage and are worth something.

    Of one whose element could not be read that is taken for granted; `uncertain` is the account's, see `AccountSum`.
    """
    perhaps = [item for item in others if item.kind in _PERHAPS_MANAGED]
    guessed = uncertain > sum((_at_least(item) for item in perhaps), _NOTHING)
    return {
        item.symbol: abs(item.market_value or _NOTHING)
        for item in perhaps
        if item.symbol and (item.kind == UNREADABLE or _at_least(item) > 0 or (item.market_value is None and guessed))
    }


def _at_least(item: OtherHolding) -> Decimal:
    """USD that a holding is worth, as far as that can be read."""
    return max(item.market_value or _NOTHING, _NOTHING)


def _name(item: OtherHolding) -> str:
    return item.symbol or item.kind
