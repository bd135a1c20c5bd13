"""How many bars of each symbol a tree needs, so that what it decides does not depend on where its history begins."""

from collections.abc import Mapping, Sequence

from alchemiser_strategy.engine import nodes as n


# How far back each node has to be evaluated (days) and how many bars of each symbol that takes, for
#
#     (filter (rsi {:window 10}) (select-top 1) [A (filter (cumulative-return {:window 60}) (select-top 1) [B C])])
#
#     root filter          1 day     A: 143 bars, until an rsi of 10 is settled
#     inner filter       143 days    its own series is ranked: it must be known on each of them
#     B, C                           60 + 1 bars for the return of its first day, and 142 more
#
# Windows inside each other add up, those side by side do not. Parents have the larger numbers: from the root down
# every node has its days before it hands them on.
def bars_to_load(
    order: Sequence[n.Portfolio],
    children: Sequence[Sequence[int]],
    rests_on: Sequence[Sequence[int]],
    conditions: Sequence[n.Condition],
) -> Mapping[str, int]:
    """Bars by symbol, up to the last session, sorted by symbol.

    `order` are the nodes, children before parents; `children` and `rests_on` their numbers; `conditions` stand with
    parts before wholes.
    """
    loads = _Loads(len(order))
    for index in range(len(order) - 1, -1, -1):
        for below in rests_on[index]:
            loads.evaluate(below, loads.days[index])
        loads.portfolio(order, index, children[index])
    for item in reversed(conditions):
        loads.condition(item)
    bars = loads.bars
    if bars and loads.sessions > max(bars.values()):
        bars[max(sorted(bars), key=bars.__getitem__)] = loads.sessions
    return dict(sorted(bars.items()))


class _Loads:
    """What is known so far of the days that nodes and conditions are evaluated on, and of the bars that takes."""

    def __init__(self, nodes: int) -> None:
        self.days = [1] * nodes
        self.bars: dict[str, int] = {}
        self.sessions = 1
        """How far back cash is looked at, which has no bars of its own: some symbol's must reach as far."""
        self._judged: dict[n.Condition, int] = {}

    def evaluate(self, node: int, days: int) -> None:
        self.days[node] = max(self.days[node], days)

    def portfolio(self, order: Sequence[n.Portfolio], index: int, children: Sequence[int]) -> None:
        node, mine = order[index], self.days[index]
        if isinstance(node, n.Asset):
            self._load(node.symbol, mine)
        elif isinstance(node, n.Cash):
            self.sessions = max(self.sessions, mine)
        elif isinstance(node, n.Choice):
            self._judge(node.condition, mine)
        elif (what := n.measured_by(node)) is not None:
            wanted = mine + what.bars_wanted - 1
            for child in children:
                member = order[child]
                if isinstance(member, n.Asset):
                    self._load(member.symbol, wanted)
                else:
                    self.evaluate(child, wanted)

    def condition(self, item: n.Condition) -> None:
        mine = self._judged[item]
        for part in n.parts_of(item):
            self._judge(part, mine)
        if isinstance(item, n.Compare):
            for side in (item.left, item.right):
                if isinstance(side, n.Reading):
                    self._load(side.symbol, mine + side.measure.bars_wanted - 1)

    def _judge(self, item: n.Condition, days: int) -> None:
        self._judged[item] = max(days, self._judged.get(item, 0))

    def _load(self, symbol: str, bars: int) -> None:
        self.bars[symbol] = max(bars, self.bars.get(symbol, 0))
