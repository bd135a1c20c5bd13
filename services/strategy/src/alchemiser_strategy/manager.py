"""From a snapshot to a decision: every strategy's signal, netted into one set of targets. Pure: no I/O, no clock."""

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from alchemiser_common.messages.decision import (
    ComponentVersion,
    Signal,
    SignalStatus,
    TradeDecision,
    netted,
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
        self._rules = {part.strategy.name: rules_of(part.strategy) for part in self.portfolio}
        trees = [part.strategy.graph for part in self.portfolio if isinstance(part.strategy, TreeStrategy)]
        self._readings = tuple(dict.fromkeys(key for graph in trees for key in graph.readings))

    @property
    def universe(self) -> Mapping[str, int]:
        """Every symbol that some strategy reads or can hold, sorted, with the most bars that one wants of it."""
        wanted: dict[str, int] = {}
        for part in self.portfolio:
            for symbol, bars in part.strategy.universe.items():
                wanted[symbol] = max(bars, wanted.get(symbol, 0))
        return dict(sorted(wanted.items()))

    @property
    def rules(self) -> Mapping[str, str]:
        """The content hash of every strategy, by name: `rules_of`."""
        return dict(self._rules)

    def evaluate(self, snapshot: MarketSnapshot) -> TradeDecision:
        """What the account is to hold. Equal snapshots give equal decisions, byte for byte.

        Raises StrategyUnknown: a strategy lacks data, and the policy is to abort or there is nothing to keep.
        Raises StrategyFailed: a strategy raised something unexpected or returned no valid weights.
        """
        bars = Bars(snapshot.bars.dates, snapshot.bars.symbols, snapshot.bars.closes)
        last = LastDay(bars)
        last.prepare(self._readings)
        positions = _positions(snapshot)
        earlier = {item.strategy: item for item in snapshot.previous_targets}
        signals = tuple(
            self._signal(part, snapshot, MarketView(bars, last, positions, None), earlier.get(part.strategy.name))
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

    def _signal(
        self, part: Allocated, snapshot: MarketSnapshot, view: MarketView, found: StrategyTargets | None
    ) -> Signal:
        """One strategy's signal; `found` are its earlier targets.

        Those of other rules, or of another fraction of equity, are followed by new ones at once, whatever the
        rebalancing rule says.
        """
        name, rules = part.strategy.name, self._rules[part.strategy.name]
        previous = None if found is None else _previous(found, snapshot.bar_policy, view.bars)
        changed = "" if found is None else _changed(found, rules, part.fraction)
        result = checked_result(part.strategy, replace(view, previous=None if changed else previous))
        weights, explanation = result.weights, result.explanation
        if result.status is SignalStatus.UNKNOWN:
            weights = self._instead(name, result, snapshot, previous)
        elif result.status is SignalStatus.HOLD and not weights and previous is not None:
            weights = previous.held
        if changed and previous is not None:
            summary = f"{changed} since {previous.as_of}, so it is due at once: {explanation.summary}"
            explanation = explanation.model_copy(update={"summary": summary})
        return Signal(
            strategy=name,
            allocation=part.fraction,
            status=result.status,
            weights=targets(weights),
            explanation=explanation,
            rules=rules,
        )

    def _instead(
        self, name: str, result: StrategyResult, snapshot: MarketSnapshot, previous: Previous | None
    ) -> Mapping[str, float]:
        """What a strategy that is unknown as a whole has, by policy. Raises StrategyUnknown if it has no answer."""
        if self._on_unknown is UnknownPolicy.CASH:
            return {}
        if self._on_unknown is UnknownPolicy.KEEP and previous is not None:
            return previous.held
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


def _changed(found: StrategyTargets, rules: str, fraction: float) -> str:
    """What is another than when a strategy last decided, empty if nothing is; before 1.5 that was not written down."""
    if found.rules not in {"", rules}:
        return "its rules have changed"
    if found.allocation not in {None, fraction}:
        return f"its share of the account has changed from {found.allocation:.4g} to {fraction:.4g}"
    return ""


def _previous(found: StrategyTargets, policy: BarPolicy, bars: Bars) -> Previous:
    """Earlier targets and what prices have made of them since the bar that decision saw.

    Before 1.5 that bar was not written down: a decision for a session saw that session's own bar if the policy is
    provisional, otherwise the one before.
    """
    as_of = found.as_of
    if as_of is None:
        cut = bisect_right if policy is BarPolicy.PROVISIONAL else bisect_left
        row = cut(bars.dates, found.decided_for) - 1
        as_of = bars.dates[row] if row >= 0 else found.decided_for - timedelta(days=1)
    return Previous.of({item.symbol: item.weight for item in found.weights}, as_of, bars)


def _positions(snapshot: MarketSnapshot) -> dict[str, float]:
    """What the account holds, fractions of equity by symbol; nothing if the equity is not positive."""
    equity = snapshot.account.equity
    if equity <= 0:
        return {}
    return {item.symbol: float(item.market_value / equity) for item in snapshot.positions}
