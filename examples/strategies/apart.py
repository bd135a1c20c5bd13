"""A strategy in Python that needs a package of its own (requirements.txt): what moves least with everything else.

The correlations of a quarter's daily returns span a tree that joins each fund to those it moves with; its leaves, the
funds at the edge, are held in equal shares. A strategy answers the same view always alike: it reads no file, no clock
and no network, and remembers nothing.
"""

from collections.abc import Mapping

import networkx as nx
import numpy as np

from alchemiser_common.messages.decision import Explanation, SignalStatus, UnknownReading
from alchemiser_strategy.strategy import MarketView, StrategyResult

FUNDS = ("AGG", "EEM", "IWM", "QQQ", "SPY", "TLT", "UUP", "VTV", "XLF")
BARS = 64


class Apart:
    """The leaves of the correlations' minimum spanning tree."""

    name = "apart"
    universe: Mapping[str, int] = dict.fromkeys(FUNDS, BARS)
    """Daily bars to load of each symbol that is read or can be held."""

    def evaluate(self, view: MarketView) -> StrategyResult:
        """What to hold after the last bar, and why. A fund that is too young is left out; UNKNOWN without three."""
        had = {fund: view.bars.streak(fund) for fund in FUNDS}
        known = [fund for fund in FUNDS if had[fund] >= BARS]
        lacking = tuple(
            UnknownReading(symbol=fund, indicator="correlation(63)", bars_had=had[fund], bars_needed=BARS)
            for fund in FUNDS
            if had[fund] < BARS
        )
        if len(known) < 3:
            return StrategyResult(SignalStatus.UNKNOWN, {}, Explanation(summary="too few funds", unknown=lacking))
        closes = np.stack([view.bars.of(fund)[-BARS:] for fund in known])
        together = np.corrcoef(np.diff(np.log(closes)))
        graph = nx.Graph()
        for i, one in enumerate(known):
            for j, other in enumerate(known[:i]):
                graph.add_edge(one, other, weight=1.0 - float(together[i, j]))
        leaves = sorted(fund for fund, edges in nx.minimum_spanning_tree(graph).degree() if edges == 1)
        summary = f"at the edge of {len(known)} funds: {', '.join(leaves)}"
        weights = dict.fromkeys(leaves, 1.0 / len(leaves))
        return StrategyResult(SignalStatus.TARGET, weights, Explanation(summary=summary, unknown=lacking))


strategy = Apart
"""What the file offers: a callable that gives the strategy. Its name is the file's."""
