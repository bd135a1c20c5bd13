"""What every run works with, and the one thing that trading and shadow runs both do with it: make the plan."""

from collections.abc import Mapping
from dataclasses import dataclass

from alchemiser_common import keys
from alchemiser_common.messages.decision import TradeDecision
from alchemiser_common.messages.snapshot import Account
from alchemiser_common.ports.broker import MarketReader
from alchemiser_common.ports.clock import Clock
from alchemiser_common.ports.state import Put, StateStore, Versioned, load_all
from alchemiser_common.records.plan import Plan, SkippedLeg
from alchemiser_common.records.targets import StoredTargets
from alchemiser_common.settings import Settings
from alchemiser_trading.books.follow_account import follow_account
from alchemiser_trading.orders.rate_limit import RequestBudget
from alchemiser_trading.plan.limits import check_limits
from alchemiser_trading.plan.notes import notes_of
from alchemiser_trading.plan.plan import make_plan
from alchemiser_trading.plan.symbol_facts import read_symbols
from alchemiser_trading.runs.checks import Checks


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

    Raises DecisionRefused, BrokerUnavailable, StoreUnavailable.
    """
    alias = tools.settings.account_alias
    holdings = tools.broker.holdings()
    positions = holdings.positions
    followed = follow_account(tools.store, tools.broker, alias, holdings, tools.clock.now())
    facts = read_symbols(tools.broker, [target.symbol for target in decision.targets], positions)
    rules = tools.settings.trading
    plan = _without(
        followed.blocked,
        make_plan(decision, account, positions, followed.books, facts.prices, facts.assets, rules, tools.clock.now()),
    )
    check_limits(plan, rules)
    earlier = {name: known.value for name, known in last_targets(tools.store, alias).items()}
    return plan.model_copy(update={"notes": notes_of(decision, plan, earlier)}), followed.writes


def _without(blocked: Mapping[str, str], plan: Plan) -> Plan:
    """The plan without trades of symbols whose books and shares disagree."""
    stopped = [leg for leg in plan.legs if leg.symbol in blocked]
    skipped = (
        SkippedLeg(symbol=leg.symbol, side=leg.side, value=leg.value, reason=blocked[leg.symbol], untradable=True)
        for leg in stopped
    )
    legs = [leg for leg in plan.legs if leg not in stopped]
    numbered = tuple(leg.model_copy(update={"number": number}) for number, leg in enumerate(legs, start=1))
    return plan.model_copy(update={"legs": numbered, "skipped": (*plan.skipped, *skipped)}) if stopped else plan


def last_targets(store: StateStore, account_alias: str) -> dict[str, Versioned[StoredTargets]]:
    """What each strategy last wanted to hold. Raises StateCorrupt, StoreUnavailable."""
    found = load_all(store, keys.account_partition(account_alias), StoredTargets, prefix=keys.TARGETS_PREFIX)
    return {item.value.strategy: item for item in found}
