"""ExecutionReport: what became of a decision, leg by leg; StageFailure: why a run ended before it.

RunStatus is the one vocabulary of how a run stands and ended, for every stage, message and record.
"""

from datetime import timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Literal

from pydantic import field_validator

from alchemiser_common.ids import Side
from alchemiser_common.messages.base import Frozen, Message, Price, Quantity, Stage, Symbol
from alchemiser_common.messages.reasons import LegReason
from alchemiser_common.messages.snapshot import Account

BASIS_POINTS = Decimal(10_000)


class RunStatus(StrEnum):
    """Where a run stands, in the order of its life, and how it ended. The event bus and the journal spell some of it
    otherwise: `event_name`, `records.journal.JournalStatus`.
    """

    STARTED = "started"
    PUBLISHED = "published"
    """The snapshot is on its way to the strategies."""
    EXECUTING = "executing"
    """Any of the next four, for whoever does not read the journal."""
    RECEIVED = "received"
    """A decision is here; nothing is planned or sent."""
    PLANNED = "planned"
    """The plan is frozen; from here on a redelivery continues it."""
    SELLING = "selling"
    """Orders may be at the broker; not every sell is done. Buys that cash covers may have begun."""
    BUYING = "buying"
    """Every sell is done."""
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
        return self not in _BEFORE_TRADING | _TRADING

    @property
    def journaled(self) -> bool:
        """Whether a journal may say it: the trading service's steps and the ends."""
        return self not in _BEFORE_TRADING | {RunStatus.EXECUTING}

    @property
    def reported(self) -> "RunStatus":
        """As reports say it: the steps of trading are all `executing`."""
        return RunStatus.EXECUTING if self in _TRADING else self

    @property
    def event_name(self) -> str:
        """An end in the event bus's word, such as RunCompleted. Raises ValueError for what is no end."""
        if not self.final:
            raise ValueError(f"{self.value} is no end of a run, and only ends are published")
        return f"Run{self.value.capitalize()}"


_BEFORE_TRADING = frozenset({RunStatus.STARTED, RunStatus.PUBLISHED})
_TRADING = frozenset({RunStatus.EXECUTING, RunStatus.RECEIVED, RunStatus.PLANNED, RunStatus.SELLING, RunStatus.BUYING})


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
    """What is known to have been filled, at least."""
    unknown: Quantity = Decimal(0)
    """What may have been filled beyond that: an order of the leg could not be settled. Since 1.6."""
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

    @field_validator("status")
    @classmethod
    def _is_a_reports_word(cls, status: RunStatus) -> RunStatus:
        if status is not status.reported:
            raise ValueError(f"{status.value} is a journal's; a report says {status.reported.value}")
        return status


class StageFailure(Message):
    """A stage that cannot write state says here why the run ends; the trading service records it."""

    kind: Literal["stage-failure"] = "stage-failure"
    stage: Stage
    error: str
    """Name of the error class."""
    reason: str
