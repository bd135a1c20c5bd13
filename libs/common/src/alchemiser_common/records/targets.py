"""What one strategy last wanted to hold. Snapshots carry the same values, which are of the message's version there."""

from datetime import date
from typing import Self, TypedDict

from alchemiser_common.messages.base import VersionedModel
from alchemiser_common.messages.snapshot import StrategyTargets, TargetWeight


class _Content(TypedDict):
    strategy: str
    decided_for: date
    weights: tuple[TargetWeight, ...]
    as_of: date | None
    rules: str
    allocation: float | None


class StoredTargets(StrategyTargets, VersionedModel):
    """A strategy's targets in the store."""

    @classmethod
    def of(cls, targets: StrategyTargets) -> Self:
        """What a message carried, to be stored."""
        return cls(**_content(targets))

    def targets(self) -> StrategyTargets:
        """To be carried by a message."""
        return StrategyTargets(**_content(self))


def _content(targets: StrategyTargets) -> _Content:
    return {
        "strategy": targets.strategy,
        "decided_for": targets.decided_for,
        "weights": targets.weights,
        "as_of": targets.as_of,
        "rules": targets.rules,
        "allocation": targets.allocation,
    }
