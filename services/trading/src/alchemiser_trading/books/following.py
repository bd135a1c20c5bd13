"""The books after what happened on the account: each activity is booked once, and taken back if the broker does. Pure.

In: books, what of the account is booked already, the activities of the last days. Out: the same, step by step, each
with a line for a person. What cannot be explained is named and changes nothing.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from decimal import Decimal

from alchemiser_common.ids import Side
from alchemiser_common.ports.broker import AccountEntry, Activity, Fill
from alchemiser_common.ports.clock import EXCHANGE_ZONE
from alchemiser_common.records.books import (
    BookedEntry,
    BookedEvent,
    BookedFill,
    BookedOrder,
    BookedRun,
    FollowedAccount,
)
from alchemiser_common.records.plan import Plan
from alchemiser_trading.books.account_events import (
    CANCELED,
    Event,
    Kind,
    events_of,
    exchange_of,
)
from alchemiser_trading.books.apportion import apportioned
from alchemiser_trading.books.attribution import attribute_late
from alchemiser_trading.books.books import UNASSIGNED, Book, bought, sold, total
from alchemiser_trading.books.corporate_actions import Exchange, Unexplained, exchanged, shares_before
from alchemiser_trading.books.corrections import taken_back
from alchemiser_trading.books.dividends import earners, paid
from alchemiser_trading.books.ledger import Ledger, Step, booked_entry
from alchemiser_trading.plan.transfers import VALID

LOOK_BACK = timedelta(days=10)
"""How far each reading goes back beyond the last one: notices come late, and are corrected."""
_REMEMBERED = 2 * LOOK_BACK
"""How long an event is known after it was booked: longer than any reading shows it."""
_FILLS_LATE = timedelta(days=2)
"""Older fills than this before the last reading are booked: the broker reports them within seconds."""
_ANNOUNCED = "announced"
_NEAR = timedelta(days=5)
"""Between the day that a split was announced for and the one of the broker's entries."""
_PAIR = "/"
"""In the name of what is no stock, such as BTC/USD."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What else must be known of activities."""

    prices: Mapping[str, Decimal]
    """USD by symbol, of now."""
    owners: Mapping[str, Plan] = field(default_factory=dict)
    """By the broker's order id: the plans of the runs whose orders they are; all others are a person's."""


def follow(ledger: Ledger, activities: Sequence[Activity], facts: Facts, now: datetime) -> Iterator[Step]:
    """Every step from the ledger to one that has all activities; the last one only notes the moment."""
    entries = [item for item in activities if isinstance(item, AccountEntry)]
    today = _day(now)
    for step in taken_back(ledger, entries, today):
        ledger = step.ledger
        yield step
    known = {entry.activity_id for event in ledger.account.events for entry in event.entries}
    fresh = [entry for entry in entries if entry.status in VALID and entry.activity_id not in known]
    due: list[tuple[date, int, float, Event | Fill]] = [
        *((event.day, 0, 0.0, event) for event in events_of(fresh)),
        *((_day(fill.at), 1, fill.at.timestamp(), fill) for fill in unbooked_fills(ledger.account, activities)),
    ]
    # A day's events take effect before its market opens; of one day they keep their order, and fills theirs.
    for *_, item in sorted(due, key=lambda one: (one[0], one[1], one[2])):
        try:
            step = _filled(ledger, item, facts) if isinstance(item, Fill) else _booked(ledger, item, facts, today)
        except Unexplained as error:
            step = Step(ledger, unexplained=dict.fromkeys(error.symbols, f"{error} ({_text(item)})"))
        ledger = step.ledger
        yield step
    yield Step(replace(ledger, account=_pruned(ledger.account, now)))


def adopted(activities: Sequence[Activity], now: datetime) -> FollowedAccount:
    """Where following begins: whatever has happened so far is in the broker's figures, and in the books by them."""
    entries = [item for item in activities if isinstance(item, AccountEntry) and item.status in {*VALID, CANCELED}]
    fills = [BookedFill(activity_id=item.activity_id, at=item.at) for item in activities if isinstance(item, Fill)]
    events = tuple(BookedEvent(day=entry.day, booked=_day(now), entries=(booked_entry(entry),)) for entry in entries)
    return _pruned(FollowedAccount(through=now, events=events, fills=tuple(fills)), now)


def unbooked_fills(account: FollowedAccount, activities: Iterable[Activity]) -> list[Fill]:
    """Fills that are not in the books, oldest first: of an order of a run what exceeds what the run booked itself."""
    since = account.through - _FILLS_LATE
    known = {fill.activity_id for fill in account.fills}
    booked = {order.order_id: order.quantity for run in account.runs for order in run.orders}
    left = []
    for fill in sorted((item for item in activities if isinstance(item, Fill)), key=lambda item: item.at):
        if fill.at < since or fill.activity_id in known:
            continue
        here = min(booked.get(fill.order_id, Decimal(0)), fill.quantity)
        if here > 0:
            booked[fill.order_id] -= here
        if fill.quantity > here:
            left.append(fill if here == 0 else fill.model_copy(update={"quantity": fill.quantity - here}))
    return left


def announced(ledger: Ledger, symbol: str, day: date, quantity: Decimal, today: date) -> Step:
    """A split that the position shows and the announcements explain, before the account's own entries have come.

    `quantity` are the shares that came, negative if they went. Raises Unexplained.
    """
    before = shares_before(ledger.books, symbol, day)
    split = Exchange(symbol, None, {symbol: before + quantity}, Decimal(0), day)
    entry = BookedEntry(
        activity_id=f"{_ANNOUNCED} {symbol} {day}", code="SPLIT", symbol=symbol, quantity=quantity, amount=Decimal(0)
    )
    after = exchanged(ledger.books, split, {})
    note = f"SPLIT {symbol} {quantity:+} shares of {day}, as announced"
    return Step(ledger.after(after, BookedEvent(day=day, booked=today, entries=(entry,))), note)


def _booked(ledger: Ledger, event: Event, facts: Facts, today: date) -> Step:
    """An event in the books. Raises Unexplained."""
    entries = tuple(booked_entry(entry) for entry in event.entries)
    known = _as_announced(ledger.account, event)
    if known is not None:
        return _arrived(ledger, known, event, facts, today)
    books = ledger.books
    outside = Decimal(0)
    match event.kind:
        case Kind.ISSUER:
            after = _by_issuer(books, event, facts)
        case Kind.INCOME:
            after = paid(books, event.entries[0])
        case Kind.OUTSIDE:
            after, outside = dict(books), event.cash
        case Kind.TRANSFER:
            after = _transferred(books, event, facts)
            outside = _from_outside(books, after, event.cash)
    booked = BookedEvent(day=event.day, booked=today, entries=entries, transferred=outside)
    step = ledger.after(after, booked)
    return Step(step, f"{event.text()}{_whose(step.account.events[-1])}")


def _by_issuer(books: Mapping[str, Book], event: Event, facts: Facts) -> dict[str, Book]:
    moves = event.shares(1) or event.shares(-1)
    if not moves and not any(total(books.values(), symbol) for symbol in event.symbols):
        # The last of what shares came to that are gone by now: a merger's or a fraction's cash.
        shares = apportioned(event.cash, earners(books, event.entries[0]))
        return {
            **books,
            **{name: books.get(name, Book(strategy=name)).earned(realised=part) for name, part in shares.items()},
        }
    exchange = exchange_of(event, lambda symbol: shares_before(books, symbol, event.day))
    return exchanged(books, exchange, facts.prices)


def _transferred(books: Mapping[str, Book], event: Event, facts: Facts) -> dict[str, Book]:
    """Shares that come from outside are nobody's, at what they are worth; those that go there are taken as if sold."""
    after = dict(books)
    for symbol, quantity in event.shares(1).items():
        price = facts.prices.get(symbol)
        if price is None:
            raise Unexplained(f"{symbol} came into the account and has no price", symbol)
        after = bought(after, UNASSIGNED, symbol, quantity, price, event.day)
    for symbol, quantity in event.shares(-1).items():
        here = min(quantity, total(after.values(), symbol))
        after = sold(after, symbol, here, facts.prices.get(symbol), event.day)
    return after


def _from_outside(before: Mapping[str, Book], after: Mapping[str, Book], cash: Decimal) -> Decimal:
    """USD that an event brought from outside: what the account gained in cash and cost, and nobody earned."""

    def worth(books: Mapping[str, Book]) -> Decimal:
        return sum((book.cost() - book.realised - book.income for book in books.values()), Decimal(0))

    return cash + worth(after) - worth(before)


def _filled(ledger: Ledger, fill: Fill, facts: Facts) -> Step:
    """A fill that no run has booked: of a run that has ended, or a person's."""
    account, day = ledger.account, _day(fill.at)
    plan = facts.owners.get(fill.order_id)
    if plan is not None:
        after = attribute_late(ledger.books, plan, fill)
        account = account.model_copy(update={"runs": _with_fill(account.runs, plan, fill)})
        note = f"late fill of run {plan.run_id}: {_text(fill)}"
        return Step(Ledger(after, account), note)
    seen = BookedFill(activity_id=fill.activity_id, at=fill.at)
    account = account.model_copy(update={"fills": (*account.fills, seen)})
    after, outside = dict(ledger.books), Decimal(0)
    if fill.side is Side.BUY and _PAIR not in fill.symbol:
        after = bought(after, UNASSIGNED, fill.symbol, fill.quantity, fill.price, day)
    else:
        # What is no stock, or sold without being held, is not managed: its cash is as if it came from outside.
        held = total(after.values(), fill.symbol)
        here = min(fill.quantity, held) if fill.side is Side.SELL else Decimal(0)
        after = sold(after, fill.symbol, here, fill.price, day)
        sign = 1 if fill.side is Side.SELL else -1
        outside = sign * (fill.quantity - here) * fill.price
    account = account.model_copy(update={"transferred": account.transferred + outside})
    return Step(Ledger(after, account), f"by hand: {_text(fill)}")


def _with_fill(runs: Sequence[BookedRun], plan: Plan, fill: Fill) -> tuple[BookedRun, ...]:
    """The runs' orders after one more fill of one of them."""
    known = next((run for run in runs if run.run_id == plan.run_id), None)
    run = known or BookedRun(run_id=plan.run_id, session=_day(fill.at), orders=())
    earlier = sum((order.quantity for order in run.orders if order.order_id == fill.order_id), Decimal(0))
    order = BookedOrder(order_id=fill.order_id, quantity=earlier + fill.quantity)
    orders = (*(other for other in run.orders if other.order_id != fill.order_id), order)
    return (*(other for other in runs if other is not known), run.model_copy(update={"orders": orders}))


def _as_announced(account: FollowedAccount, event: Event) -> BookedEvent | None:
    """The booked event that had been announced, of which these are the broker's entries."""
    if event.kind is not Kind.ISSUER or len(event.symbols) != 1:
        return None
    change = sum((entry.quantity for entry in event.entries), Decimal(0))
    for known in account.events:
        (first, *rest) = known.entries
        waiting = first.activity_id.startswith(_ANNOUNCED) and not rest and abs(known.day - event.day) <= _NEAR
        if waiting and first.symbol in event.symbols and first.quantity == change:
            return known
    return None


def _arrived(ledger: Ledger, known: BookedEvent, event: Event, facts: Facts, today: date) -> Step:
    """The broker's entries of what had been announced: their shares are booked, their cash is not."""
    shares = tuple(booked_entry(entry) for entry in event.entries if entry.quantity != 0)
    joined = known.model_copy(update={"entries": (*known.entries, *shares)})
    events = tuple(joined if booked is known else booked for booked in ledger.account.events)
    after = replace(ledger, account=ledger.account.model_copy(update={"events": events}))
    cash = tuple(entry.model_copy(update={"quantity": Decimal(0)}) for entry in event.entries if entry.amount != 0)
    return _booked(after, Event(event.day, cash), facts, today) if cash else Step(after)


def _pruned(account: FollowedAccount, now: datetime) -> FollowedAccount:
    """Without what no later reading goes back to."""
    return account.model_copy(
        update={
            "through": now,
            "runs": tuple(run for run in account.runs if run.session >= _day(now - _FILLS_LATE)),
            "fills": tuple(fill for fill in account.fills if fill.at >= now - _FILLS_LATE),
            "events": tuple(event for event in account.events if event.booked >= _day(now) - _REMEMBERED),
        }
    )


def first_day(account: FollowedAccount | None, now: datetime) -> date:
    """From which exchange date on activities are to be read."""
    return _day(now if account is None else account.through) - LOOK_BACK


def _whose(event: BookedEvent) -> str:
    """Whom an event brought how much, for a person."""
    parts = [
        f"{change.strategy} {change.realised + change.income:+.2f}"
        for change in event.changes
        if change.realised + change.income
    ]
    return f": {', '.join(parts)}" if parts else ""


def _text(item: Event | Fill) -> str:
    if isinstance(item, Fill):
        return f"{item.side.value} {item.quantity} {item.symbol} at {item.price} USD, {_day(item.at)}"
    return item.text()


def _day(at: datetime) -> date:
    return at.astimezone(EXCHANGE_ZONE).date()
