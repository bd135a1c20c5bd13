"""A strategy in Python, with a package of its own (requirements.txt): shares unless the market is unusually restless.

Restless is a volatility of ten sessions in the top fifth of those of the last year. The same view always gives the
same answer; a strategy reads no file, no clock and no network.
"""

from collections.abc import Mapping

import numpy as np
from sortedcontainers import SortedList

from alchemiser_common.messages.decision import Explanation, SignalStatus, UnknownReading
from alchemiser_strategy.strategy import MarketView, StrategyResult

WINDOW = 10
YEAR = 252
LIMIT = 0.8


class Quiet:
    """SPY or BIL."""

    name = "quiet"
    universe: Mapping[str, int] = {"SPY": YEAR + WINDOW, "BIL": 1}
    """Daily bars to load of each symbol that is read or can be held."""

    def evaluate(self, view: MarketView) -> StrategyResult:
        """What to hold after the last bar, and why; UNKNOWN if there are too few bars."""
        needed, had = self.universe["SPY"], view.bars.streak("SPY")
        if had < needed:
            lacking = UnknownReading(symbol="SPY", indicator="volatility", bars_had=had, bars_needed=needed)
            return StrategyResult(SignalStatus.UNKNOWN, {}, Explanation(summary="too few bars", unknown=(lacking,)))
        closes = view.bars.of("SPY")[-needed:]
        changes = np.diff(np.log(closes))
        volatilities = [float(changes[end - WINDOW : end].std()) for end in range(WINDOW, len(changes) + 1)]
        rank = SortedList(volatilities).bisect_left(volatilities[-1]) / len(volatilities)
        held = "BIL" if rank >= LIMIT else "SPY"
        summary = f"{held}: volatility is above {rank:.0%} of the last year's, the limit is {LIMIT:.0%}"
        return StrategyResult(SignalStatus.TARGET, {held: 1.0}, Explanation(summary=summary))


strategy = Quiet
"""What the file offers: a callable that gives the strategy. Its name is the file's."""
