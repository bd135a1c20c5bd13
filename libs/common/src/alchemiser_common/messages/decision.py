"""TradeDecision: the portfolio to hold, the signals behind it, and why."""

import math
from collections import Counter
from collections.abc import Sequence
from datetime import date
from enum import StrEnum
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, FiniteFloat, model_validator

from alchemiser_common.messages.base import MOST_SYMBOLS, Frozen, Message, StrategyName, Symbol, UtcTime, Weight
from alchemiser_common.messages.snapshot import BarPolicy, TargetWeight

WEIGHT_TOLERANCE = 1e-9
"""How far weights may be from their sum through rounding."""
_MOST_SIGNALS = 1_000
"""Of one decision: far above what an account takes."""


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
    left: FiniteFloat
    right: FiniteFloat
    holds: bool
    margin: FiniteFloat
    """left - right, in the operands' unit."""
    fragile: bool = False
    """A move of 0.1 % in one symbol's last close would change the outcome, and with it the weights."""
    turned_by: str = ""
    """That move, e.g. ``SPY -0.1 %``; empty if the step is not fragile."""


class Candidate(Frozen):
    """One candidate of a ranking; `value` is None if it could not be computed."""

    name: str
    value: FiniteFloat | None
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

    strategy: StrategyName
    allocation: Weight
    status: SignalStatus
    weights: tuple[TargetWeight, ...] = Field(max_length=MOST_SYMBOLS)
    explanation: Explanation
    rules: str = ""
    """SHA-256 (hex) of what the strategy decides by: another one is another strategy under that name. Since 1.5."""

    @model_validator(mode="after")
    def _weights_make_sense(self) -> Self:
        _check_weights(f"signal {self.strategy}", self.weights)
        return self


class StrategyShare(Frozen):
    """How much of a target's weight one strategy asked for, in fractions of equity."""

    strategy: StrategyName
    weight: Weight


class Target(Frozen):
    """One symbol's share of equity, and the strategies that asked for it."""

    symbol: Symbol
    weight: Weight
    shares: tuple[StrategyShare, ...] = Field(max_length=_MOST_SIGNALS)


class ComponentVersion(Frozen):
    """A build that took part in the decision: component, version, git commit."""

    component: str
    version: str
    git_sha: str


class TradeDecision(Message):
    """Consolidated target weights; what no target names is to be sold, what they leave is cash.

    Targets are what the signals add up to by `netted`, exactly; whoever trades on a decision works it out again.
    """

    ENVELOPE: ClassVar[frozenset[str]] = Message.ENVELOPE | {"versions"}

    kind: Literal["trade-decision"] = "trade-decision"
    account_id: str
    snapshot_hash: str
    session: date
    as_of: date
    bar_policy: BarPolicy
    not_after: UtcTime
    targets: tuple[Target, ...] = Field(max_length=MOST_SYMBOLS)
    signals: tuple[Signal, ...] = Field(max_length=_MOST_SIGNALS)
    versions: tuple[ComponentVersion, ...] = ()

    @model_validator(mode="after")
    def _targets_make_sense(self) -> Self:
        _check_weights("targets", self.targets)
        for target in self.targets:
            shared = sum(share.weight for share in target.shares)
            if abs(shared - target.weight) > WEIGHT_TOLERANCE:
                raise ValueError(f"target {target.symbol}: shares add up to {shared}, weight is {target.weight}")
        return self

    @model_validator(mode="after")
    def _each_strategy_speaks_once(self) -> Self:
        repeated = [name for name, times in Counter(signal.strategy for signal in self.signals).items() if times > 1]
        if repeated:
            raise ValueError(f"signals: strategies appear more than once: {', '.join(sorted(repeated))}")
        return self


def netted(signals: Sequence[Signal]) -> tuple[Target, ...]:
    """One target a symbol, by symbol: the strategies' weights times their allocations, with who asked for how much.

    The one rule by which signals become targets: equal signals give equal targets, bit for bit, on any machine.
    """
    wanted: dict[str, list[StrategyShare]] = {}
    for signal in signals:
        for item in signal.weights:
            share = StrategyShare(strategy=signal.strategy, weight=signal.allocation * item.weight)
            wanted.setdefault(item.symbol, []).append(share)
    return tuple(
        Target(symbol=symbol, weight=min(1.0, math.fsum(share.weight for share in shares)), shares=tuple(shares))
        for symbol, shares in sorted(wanted.items())
    )


def _check_weights(where: str, weights: tuple[TargetWeight, ...] | tuple[Target, ...]) -> None:
    repeated = [symbol for symbol, times in Counter(item.symbol for item in weights).items() if times > 1]
    if repeated:
        raise ValueError(f"{where}: symbols appear more than once: {', '.join(sorted(repeated))}")
    total = sum(item.weight for item in weights)
    if total > 1 + WEIGHT_TOLERANCE:
        raise ValueError(f"{where}: weights add up to {total}, more than 1")
