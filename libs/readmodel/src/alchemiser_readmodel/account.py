"""What is stored of one account, side by side: read as a whole. What it means, the others here say."""

from dataclasses import dataclass
from decimal import Decimal

from alchemiser_common.records.account_binding import AccountBinding
from alchemiser_common.records.authority import Authority
from alchemiser_common.records.books import DailyEquity, FollowedAccount, StrategyBook
from alchemiser_common.records.lease import LeaseRecord
from alchemiser_common.records.loose import LooseOrders
from alchemiser_common.records.parity import Parity
from alchemiser_common.records.plan import Plan
from alchemiser_common.records.trading_state import TradingStateRecord
from alchemiser_readmodel.performance import Worth, worths
from alchemiser_readmodel.runs import RunSummary


@dataclass(frozen=True, slots=True)
class AccountRecords:
    """Everything about one account that outlives a run, and its newest runs."""

    alias: str
    binding: AccountBinding | None = None
    authority: Authority | None = None
    switch: TradingStateRecord | None = None
    lease: LeaseRecord | None = None
    loose: tuple[LooseOrders, ...] = ()
    books: tuple[StrategyBook, ...] = ()
    followed: FollowedAccount | None = None
    equity: tuple[DailyEquity, ...] = ()
    """Oldest first."""
    opening: Decimal | None = None
    """Equity before the first run that read the account, USD."""
    runs: tuple[RunSummary, ...] = ()
    """The newest first."""
    plan: Plan | None = None
    """Of the newest of these runs that came to one."""
    parities: tuple[Parity, ...] = ()
    """The newest first."""

    @property
    def curve(self) -> tuple[Worth, ...]:
        """The account's worth, oldest first."""
        return worths(self.equity, self.opening)

    @property
    def prices(self) -> dict[str, Decimal]:
        """USD a share when the newest plan was made, of what the account held and what was to be traded."""
        if self.plan is None:
            return {}
        traded = {leg.symbol: leg.price for leg in self.plan.legs}
        return {**traded, **{item.symbol: item.price for item in self.plan.positions}}
