"""What the broker shows of an account at a moment, beside its books and the last run's targets. Pure; USD."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from alchemiser_common.messages.snapshot import Account, Position
from alchemiser_readmodel.account import AccountRecords
from alchemiser_readmodel.open_lots import shares_held


@dataclass(frozen=True, slots=True)
class BrokerAnswers:
    """What was asked, as it was answered."""

    at: datetime
    account: Account
    positions: tuple[Position, ...]
    others: tuple[str, ...]
    """Holdings that are not managed, each in words."""
    open_orders: int
    next_decision: datetime | None
    """None if the calendar has no session soon."""


@dataclass(frozen=True, slots=True)
class HeldNow:
    """One symbol that broker or books have."""

    symbol: str
    shares: Decimal
    """By the broker."""
    in_books: Decimal
    value: Decimal
    weight: Decimal | None
    """Fraction of equity; None without equity."""
    target: float | None
    """The last run's."""

    @property
    def agrees(self) -> bool:
        """Whether broker and books have as many shares."""
        return self.shares == self.in_books


@dataclass(frozen=True, slots=True)
class AtBroker:
    """The account now."""

    answers: BrokerAnswers
    holdings: tuple[HeldNow, ...]
    earned: Decimal | None
    """USD since the last run's record, as long as nothing was transferred since; None without such a record."""


def at_broker(records: AccountRecords, answers: BrokerAnswers, targets: Mapping[str, float]) -> AtBroker:
    """The broker's answers beside the books and the last run's targets (fractions of equity by symbol)."""
    books, held = shares_held(records.books), {item.symbol: item for item in answers.positions}
    equity = answers.account.equity
    holdings = [
        _held(symbol, held.get(symbol), books.get(symbol, Decimal(0)), equity, targets.get(symbol))
        for symbol in held.keys() | books.keys()
    ]
    return AtBroker(
        answers=answers,
        holdings=tuple(sorted(holdings, key=lambda item: (-item.value, item.symbol))),
        earned=equity - records.equity[-1].equity if records.equity else None,
    )


def differing(holdings: Sequence[HeldNow]) -> tuple[str, ...]:
    """A sentence for each symbol whose books are not what the broker has."""
    return tuple(
        f"{item.symbol}: {item.shares} at the broker, {item.in_books} in the books; see `alchemiser reconcile`"
        for item in holdings
        if not item.agrees
    )


def _held(symbol: str, position: Position | None, in_books: Decimal, equity: Decimal, target: float | None) -> HeldNow:
    shares, value = (Decimal(0), Decimal(0)) if position is None else (position.quantity, position.market_value)
    return HeldNow(symbol, shares, in_books, value, value / equity if equity > 0 else None, target)
