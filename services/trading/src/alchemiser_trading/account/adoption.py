"""Makes what a store keeps under one alias part of another: of one broker account that was traded under two names.

Nothing is deleted. The alias that was given up says where it went, and no run works with it any more.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import batched

from alchemiser_common import keys
from alchemiser_common.account_binding import read_binding
from alchemiser_common.errors import Conflict, LimitBreached, WrongAccount
from alchemiser_common.messages.report import RunStatus
from alchemiser_common.ports.state import ABSENT, Key, Put, StateStore, load, load_all, parse, put, put_over
from alchemiser_common.records.account_binding import AccountBinding
from alchemiser_common.records.authority import Authority
from alchemiser_common.records.books import DailyEquity, StrategyBook
from alchemiser_common.records.journal import JournalHead
from alchemiser_common.records.run import RunEntry
from alchemiser_common.records.targets import StoredTargets
from alchemiser_common.records.trading_state import TradingState, TradingStateRecord
from alchemiser_common.settings import Environment
from alchemiser_trading.account.audit import Change
from alchemiser_trading.account.lease import require_idle

_AT_ONCE = 90
_MOST_BOOKS = 90
"""Of the last write, beside two leases, switch, authority, two bindings and two audit entries."""
_STRICTNESS = (TradingState.ACTIVE, TradingState.REDUCING, TradingState.HALTED)


@dataclass(frozen=True, slots=True)
class Adoption:
    """What comes over from one alias to another, and what is there already and stays."""

    old: str
    new: str
    books: tuple[StrategyBook, ...]
    """Those of whichever traded last, if that was the old one; none otherwise. With them the targets."""
    emptied: tuple[StrategyBook, ...]
    """Books of the new alias that the old one does not have: their shares are in its books."""
    targets: tuple[StoredTargets, ...]
    sessions: tuple[DailyEquity, ...]
    """Of days that the new alias does not have."""
    runs: tuple[tuple[Key, RunEntry], ...]
    """Lines of the list of runs; the runs themselves stay where they are, under their own ids."""
    state: TradingState
    """The stricter of the two."""
    authority: Authority | None
    """None if the new alias has one, or neither."""

    def lines(self) -> tuple[str, ...]:
        """For a person, what will be done."""
        if self.books:
            books = f"books and targets: {self.old}'s, which traded last: {', '.join(b.strategy for b in self.books)}"
        else:
            books = f"books and targets: {self.new}'s stay, which traded last"
        emptied = ", ".join(book.strategy for book in self.emptied)
        return (
            books + (f"; emptied: {emptied}" if emptied else ""),
            f"list of runs: {len(self.runs)} of {self.old} come over; days of equity: {len(self.sessions)}",
            f"trading: {self.state.value}, the stricter of the two",
            "authority: "
            + (f"{self.authority.pipeline.value}, from {self.old}" if self.authority else f"as {self.new} has it"),
            f"no run works with {self.old} any more; what is stored under it stays readable",
        )


def plan_adoption(store: StateStore, old: str, new: str) -> Adoption:
    """What `adopt` would do; changes nothing. Raises WrongAccount if the two are not one account."""
    _require_one(store, old, new)
    mine, theirs = _equity(store, new), _equity(store, old)
    old_traded_last = _last_trade(store, old) > _last_trade(store, new)
    books, own_books = _books(store, old), _books(store, new)
    taken = books if old_traded_last or not own_books else ()
    names = {book.strategy for book in taken}
    known_runs = {key.sort for key, _ in _runs(store, new)}
    return Adoption(
        old,
        new,
        books=taken,
        emptied=tuple(book for book in own_books if taken and book.lots and book.strategy not in names),
        targets=_targets(store, old) if taken or not own_books else (),
        sessions=tuple(day for key, day in theirs.items() if key not in mine),
        runs=tuple((key, entry) for key, entry in _runs(store, old) if key.sort not in known_runs),
        state=max((_state(store, old), _state(store, new)), key=_STRICTNESS.index),
        authority=None if _authority(store, new) else _authority(store, old),
    )


# The order of the writes, each in one transaction that a worker on either alias would make fail:
#
#   1  lists: runs, days of equity, targets     in as many writes as they need; again if repeated, harmless alone
#   2  books, switch, authority, bindings, audit     one write
#
# Dying before 2 leaves both aliases in use with their own books; the command is given again. After it, the old alias
# is refused everywhere.
def adopt(
    store: StateStore, adoption: Adoption, environment: Environment, *, who: str, reason: str, now: datetime
) -> None:
    """Carry it out as it was planned. Raises RunInProgress while either alias has a run, Conflict if one begins at this
    moment or has ended since, LimitBreached for more than 90 books.
    """
    old, new = adoption.old, adoption.new
    if len(adoption.books) + len(adoption.emptied) > _MOST_BOOKS:
        raise LimitBreached(f"{old} and {new} have more than {_MOST_BOOKS} books, which is all that one write takes")
    lists = [
        *_missing(store, [(Key(keys.runs_partition(new), key.sort), entry) for key, entry in adoption.runs]),
        *_missing(store, [(keys.equity_record(new, day.session), day) for day in adoption.sessions]),
        *(
            put_over(load(store, key, StoredTargets), key, item)
            for item in adoption.targets
            for key in (keys.strategy_targets(new, item.strategy),)
        ),
    ]
    for some in batched(lists, _AT_ONCE, strict=False):
        store.write(*_guards(store, old, new, now), *some)
    change = Change(f"adoption: {old} into {new}: {adoption.lines()[0]}", who, reason, now)
    guards = _guards(store, old, new, now)
    again = plan_adoption(store, old, new)  # read after the guards: what changes from here on makes the write fail
    if (again.books, again.emptied, again.state, again.authority) != (
        adoption.books,
        adoption.emptied,
        adoption.state,
        adoption.authority,
    ):
        raise Conflict(f"{old} or {new} has changed since the adoption was planned: look at it again")
    store.write(
        *guards,
        *_books_written(store, adoption),
        *_switch(store, adoption, who, reason, now),
        *_authority_written(store, adoption),
        *_bindings(store, adoption, environment, now),
        change.entry(new, f"adopted-{old}"),
        change.entry(old, f"adopted-by-{new}"),
    )


def _require_one(store: StateStore, old: str, new: str) -> None:
    if old == new:
        raise WrongAccount(f"{old} is the account that this command works on; name the alias to give up for it")
    known, mine = read_binding(store, old), read_binding(store, new)
    if known is not None and known.value.moved_to:
        raise WrongAccount(f"{old} was given up for {known.value.moved_to} before")
    if mine is not None and mine.value.moved_to:
        raise WrongAccount(f"{new} was itself given up for {mine.value.moved_to}")
    if known is None or mine is None:
        return
    if (known.value.account_id, known.value.environment) != (mine.value.account_id, mine.value.environment):
        raise WrongAccount(
            f"{old} is bound to the broker's {known.value.environment} account {known.value.account_id}, {new} to "
            f"{mine.value.environment} account {mine.value.account_id}: two accounts do not become one"
        )


def _guards(store: StateStore, old: str, new: str, now: datetime) -> tuple[Put, Put]:
    return require_idle(store, old, now), require_idle(store, new, now)


def _missing[M: (RunEntry, DailyEquity)](store: StateStore, wanted: Sequence[tuple[Key, M]]) -> list[Put]:
    """The writes of those that an earlier, interrupted adoption did not make."""
    return [put(key, value, ABSENT) for key, value in wanted if store.get(key) is None]


def _books_written(store: StateStore, adoption: Adoption) -> list[Put]:
    emptied = (StrategyBook(strategy=book.strategy, realised=book.realised) for book in adoption.emptied)
    puts = []
    for book in (*adoption.books, *emptied):
        key = keys.strategy_book(adoption.new, book.strategy)
        puts.append(put_over(load(store, key, StrategyBook), key, book))
    return puts


def _switch(store: StateStore, adoption: Adoption, who: str, reason: str, now: datetime) -> tuple[Put, ...]:
    key = keys.trading_state_record(adoption.new)
    known = load(store, key, TradingStateRecord)
    if adoption.state is (known.value.state if known else TradingState.ACTIVE):
        return ()
    return (put_over(known, key, TradingStateRecord(state=adoption.state, who=who, reason=reason, at=now)),)


def _authority_written(store: StateStore, adoption: Adoption) -> tuple[Put, ...]:
    if adoption.authority is None:
        return ()
    key = keys.authority_record(adoption.new)
    return (put_over(load(store, key, Authority), key, adoption.authority),)


def _bindings(store: StateStore, adoption: Adoption, environment: Environment, now: datetime) -> list[Put]:
    known, mine = read_binding(store, adoption.old), read_binding(store, adoption.new)
    bound = known.value if known else AccountBinding(account_id="", environment=environment.value, since=now)
    given_up = bound.model_copy(update={"moved_to": adoption.new})
    puts = [put_over(known, keys.account_binding(adoption.old), given_up)]
    if known is not None and mine is None:
        puts.append(put(keys.account_binding(adoption.new), bound, ABSENT))
    return puts


def _last_trade(store: StateStore, alias: str) -> str:
    """When the alias's own latest run that left books was scheduled; empty if there is none.

    Runs that came over from another alias are in its list, but their cycles are still called after the other.
    """
    for key, entry in reversed(_runs(store, alias)):
        if entry.cycle_id.startswith(f"{alias}:"):
            head = load(store, keys.journal_record(entry.run_id), JournalHead)
            if head is not None and _left_books(store, head.value):
                return key.sort
    return ""


def _left_books(store: StateStore, head: JournalHead) -> bool:
    if head.phase is RunStatus.HALTED:
        return store.get(keys.plan_record(head.run_id)) is not None  # others were halted before they had a plan
    return head.phase in {RunStatus.COMPLETED, RunStatus.PARTIAL}


def _equity(store: StateStore, alias: str) -> dict[str, DailyEquity]:
    """By day, as it sorts."""
    found = load_all(store, keys.equity_partition(alias), DailyEquity)
    return {item.value.session.isoformat(): item.value for item in found}


def _books(store: StateStore, alias: str) -> tuple[StrategyBook, ...]:
    found = load_all(store, keys.account_partition(alias), StrategyBook, prefix=keys.BOOK_PREFIX)
    return tuple(item.value for item in found)


def _targets(store: StateStore, alias: str) -> tuple[StoredTargets, ...]:
    found = load_all(store, keys.account_partition(alias), StoredTargets, prefix=keys.TARGETS_PREFIX)
    return tuple(item.value for item in found)


def _runs(store: StateStore, alias: str) -> list[tuple[Key, RunEntry]]:
    return [(record.key, parse(record, RunEntry).value) for record in store.list(keys.runs_partition(alias))]


def _state(store: StateStore, alias: str) -> TradingState:
    known = load(store, keys.trading_state_record(alias), TradingStateRecord)
    return TradingState.ACTIVE if known is None else known.value.state


def _authority(store: StateStore, alias: str) -> Authority | None:
    known = load(store, keys.authority_record(alias), Authority)
    return None if known is None else known.value
