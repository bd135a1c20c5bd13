"""What one strategy last wanted to hold. Snapshots carry the same values, which are of the message's version there."""

from typing import Self

from alchemiser_common.messages.base import VersionedModel
from alchemiser_common.messages.snapshot import StrategyTargets


class StoredTargets(StrategyTargets, VersionedModel):
    """A strategy's targets in the store."""

    @classmethod
    def of(cls, targets: StrategyTargets) -> Self:
        """What a message carried, to be stored."""
        return cls(strategy=targets.strategy, decided_for=targets.decided_for, weights=targets.weights)

    def targets(self) -> StrategyTargets:
        """To be carried by a message."""
        return StrategyTargets(strategy=self.strategy, decided_for=self.decided_for, weights=self.weights)
