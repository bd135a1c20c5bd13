"""What a portfolio is made of, as a probe tells it: its strategies by name and hash, and the bars that they need."""

from alchemiser_common.probes import Composition, StrategyInPlay
from alchemiser_common.records.universe import Universe
from alchemiser_strategy.manager import MultiStrategyManager


def composition_of(manager: MultiStrategyManager) -> Composition:
    """The allocated strategies in the order of their names, and the universe of all of them."""
    return Composition(
        strategies=tuple(
            StrategyInPlay(
                strategy=part.strategy.name, allocation=part.fraction, rules=manager.rules[part.strategy.name]
            )
            for part in manager.portfolio
        ),
        universe=Universe.of(manager.universe).needed,
    )
