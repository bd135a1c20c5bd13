"""What strategies wanted to hold from session to session, by the plans of their account's runs. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from alchemiser_common.messages.snapshot import StrategyTargets, TargetWeight
from alchemiser_common.records.plan import Plan, StrategyHolding


@dataclass(frozen=True, slots=True)
class WantedWeights:
    """A session's target weights."""

    session: date
    weights: Mapping[str, float]
    """Fractions of equity, or of the strategy's capital."""


@dataclass(frozen=True, slots=True)
class StrategyNow:
    """One strategy by the newest plan."""

    strategy: str
    allocation: float | None
    """Fraction of equity; None where the plan does not say."""
    weights: tuple[TargetWeight, ...]
    """Fractions of its capital."""
    decided_for: date | None
    """Session whose decision it is; None of one that holds."""
    holds: bool
    """Whether it keeps the shares that it has."""


def wanted(plans: Sequence[Plan], strategy: str = "") -> tuple[WantedWeights, ...]:
    """By session, of the whole account or of one strategy; `plans` oldest first, the last of a session counts."""
    found = {}
    for plan in plans:
        if not strategy:
            found[plan.session] = {target.symbol: target.weight for target in plan.targets}
        elif (own := _of(plan, strategy)) is not None:
            found[plan.session] = {item.symbol: item.weight for item in own}
    return tuple(WantedWeights(session, weights) for session, weights in sorted(found.items()))


def strategies_now(plan: Plan) -> tuple[StrategyNow, ...]:
    """Every strategy of the plan, by name."""
    gave = [
        StrategyNow(each.strategy, each.allocation, each.weights, each.decided_for, holds=False)
        for each in plan.strategy_targets
    ]
    hold = [StrategyNow(each.strategy, None, each.weights, None, holds=True) for each in plan.holdings]
    return tuple(sorted((*gave, *hold), key=lambda each: each.strategy))


def _of(plan: Plan, strategy: str) -> tuple[TargetWeight, ...] | None:
    sides: tuple[StrategyTargets | StrategyHolding, ...] = (*plan.strategy_targets, *plan.holdings)
    return next((each.weights for each in sides if each.strategy == strategy), None)
