"""The checks before the first order, in their order, each with its own error. What cannot be read stops the trade."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from alchemiser_common import keys
from alchemiser_common.account_binding import check_binding
from alchemiser_common.errors import (
    BrokerUnavailable,
    DecisionExpired,
    DecisionRefused,
    MarketClosed,
    NotArmed,
    NotAuthorised,
    TradingHalted,
    WrongAccount,
)
from alchemiser_common.ids import Pipeline
from alchemiser_common.messages.decision import TradeDecision
from alchemiser_common.messages.snapshot import Account
from alchemiser_common.ports.broker import MarketReader
from alchemiser_common.ports.clock import EXCHANGE_ZONE, Clock
from alchemiser_common.ports.state import StateStore, load
from alchemiser_common.records.authority import Authority
from alchemiser_common.records.journal import JournalHead
from alchemiser_common.records.plan import Plan
from alchemiser_common.records.run import RunRecord
from alchemiser_common.records.trading_state import TradingState
from alchemiser_common.settings import Environment, Settings
from alchemiser_trading.account.authority import require_authority
from alchemiser_trading.account.binding import bind_account
from alchemiser_trading.account.trading_state import trading_state
from alchemiser_trading.orders.order_gateway import read_skew
from alchemiser_trading.runs.decision_checks import check_origin, check_targets, check_times

_CLOCK_ATTEMPTS = 3


@dataclass(frozen=True, slots=True)
class Permit:
    """What the checks found: who may trade, until when, and by whose clock."""

    authority: Authority
    account: Account
    deadline: datetime
    """No order after this, by the broker's clock."""
    skew: timedelta
    """The broker's clock minus this machine's."""


@dataclass(frozen=True, slots=True)
class Checks:
    """The checks with what they look at: state, broker, clock, settings."""

    store: StateStore
    broker: MarketReader
    clock: Clock
    settings: Settings

    def run(self, decision: TradeDecision) -> Permit:
        """All of them. Raises DecisionRefused in the kind that fits, or TransientError if something is unreachable."""
        check_alias(self.settings, decision.account_alias)
        check_origin_and_content(self.store, decision, self.settings)
        return self._standing(decision.pipeline, decision.account_id, decision.session, decision.not_after)

    def run_again(self, head: JournalHead, plan: Plan) -> Permit:
        """The same for a run whose plan is frozen; the authority must be the one it was frozen under."""
        permit = self._standing(head.pipeline, plan.account.account_id, plan.session, head.not_after)
        if permit.authority.epoch != head.authority_epoch:
            raise NotAuthorised(
                f"authority changed from epoch {head.authority_epoch} to {permit.authority.epoch} during the run"
            )
        return permit

    def run_in_shadow(self, decision: TradeDecision) -> Account:
        """Those that do not concern sending orders; the account as it is now. Raises as `run`."""
        check_alias(self.settings, decision.account_alias)
        check_origin_and_content(self.store, decision, self.settings)
        now = self.clock.now() + clock_skew(self.broker, self.clock, self.settings)
        check_deadline(decision.not_after, now)
        account = self.broker.account()
        check_account(account, decision.account_id, self.settings)
        check_binding(self.store, self.settings.account_alias, self.settings.environment, account.account_id)
        check_session(self.broker, decision.session, now, self.settings)
        return account

    def _standing(self, pipeline: Pipeline, account_id: str, session: date, not_after: datetime) -> Permit:
        alias = self.settings.account_alias
        skew = clock_skew(self.broker, self.clock, self.settings)
        now = self.clock.now() + skew
        check_deadline(not_after, now)
        authority = require_authority(self.store, alias, pipeline)
        check_trading_state(self.store, alias)
        check_arming(self.settings, paper_key=self.broker.paper)
        account = self.broker.account()
        check_account(account, account_id, self.settings)
        last = check_session(self.broker, session, now, self.settings)
        bind_account(self.store, alias, self.settings.environment, account.account_id, now)
        return Permit(authority, account, min(not_after, last), skew)


def check_alias(settings: Settings, account_alias: str) -> None:
    """Raises WrongAccount if a message is for another account than this process works for."""
    if account_alias != settings.account_alias:
        raise WrongAccount(
            f"the message is for account {account_alias}; this process works for {settings.account_alias}"
        )


def check_origin_and_content(store: StateStore, decision: TradeDecision, settings: Settings) -> None:
    """The decision follows from the run that it names. Raises DecisionRefused, StateCorrupt, StoreUnavailable."""
    record = load(store, keys.data_record(decision.run_id), RunRecord)
    check_origin(decision, None if record is None else record.value)
    check_targets(decision)
    check_times(decision, settings.schedule)


def clock_skew(broker: MarketReader, clock: Clock, settings: Settings) -> timedelta:
    """The broker's clock minus this machine's. Raises DecisionRefused if they are too far apart to trust either, and
    BrokerUnavailable if each answer took too long to say.
    """
    for _ in range(_CLOCK_ATTEMPTS):
        skew = read_skew(broker, clock)
        if skew is not None:
            break
    else:
        raise BrokerUnavailable(f"the broker's clock took too long to answer, {_CLOCK_ATTEMPTS} times in a row")
    limit = settings.execution.max_clock_skew_seconds
    if abs(skew.total_seconds()) > limit:
        raise DecisionRefused(
            f"this machine's clock is {skew.total_seconds():+.1f} s off the broker's; limit {limit} s"
        )
    return skew


def check_deadline(not_after: datetime, now: datetime) -> None:
    """Raises DecisionExpired at the deadline and after."""
    if now >= not_after:
        raise DecisionExpired(
            f"the decision was good until {not_after.isoformat(timespec='seconds')}; it is "
            f"{now.isoformat(timespec='seconds')}"
        )


def check_trading_state(store: StateStore, account_alias: str) -> None:
    """Raises TradingHalted if nothing at all may be sent."""
    if trading_state(store, account_alias) is TradingState.HALTED:
        raise TradingHalted(
            f"account {account_alias} is halted; `alchemiser resume --account {account_alias}` ends that"
        )


def check_arming(settings: Settings, *, paper_key: bool) -> None:
    """Raises NotArmed unless environment, both locks and the kind of key agree."""
    if settings.environment is Environment.PAPER and not paper_key:
        raise NotArmed("environment is paper, but the broker key is a live key")
    if settings.environment is not Environment.LIVE:
        return
    if not settings.live.armed:
        raise NotArmed("environment is live, but live.armed is false")
    if not settings.live.account_id:
        raise NotArmed("environment is live, but live.account_id names no account")
    if paper_key:
        raise NotArmed("environment is live, but the broker key is not known to be a live key")


def check_account(account: Account, decided_for: str, settings: Settings) -> None:
    """Raises WrongAccount, or DecisionRefused if the broker blocks the account."""
    if account.account_id != decided_for:
        raise WrongAccount(f"the decision is for account {decided_for}, the broker key opens {account.account_id}")
    if settings.environment is Environment.LIVE and account.account_id != settings.live.account_id:
        raise WrongAccount(f"live.account_id is {settings.live.account_id}, the key opens {account.account_id}")
    if account.blocked or account.status.upper() != "ACTIVE":
        raise DecisionRefused(
            f"account {account.account_id} cannot trade: status {account.status}, blocked or suspended"
        )


def check_session(broker: MarketReader, wanted: date, now: datetime, settings: Settings) -> datetime:
    """The moment after which no order may be sent today. Raises MarketClosed; the broker's calendar decides."""
    day = now.astimezone(EXCHANGE_ZONE).date()
    if day != wanted:
        raise MarketClosed(f"the decision is for the session of {wanted}, today is {day}")
    session = broker.session_on(day)
    if session is None:
        raise MarketClosed(f"{day} is not a trading day")
    if now < session.opens:
        raise MarketClosed(f"the session of {day} opens at {session.opens.isoformat(timespec='minutes')}")
    last = session.closes - timedelta(minutes=settings.schedule.close_margin_minutes)
    if now >= last:
        raise MarketClosed(
            f"the session of {day} closes at {session.closes.isoformat(timespec='minutes')}; orders are sent until "
            f"{settings.schedule.close_margin_minutes} minutes before"
        )
    return last
