"""From a snapshot to a decision: every strategy's signal, netted into one set of targets. Pure: no I/O, no clock."""

import math
from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from alchemiser_common.messages.decision import (
    ComponentVersion,
    Signal,
    SignalStatus,
    StrategyShare,
    Target,
    TradeDecision,
)
from alchemiser_common.messages.snapshot import BarPolicy, MarketSnapshot, StrategyTargets
from alchemiser_common.settings import UnknownPolicy
from alchemiser_strategy.bars import Bars
from alchemiser_strategy.engine.explain import targets
from alchemiser_strategy.engine.indicators import LastDay
from alchemiser_strategy.errors import StrategyUnknown
from alchemiser_strategy.rules import rules_of
from alchemiser_strategy.strategy import MarketView, Previous, Strategy, StrategyResult, TreeStrategy, checked_result


@dataclass(frozen=True, slots=True, eq=False)
class Allocated:
    """A strategy with its fraction of equity, above 0 and up to 1."""

    strategy: Strategy
    fraction: float


class MultiStrategyManager:
    """Strategies that share an account. Signals and shares are in the order of names, targets in that of symbols."""

    def __init__(
        self,
        portfolio: Sequence[Allocated],
        *,
        on_unknown: UnknownPolicy = UnknownPolicy.ABORT,
        versions: tuple[ComponentVersion, ...] = (),
    ) -> None:
        self.portfolio = tuple(sorted(portfolio, key=lambda part: part.strategy.name))
        self._on_unknown = on_unknown
        self._versions = versions
        trees = [part.strategy.graph for part in self.portfolio if isinstance(part.strategy, TreeStrategy)]
        self._readings = tuple(dict.fromkeys(key for graph in trees for key in graph.readings))

    @property
    def symbols(self) -> tuple[str, ...]:
        """Every symbol that some strategy reads or can hold, sorted."""
        return tuple(sorted({symbol for part in self.portfolio for symbol in part.strategy.symbols}))

    @property
    def lookback(self) -> int:
        """Bars to load for the strategy that looks back furthest, in sessions."""
        return max(part.strategy.lookback for part in self.portfolio)

    @property
    def universe(self) -> Mapping[str, int]:
        """Daily bars needed of every symbol that some strategy reads or can hold."""
        return dict.fromkeys(self.symbols, max(self.lookback, 1))

    def evaluate(self, snapshot: MarketSnapshot) -> TradeDecision:
        """What the account is to hold. Equal snapshots give equal decisions, byte for byte.

        Raises StrategyUnknown: a strategy lacks data, and the policy is to abort or there is nothing to keep.
        Raises StrategyFailed: a strategy raised something unexpected or returned no valid weights.
        """
        bars = Bars(snapshot.bars.dates, snapshot.bars.symbols, snapshot.bars.closes)
        last = LastDay(bars)
        last.prepare(self._readings)
        positions = _positions(snapshot)
        earlier = {item.strategy: _previous(item, snapshot.bar_policy, bars) for item in snapshot.previous_targets}
        signals = tuple(
            self._signal(part, snapshot, MarketView(bars, last, positions, earlier.get(part.strategy.name)))
            for part in self.portfolio
        )
        return TradeDecision(
            **snapshot.following(),
            account_id=snapshot.account.account_id,
            snapshot_hash=snapshot.content_hash(),
            session=snapshot.session.day,
            as_of=snapshot.as_of,
            bar_policy=snapshot.bar_policy,
            not_after=snapshot.not_after,
            targets=netted(signals),
            signals=signals,
            versions=self._versions,
        )

    def _signal(self, part: Allocated, snapshot: MarketSnapshot, view: MarketView) -> Signal:
        name, previous = part.strategy.name, view.previous
        result = checked_result(part.strategy, view)
        weights = result.weights
        if result.status is SignalStatus.UNKNOWN:
            weights = self._instead(name, result, snapshot, previous)
        elif result.status is SignalStatus.HOLD and not weights and previous is not None:
            weights = previous.weights
        return Signal(
            strategy=name,
            allocation=part.fraction,
            status=result.status,
            weights=targets(weights),
            explanation=result.explanation,
            rules=rules_of(part.strategy),
        )

    def _instead(
        self, name: str, result: StrategyResult, snapshot: MarketSnapshot, previous: Previous | None
    ) -> Mapping[str, float]:
        """What a strategy without data holds, by policy. Raises StrategyUnknown if the policy has no answer."""
        if self._on_unknown is UnknownPolicy.CASH:
            return {}
        if self._on_unknown is UnknownPolicy.KEEP and previous is not None:
            return previous.weights
        reasons = {gap.symbol: f"; {gap.rule}: {gap.detail}" for gap in snapshot.missing}
        lacking = [
            f"{item.indicator} of {item.symbol} has {item.bars_had} bars and needs {item.bars_needed}"
            + reasons.get(item.symbol, "")
            for item in result.explanation.unknown
        ]
        keeping = " and has no previous targets to keep" if self._on_unknown is UnknownPolicy.KEEP else ""
        raise StrategyUnknown(
            f"strategy {name} lacks data{keeping}: {'; '.join(lacking) or result.explanation.summary}"
        )


def netted(signals: Sequence[Signal]) -> tuple[Target, ...]:
    """One target a symbol, by symbol: the strategies' weights times their allocations, with who asked for how much."""
    wanted: dict[str, list[StrategyShare]] = {}
    for signal in signals:
        for item in signal.weights:
            share = StrategyShare(strategy=signal.strategy, weight=signal.allocation * item.weight)
            wanted.setdefault(item.symbol, []).append(share)
    return tuple(
        Target(symbol=symbol, weight=min(1.0, math.fsum(share.weight for share in shares)), shares=tuple(shares))
        for symbol, shares in sorted(wanted.items())
    )


def _previous(found: StrategyTargets, policy: BarPolicy, bars: Bars) -> Previous:
    """Earlier targets and what prices have made of them since the bar that decision saw.

    A decision for a session saw that session's own bar if the policy is provisional, otherwise the one before.
    """
    cut = bisect_right if policy is BarPolicy.PROVISIONAL else bisect_left
    return Previous.of(
        {item.symbol: item.weight for item in found.weights}, cut(bars.dates, found.decided_for) - 1, bars
    )


def _positions(snapshot: MarketSnapshot) -> dict[str, float]:
    """What the account holds, fractions of equity by symbol; nothing if the equity is not positive."""
    equity = snapshot.account.equity
    if equity <= 0:
        return {}
    return {item.symbol: float(item.market_value / equity) for item in snapshot.positions}
