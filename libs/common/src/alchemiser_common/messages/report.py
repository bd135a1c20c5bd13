"""ExecutionReport: what became of a decision, leg by leg; StageFailure: why a run ended before it."""

from datetime import timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Literal

from alchemiser_common.ids import Side
from alchemiser_common.messages.base import Frozen, Message, Price, Quantity, Stage, Symbol
from alchemiser_common.messages.reasons import LegReason
from alchemiser_common.messages.snapshot import Account

BASIS_POINTS = Decimal(10_000)


class RunStatus(StrEnum):
    """Where a run stands; every value but the first three is final."""

    STARTED = "started"
    PUBLISHED = "published"
    """The snapshot is on its way to the strategies."""
    EXECUTING = "executing"
    COMPLETED = "completed"
    PARTIAL = "partial"
    """A leg got less than planned for a reason other than cash."""
    SKIPPED = "skipped"
    """There was nothing to do by the calendar or the clock."""
    EXPIRED = "expired"
    """The decision arrived after its deadline."""
    HALTED = "halted"
    """Stopped for a person to look at."""
    FAILED = "failed"
    SHADOWED = "shadowed"
    """Planned beside the pipeline that trades; nothing was sent."""

    @property
    def final(self) -> bool:
        """Whether a redelivery must not act on the run again."""
        return self not in {RunStatus.STARTED, RunStatus.PUBLISHED, RunStatus.EXECUTING}


class LegStatus(StrEnum):
    """How a leg ended, by the fills that the broker reported."""

    FILLED = "filled"
    PARTIAL = "partial"
    UNFILLED = "unfilled"
    REFUSED = "refused"
    FROZEN = "frozen"
    """An order's state could not be settled; the symbol was left alone."""


class LegReport(Frozen):
    """Intended against done, for one symbol."""

    symbol: Symbol
    side: Side
    status: LegStatus
    intended: Quantity
    filled: Quantity
    average_price: Price | None = None
    arrival_mid: Price | None = None
    """Middle of the quote when the leg started."""
    steps: int = 0
    duration: timedelta = timedelta(0)
    reason: str = ""
    """Why it came to less than intended, with the figures."""
    cause: LegReason | None = None
    """The same as a word of the one list; None if it came to all, and from before 1.6."""

    @property
    def slippage_bps(self) -> Decimal | None:
        """Cost against the arrival mid in basis points; positive is worse than mid."""
        if self.average_price is None or self.arrival_mid is None:
            return None
        sign = 1 if self.side is Side.BUY else -1
        return sign * (self.average_price - self.arrival_mid) / self.arrival_mid * BASIS_POINTS


class Residual(Frozen):
    """Weight wanted and weight held after the run, in fractions of equity."""

    symbol: Symbol
    target: float
    actual: float


class ExecutionReport(Message):
    """The end of a run: status and reason, each leg, the account before and after (USD), and what is left over."""

    kind: Literal["execution-report"] = "execution-report"
    decision_hash: str
    status: RunStatus
    reason: str = ""
    error: str = ""
    """Name of the error class that ended or stopped the run; empty if none did. Since 1.4."""
    notes: tuple[str, ...] = ()
    """What a person should know of the decision: candidates left out, unsettled indicators, new rules. Since 1.5."""
    legs: tuple[LegReport, ...] = ()
    orders_placed: int = 0
    account_before: Account | None = None
    account_after: Account | None = None
    residuals: tuple[Residual, ...] = ()


class StageFailure(Message):
    """A stage that cannot write state says here why the run ends; the trading service records it."""

    kind: Literal["stage-failure"] = "stage-failure"
    stage: Stage
    error: str
    """Name of the error class."""
    reason: str
