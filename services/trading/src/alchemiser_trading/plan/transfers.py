"""The day's loss without what was paid in and out: a withdrawal is no loss, and a deposit hides none. Pure; USD.

Activity codes are Alpaca's, from the activity types of its account activities (docs.alpaca.markets, Trading API,
GET /v2/account/activities).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from alchemiser_common.messages.snapshot import Account
from alchemiser_common.ports.broker import AccountEntry, Activities

CASH: Mapping[str, str] = {
    "CSD": "cash deposit, or a withdrawal that came back",
    "CSW": "cash withdrawal, or a deposit that came back",
    "CSR": "cash receipt",
    "JNL": "journal entry",
    "JNLC": "journal entry of cash",
    "ACATC": "cash from or to another broker",
    "TRANS": "cash transaction of either kind",
}
"""Activities that move cash in or out of the account."""
SECURITIES: Mapping[str, str] = {
    "JNLS": "journal entry of securities",
    "ACATS": "securities from or to another broker",
    "FOPT": "securities, free of payment",
}
"""Activities that move shares in or out of the account."""
VALID = frozenset({"executed", "correct"})
"""Of entries' statuses: `correct` is as valid as `executed`, somebody at the broker had a hand in it."""


@dataclass(frozen=True, slots=True)
class DayResult:
    """How the account stands against the last close, without transfers."""

    loss: Decimal | None
    """Fraction of the equity at the last close; negative for a gain; None if it cannot be told."""
    said: str
    """The figures, or why there are none."""
    transferred: Decimal = Decimal(0)
    """USD paid in (+) or out (-) since the last close."""


def transferred(activities: Activities, prices: Mapping[str, Decimal]) -> Decimal | str:
    """USD that came (+) or went (-); shares count at `prices`. A text says why it cannot be told."""
    if activities.odd:
        return f"{len(activities.odd)} account activities cannot be read: {activities.odd[0]}"
    total = Decimal(0)
    for item in activities.entries:
        if not isinstance(item, AccountEntry) or item.code not in CASH.keys() | SECURITIES.keys():
            continue
        if item.status not in VALID:
            return f"transfer {item.activity_id} ({item.code}, {item.amount} USD) is marked {item.status!r}"
        total += item.amount
        if item.code in SECURITIES and item.quantity:
            price = prices.get(item.symbol)
            if price is None:
                return f"transfer {item.activity_id} moved {item.quantity} {item.symbol}, which has no price"
            total += item.quantity * price
    return total


def day_result(account: Account, moved: Decimal | str) -> DayResult:
    """The day's result of an account after transfers of `moved` USD, or of an amount that cannot be told."""
    before = account.last_equity
    if before is None:
        return DayResult(None, "the broker does not say what equity was at the last close")
    if before <= 0:
        return DayResult(Decimal(0), "the account is new: there was no equity at the last close")
    if isinstance(moved, str):
        return DayResult(None, f"the day's transfers are not known: {moved}")
    loss = 1 - (account.equity - moved) / before
    netted = f", transfers of {moved:+.2f} USD left out" if moved else ""
    return DayResult(
        loss, f"equity fell {loss:.4f} since the last close ({before:.2f} to {account.equity:.2f} USD{netted})", moved
    )
