"""Where one day's evaluation gets its values: as they are, or with one symbol's last close moved a little."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from alchemiser_strategy.bars import Floats
from alchemiser_strategy.engine.graph import Graph, SeriesKey
from alchemiser_strategy.engine.indicators import MOVE, Key, LastDay, measured
from alchemiser_strategy.engine.nodes import Asset

UP, DOWN = 1, 2
"""The direction of a small move: the place of its value in what LastDay gives, where 0 is unmoved."""


class SimulatedSeries(Protocol):
    """The value series of the portfolios that are ranked, as far as the last day needs them."""

    def levels(self, node: int) -> tuple[Floats, Floats]:
        """A portfolio's levels (1 at the start) and daily returns (fractions), (days,) each; NaN where unknown."""
        ...

    def exposure(self, node: int) -> Mapping[str, float]:
        """What it held over the last day: fractions by symbol, decided the day before."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class LastDayReadings:
    """The values of the last day, as they are. NaN is unknown."""

    graph: Graph
    last: LastDay
    simulated: SimulatedSeries | None
    """None if the tree ranks no portfolio."""
    cache: dict[SeriesKey, float]
    """Values of portfolios already worked out."""

    def symbol(self, key: Key) -> float:
        """A measure of a symbol."""
        return self.last[key][0]

    def portfolio(self, key: SeriesKey) -> float:
        """A measure of a portfolio's own series."""
        if key not in self.cache:
            self.cache[key] = _last_value(self.simulated, key, 0.0)
        return self.cache[key]

    def held_by(self, node: int) -> Iterable[str]:
        """The symbols whose last close moves a node's value: an asset's own, or what a portfolio held."""
        asset = self.graph.nodes[node]
        if isinstance(asset, Asset):
            return (asset.symbol,)
        return () if self.simulated is None else self.simulated.exposure(node)

    def streak(self, node: int) -> int:
        """How many bars in a row a portfolio's own series has, up to the last session."""
        if self.simulated is None:
            return 0
        known = ~np.isnan(self.simulated.levels(node)[0])
        return len(known) if known.all() else int(known[::-1].argmin())


@dataclass(frozen=True, slots=True, eq=False)
class MovedReadings:
    """The values of the last day had the symbol `moving` closed MOVE higher (UP) or lower (DOWN). NaN is unknown."""

    base: LastDayReadings
    moving: str
    direction: int
    cache: dict[SeriesKey, float]

    def symbol(self, key: Key) -> float:
        """A measure of a symbol."""
        return self.base.last[key][self.direction if key[1] == self.moving else 0]

    def portfolio(self, key: SeriesKey) -> float:
        """A measure of a portfolio's own series: its last return changes as far as it held the symbol."""
        if key not in self.cache:
            held = 0.0 if self.base.simulated is None else self.base.simulated.exposure(key[1]).get(self.moving, 0.0)
            self.cache[key] = self._moved(key, held) if held else self.base.portfolio(key)
        return self.cache[key]

    def _moved(self, key: SeriesKey, held: float) -> float:
        closes = self.base.last.bars.of(self.moving)
        share = MOVE if self.direction == UP else -MOVE
        return _last_value(self.base.simulated, key, held * share * float(closes[-1] / closes[-2]))


def _last_value(simulated: SimulatedSeries | None, key: SeriesKey, extra_return: float) -> float:
    """A measure on the last day of a series whose last return is changed by `extra_return`."""
    if simulated is None:
        return float("nan")
    what, node = key
    levels, returns = simulated.levels(node)
    if extra_return:
        levels, returns = levels.copy(), returns.copy()
        returns[-1] += extra_return
        levels[-1] = levels[-2] * (1.0 + returns[-1])
    return float(measured(what, np.atleast_2d(levels), np.atleast_2d(returns))[0, -1])
