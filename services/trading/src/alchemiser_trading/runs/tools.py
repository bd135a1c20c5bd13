"""What every run works with, and the one thing that trading and shadow runs both do with it: make the plan."""

import logging
from dataclasses import dataclass
from datetime import timedelta

from alchemiser_common import keys
from alchemiser_common.errors import BrokerRefused, BrokerUnavailable, Unreconciled
from alchemiser_common.messages.decision import TradeDecision
from alchemiser_common.messages.snapshot import Account
from alchemiser_common.ports.broker import Broker, Holdings, MarketReader
from alchemiser_common.ports.clock import Clock, TimeLeft
from alchemiser_common.ports.state import Put, StateStore, Versioned, load, load_all
from alchemiser_common.records.plan import Plan
from alchemiser_common.records.run import RunRecord, SnapshotFigures
from alchemiser_common.records.targets import StoredTargets
from alchemiser_common.settings import Settings
from alchemiser_trading.account.lease import AccountLease
from alchemiser_trading.books.follow_account import Followed, Unfollowed, follow_account, not_followed
from alchemiser_trading.orders.loose import LooseEnds
from alchemiser_trading.orders.rate_limit import RequestBudget
from alchemiser_trading.plan.account_reading import AccountReader, AccountReading
from alchemiser_trading.plan.account_sum import set_aside, unread
from alchemiser_trading.plan.holdings import holdings_of, unclaimed
from alchemiser_trading.plan.limits import within_limits
from alchemiser_trading.plan.notes import notes_of
from alchemiser_trading.plan.plan import Unmanaged, make_plan
from alchemiser_trading.plan.symbol_facts import SymbolFacts, read_symbols
from alchemiser_trading.plan.transfers import DayResult
from alchemiser_trading.runs.checks import Checks

_log = logging.getLogger(__name__)
_LOOKS = 3
"""Whole readings of account and symbols, if cash is another one after each."""


@dataclass(frozen=True, slots=True)
class Tools[B: MarketReader]:
    """Of `B` is the broker: one that can trade, or for a shadow run one that cannot."""

    store: StateStore
    broker: B
    clock: Clock
    settings: Settings
    checks: Checks
    budget: RequestBudget


def make_tools[B: MarketReader](store: StateStore, broker: B, clock: Clock, settings: Settings) -> Tools[B]:
    """Tools with one request budget for all legs of a run."""
    budget = RequestBudget(settings.execution.requests_per_minute, clock, broker)
    return Tools(store, broker, clock, settings, Checks(store, broker, clock, settings), budget)


def planned[B: MarketReader](
    tools: Tools[B], decision: TradeDecision, account: Account
) -> tuple[Plan, tuple[tuple[Put, ...], ...]]:
    """The plan from what the account and each strategy hold now, within the limits; and what the books then are.

    The writes bring the stored books up to the account; whoever may write makes them before the plan is frozen.

    Raises DecisionRefused, Unreconciled, BrokerUnavailable, BrokerRefused, StoreUnavailable, StateCorrupt.
    """
    alias, settings = tools.settings.account_alias, tools.settings
    figures = _figures(tools.store, decision)
    reader = AccountReader(tools.broker, tools.clock, settings, decision.session)
    reading, followed, facts = _seen(tools, decision, reader, account, figures)
    positions, others = reading.holdings.positions, reading.holdings.others
    left_alone = {**set_aside(others), **followed.blocked}
    holdings = holdings_of(decision.signals, followed.books)
    spare = unclaimed(followed.blocked.keys(), decision.targets, holdings, positions)
    plan = make_plan(
        decision,
        reading.account,
        positions,
        followed.books,
        facts.prices,
        facts.assets,
        settings.trading,
        tools.clock.now(),
        Unmanaged(reading.unmanaged + spare, left_alone, unread(others, reading.uncertain), reading.uncertain),
    )
    earlier = {name: known.value for name, known in last_targets(tools.store, alias).items()}
    noted = plan.model_copy(update={"notes": notes_of(decision, plan, earlier, others)})
    unknown = DayResult(None, "the day's transfers are not known: the books could not be brought up to the account")
    day = unknown if isinstance(followed, Unfollowed) else reader.day(reading)
    return within_limits(noted, settings.trading, day), followed.writes


# Prices that disagree are asked for again for up to half a minute, and a person may take cash out meanwhile: a plan
# from the cash that was there would buy the first symbols whole and the last ones hardly. Market values move all the
# time and tell nothing; cash does not move by itself.
def _seen[B: MarketReader](
    tools: Tools[B], decision: TradeDecision, reader: AccountReader, account: Account, figures: SnapshotFigures | None
) -> tuple[AccountReading, Followed | Unfollowed, SymbolFacts]:
    """The account, the books and the symbols of one moment. Raises Unreconciled if cash does not stand still."""
    settings, clock = tools.settings, tools.clock
    before = None if figures is None else figures.positions
    closes = {} if figures is None else {item.symbol: item.price for item in figures.closes}
    targets = [target.symbol for target in decision.targets]
    for _ in range(_LOOKS):
        reading, read_at = reader.read(account, before), clock.now()
        followed = _followed(tools, reading.holdings)
        facts = read_symbols(tools.broker, targets, reading.holdings.positions, closes, settings.execution, clock)
        if clock.now() - read_at < timedelta(seconds=settings.execution.poll_seconds):
            return reading, followed, facts
        account = tools.broker.account()
        if abs(account.cash - reading.account.cash) <= settings.execution.account_tolerance * account.equity:
            return reading, followed, facts
        _log.warning("cash has moved while the plan was made", extra={"then": str(reading.account.cash)})
    raise Unreconciled(
        f"cash was {reading.account.cash:.2f} USD and is {account.cash:.2f}: it has moved {_LOOKS} times while symbols "
        "were read, and no order of this system is open; find out who moves it, then send the decision again"
    )


# The books need the account's activities. If those stay away, the account must still be able to get out of what it
# holds: then the books are as they were, a symbol of which they have another number of shares is left alone, and
# nothing is bought (`planned`).
def _followed[B: MarketReader](tools: Tools[B], holdings: Holdings) -> Followed | Unfollowed:
    """The books brought up to the account, asked for `settle_seconds`."""
    alias, rules = tools.settings.account_alias, tools.settings.execution
    ends = tools.clock.now() + timedelta(seconds=rules.settle_seconds)
    while True:
        try:
            return follow_account(tools.store, tools.broker, alias, holdings, tools.clock.now())
        except (BrokerUnavailable, BrokerRefused) as error:
            if tools.clock.now() >= ends:
                _log.warning("books not brought up to the account", extra={"reason": str(error)})
                return not_followed(tools.store, alias, holdings)
            tools.clock.sleep(rules.poll_seconds)


def _figures(store: StateStore, decision: TradeDecision) -> SnapshotFigures | None:
    """What the data service recorded of the run's snapshot; None if an older one did. Raises StateCorrupt."""
    record = load(store, keys.data_record(decision.run_id), RunRecord)
    return None if record is None else record.value.figures


def loose_ends(tools: Tools[Broker], lease: AccountLease, time_left: TimeLeft) -> LooseEnds:
    """What looks for orders that no leg waits for."""
    patience = timedelta(seconds=tools.settings.execution.cancel_patience_seconds)
    return LooseEnds(tools.store, tools.broker, tools.clock, lease, tools.settings.account_alias, patience, time_left)


def last_targets(store: StateStore, account_alias: str) -> dict[str, Versioned[StoredTargets]]:
    """What each strategy last wanted to hold. Raises StateCorrupt, StoreUnavailable."""
    found = load_all(store, keys.account_partition(account_alias), StoredTargets, prefix=keys.TARGETS_PREFIX)
    return {item.value.strategy: item for item in found}
