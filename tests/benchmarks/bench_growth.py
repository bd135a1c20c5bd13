"""Whether cost grows at most linearly: ten to a thousand strategies, fifty to five thousand symbols, seeded data."""

import random
import re
from collections.abc import Callable, Sequence
from functools import partial

from alchemiser_common.messages.decision import TradeDecision
from alchemiser_common.messages.snapshot import MarketSnapshot
from alchemiser_strategy.bars import Bars
from alchemiser_strategy.engine.history import History, history
from alchemiser_strategy.manager import Allocated, MultiStrategyManager
from alchemiser_strategy.parsers import parse_symphony
from alchemiser_strategy.strategy import TreeStrategy
from benchmarks import market
from benchmarks.figures import Figure, Timing, milliseconds, publish, timed
from benchmarks.inputs import DAYS, snapshot_of
from benchmarks.symphony_generator import symphony_of_size

SUBJECT = "growth: time and time per unit"
_STRATEGIES = (10, 100, 1_000)
_SYMBOLS = (50, 500, 5_000)
_YEARS_5 = 1_260
_NOISE = 0.1


def figures() -> list[Figure]:
    """Each kind of work at three sizes, and how much more a hundred times as many cost."""
    return [*_by_strategies(), *_by_symbols()]


def _by_strategies() -> list[Figure]:
    """Symphonies of about 3 kB over the same 50 symbols: ten generated ones, again and again with symbols exchanged."""
    symbols = market.names(50)
    bars, snapshot = (
        market.random_bars(symbols, _YEARS_5),
        snapshot_of(market.random_bars(symbols, DAYS)),
    )
    shapes = [symphony_of_size(3_000, seed, symbols) for seed in range(min(_STRATEGIES))]
    texts = [_renamed(shapes[seed % len(shapes)], seed, symbols) for seed in range(max(_STRATEGIES))]
    found: dict[str, list[Timing]] = {"decision, {} strategies": [], "every day of 5 years, {} strategies": []}
    for count in _STRATEGIES:
        trees = [TreeStrategy(parse_symphony(text), name=f"s{seed:04}") for seed, text in enumerate(texts[:count])]
        manager = MultiStrategyManager([Allocated(tree, 1 / count) for tree in trees])
        repeats = max(3, 300 // count)
        timings = (
            timed(partial(manager.evaluate, snapshot), repeats),
            timed(partial(_weigh, trees, bars), max(2, repeats // 5)),
        )
        for name, timing in zip(found, timings, strict=True):
            found[name].append(timing)
    return [figure for name, timings in found.items() for figure in _growing(name, _STRATEGIES, timings)]


def _by_symbols() -> list[Figure]:
    """One strategy that ranks every symbol."""
    found: dict[str, list[Timing]] = {"text to decision, {} symbols": [], "every day of 5 years, {} symbols": []}
    for count in _SYMBOLS:
        symbols = market.names(count)
        text = ranking(symbols)
        bars, today = market.random_bars(symbols, _YEARS_5), snapshot_of(market.random_bars(symbols, DAYS))
        work: Sequence[Callable[[], object]] = (
            partial(_decide, text, today),
            partial(_weigh_text, text, bars),
        )
        for name, one in zip(found, work, strict=True):
            found[name].append(timed(one, max(3, 5_000 // count // 4)))
    return [figure for name, timings in found.items() for figure in _growing(name, _SYMBOLS, timings)]


def ranking(symbols: Sequence[str]) -> str:
    """The ten strongest of all symbols, the five steadiest if the first of them falls."""
    assets = " ".join(f'(asset "{symbol}" nil)' for symbol in symbols)
    return f"""(defsymphony "Ranking" {{:rebalance-frequency :daily}}
      (if (> (rsi "{symbols[0]}" {{:window 10}}) 50)
        [(filter (rsi {{:window 14}}) (select-top 10) [{assets}])]
        [(filter (stdev-return {{:window 20}}) (select-bottom 5) [{assets}])]))"""


def _renamed(text: str, seed: int, symbols: Sequence[str]) -> str:
    """The same symphony about other symbols."""
    chance = random.Random(seed)
    others = dict(zip(symbols, sorted(symbols, key=lambda _: chance.random()), strict=True))
    return re.sub(r"\bS\d{4}\b", lambda found: others[found[0]], text)


def _decide(text: str, snapshot: MarketSnapshot) -> TradeDecision:
    return MultiStrategyManager([Allocated(TreeStrategy(parse_symphony(text)), 1.0)]).evaluate(snapshot)


def _weigh_text(text: str, bars: Bars) -> History:
    return history(parse_symphony(text), bars)


def _weigh(trees: Sequence[TreeStrategy], bars: Bars) -> None:
    for tree in trees:
        history(tree.symphony, bars)


def _growing(name: str, counts: Sequence[int], timings: Sequence[Timing]) -> list[Figure]:
    """Every size with its cost a unit; last, how much more the largest costs than the smallest, in processor time."""
    found = [
        milliseconds(
            SUBJECT,
            name.format(f"{count:,}"),
            timing,
            note=f"{timing.least_cpu / count * 1e6:,.0f} us of CPU each, at best",
        )
        for count, timing in zip(counts, timings, strict=True)
    ]
    grown, linear = timings[-1].least_cpu / timings[0].least_cpu, counts[-1] / counts[0]
    whole = Figure(
        subject=SUBJECT,
        name=f"  {linear:.0f} times as many cost",
        value=grown,
        unit="x",
        aim=linear * (1 + _NOISE),
        note=f"{linear:.0f} is linear; {_NOISE:.0%} is noise",
    )
    return [*found, whole]


if __name__ == "__main__":
    publish(figures())
