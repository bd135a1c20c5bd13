"""Reads the account until its figures agree with each other and with the snapshot's, or stops the run."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from alchemiser_common.errors import BrokerRefused, BrokerUnavailable, Unreconciled
from alchemiser_common.messages.snapshot import Account
from alchemiser_common.ports.broker import Holdings, MarketReader
from alchemiser_common.ports.clock import Clock
from alchemiser_common.records.plan import HeldShares
from alchemiser_common.settings import Settings
from alchemiser_trading.plan.account_sum import account_sum, doubtful, moved, unexplained
from alchemiser_trading.plan.transfers import DayResult, day_result, transferred

_WHOLE = Decimal("0.99")


@dataclass(frozen=True, slots=True)
class AccountReading:
    """An account whose figures agree."""

    account: Account
    holdings: Holdings
    unmanaged: Decimal
    """USD of holdings that are not managed."""
    uncertain: Decimal = Decimal(0)
    """USD of them that may be shares to manage."""


@dataclass(frozen=True, slots=True)
class _Look:
    """What one look came to."""

    reading: AccountReading | None
    """None if its figures do not agree."""
    fault: str
    doubtful: bool
    """Another look may say more."""


@dataclass(frozen=True, slots=True)
class AccountReader:
    """What is asked, by which clock and rules, for which session."""

    broker: MarketReader
    clock: Clock
    settings: Settings
    session: date

    # One wrong answer must not decide how much is bought: positions that are lacking once look like cash that was
    # never spent. Fills and cash may also lag for seconds after another run's orders. So what disagrees is read again,
    # the account with it, and only what still disagrees after `settle_seconds` stops the run. So is a position that has
    # just become unreadable: it may be one bad answer, and its symbol is not traded if it stays so.
    def read(self, account: Account, before: Sequence[HeldShares] | None) -> AccountReading:
        """The account, its holdings and what of them is not there to be allocated.

        `before` are the snapshot's positions, None if they are not known. Raises Unreconciled with the figures,
        BrokerUnavailable.
        """
        rules = self.settings.execution
        ends = self.clock.now() + timedelta(seconds=rules.settle_seconds)
        while True:
            late = self.clock.now() >= ends
            try:
                found = self._look(account, before)
                if found.reading is not None and (late or not found.doubtful):
                    return found.reading
                fault = found.fault
            except (BrokerRefused, BrokerUnavailable) as error:
                if late and isinstance(error, BrokerUnavailable):
                    raise
                fault = str(error)
            if late:
                raise Unreconciled(
                    f"the account does not add up, read again for {rules.settle_seconds:.0f} s: {fault}; compare it "
                    "at the broker, then `alchemiser reconcile`"
                )
            self.clock.sleep(rules.poll_seconds)
            account = self._account(account)

    def _look(self, account: Account, before: Sequence[HeldShares] | None) -> "_Look":
        holdings = self.broker.holdings()
        found = account_sum(account, holdings, self.settings.execution.account_tolerance)
        fault = found.fault or self._moved(before, holdings)
        if fault:
            return _Look(None, fault, doubtful=True)
        odd = found.guessed or doubtful(before or (), holdings) or _withheld(account)
        return _Look(AccountReading(account, holdings, found.unmanaged, found.uncertain), "", doubtful=odd)

    def _account(self, known: Account) -> Account:
        """The account as it is now; where the broker does not tell, as it was: it is asked again."""
        try:
            return self.broker.account()
        except (BrokerUnavailable, BrokerRefused):
            return known

    def day(self, reading: AccountReading) -> DayResult:
        """The day's result without transfers; unknown if it cannot be read, asked again for `settle_seconds`."""
        rules = self.settings.execution
        prices = {position.symbol: position.price for position in reading.holdings.positions}
        ends = self.clock.now() + timedelta(seconds=rules.settle_seconds)
        account = reading.account
        while True:
            try:
                session = self.broker.session_on(self.session)
                if session is None:
                    return day_result(account, f"the calendar has no session on {self.session}")
                activities = self.broker.activities(session.previous_day + timedelta(days=1), self.session)
                result = day_result(account, transferred(activities, prices))
            except (BrokerUnavailable, BrokerRefused) as error:
                result = day_result(account, str(error))
            if result.loss is not None or self.clock.now() >= ends:
                return result
            self.clock.sleep(rules.poll_seconds)
            account = self._account(account)

    def _moved(self, before: Sequence[HeldShares] | None, holdings: Holdings) -> str:
        """Positions that are others than the snapshot's without a fill or a notice; empty if there are none."""
        changes = {} if before is None else moved(before, holdings)
        if not changes:
            return ""
        lines = unexplained(changes, self.broker.activities(self.session, self.session))
        return f"positions are others than in the snapshot, and no activity says why: {lines}" if lines else ""


def _withheld(account: Account) -> bool:
    """Whether buying power is below cash: it may be so for a day, and may be one wrong figure that buys nothing."""
    return account.buying_power < account.cash * _WHOLE
