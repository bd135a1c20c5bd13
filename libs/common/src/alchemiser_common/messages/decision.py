"""TradeDecision: the portfolio to hold, the signals behind it, and why."""

from collections import Counter
from datetime import date
from enum import StrEnum
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from alchemiser_common.messages.base import Frozen, Message, Symbol, UtcTime, Weight
from alchemiser_common.messages.snapshot import BarPolicy, TargetWeight

WEIGHT_TOLERANCE = 1e-9
"""How far weights may be from their sum through rounding."""


class SignalStatus(StrEnum):
    """What a strategy says: weights, keep what you have, or no statement for lack of data."""

    TARGET = "target"
    HOLD = "hold"
    UNKNOWN = "unknown"


class ConditionStep(Frozen):
    """One comparison met on the path to the result."""

    kind: Literal["condition"] = "condition"
    text: str
    """As the strategy writes it, e.g. ``rsi(TQQQ, 10) > 79``."""
    left: float
    right: float
    holds: bool
    margin: float
    """left - right, in the operands' unit."""
    fragile: bool = False
    """A move of 0.1 % in one symbol's last close would change the outcome, and with it the weights."""
    turned_by: str = ""
    """That move, e.g. ``SPY -0.1 %``; empty if the step is not fragile."""


class Candidate(Frozen):
    """One candidate of a ranking; `value` is None if it could not be computed."""

    name: str
    value: float | None
    chosen: bool


class RankingStep(Frozen):
    """One ranking met on the path to the result."""

    kind: Literal["ranking"] = "ranking"
    text: str
    """E.g. ``top 3 by moving-average-return(90)``."""
    candidates: tuple[Candidate, ...]
    fragile: bool = False
    turned_by: str = ""


class UnknownReading(Frozen):
    """An indicator that could not be computed."""

    symbol: str
    indicator: str
    bars_had: int
    bars_needed: int


type ExplanationStep = Annotated[ConditionStep | RankingStep, Field(discriminator="kind")]


class Explanation(Frozen):
    """Why a signal says what it says."""

    summary: str
    steps: tuple[ExplanationStep, ...] = ()
    unknown: tuple[UnknownReading, ...] = ()
    """What could not be computed on the path: of a signal with weights, the candidates that a ranking left out."""
    unsettled: tuple[UnknownReading, ...] = ()
    """Recursive indicators on the path that still feel how they were begun: the symbol is too young. Since 1.5."""
    otherwise: tuple[TargetWeight, ...] = ()
    """What a fragile signal would have become at its first fragile step; empty if it is not fragile."""

    @property
    def fragile(self) -> bool:
        """Whether a price move of 0.1 % on the last bar would change the weights."""
        return any(step.fragile for step in self.steps)


class Signal(Frozen):
    """One strategy's target weights (fractions of its own capital) with its explanation.

    A held signal's weights are what earlier targets have drifted to, for people and for comparison: what is held is the
    strategy's own shares.
    """

    strategy: str
    allocation: Weight
    status: SignalStatus
    weights: tuple[TargetWeight, ...]
    explanation: Explanation
    rules: str = ""
    """SHA-256 (hex) of what the strategy decides by: another one is another strategy under that name. Since 1.5."""

    @model_validator(mode="after")
    def _weights_make_sense(self) -> Self:
        _check_weights(f"signal {self.strategy}", self.weights)
        return self


class StrategyShare(Frozen):
    """How much of a target's weight one strategy asked for, in fractions of equity."""

    strategy: str
    weight: Weight


class Target(Frozen):
    """One symbol's share of equity, and the strategies that asked for it."""

    symbol: Symbol
    weight: Weight
    shares: tuple[StrategyShare, ...]


class ComponentVersion(Frozen):
    """A build that took part in the decision: component, version, git commit."""

    component: str
    version: str
    git_sha: str


class TradeDecision(Message):
    """Consolidated target weights; what no target names is to be sold, what they leave is cash."""

    ENVELOPE: ClassVar[frozenset[str]] = Message.ENVELOPE | {"versions"}

    kind: Literal["trade-decision"] = "trade-decision"
    account_id: str
    snapshot_hash: str
    session: date
    as_of: date
    bar_policy: BarPolicy
    not_after: UtcTime
    targets: tuple[Target, ...]
    signals: tuple[Signal, ...]
    versions: tuple[ComponentVersion, ...] = ()

    @model_validator(mode="after")
    def _targets_make_sense(self) -> Self:
        _check_weights("targets", self.targets)
        for target in self.targets:
            shared = sum(share.weight for share in target.shares)
            if abs(shared - target.weight) > WEIGHT_TOLERANCE:
                raise ValueError(f"target {target.symbol}: shares add up to {shared}, weight is {target.weight}")
        return self


def _check_weights(where: str, weights: tuple[TargetWeight, ...] | tuple[Target, ...]) -> None:
    repeated = [symbol for symbol, times in Counter(item.symbol for item in weights).items() if times > 1]
    if repeated:
        raise ValueError(f"{where}: symbols appear more than once: {', '.join(sorted(repeated))}")
    total = sum(item.weight for item in weights)
    if total > 1 + WEIGHT_TOLERANCE:
        raise ValueError(f"{where}: weights add up to {total}, more than 1")
