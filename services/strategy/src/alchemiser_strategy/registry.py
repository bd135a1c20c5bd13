"""Which strategies there are, by name, and the portfolio that settings ask for."""

import math
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType

from alchemiser_common.errors import InvalidSettings
from alchemiser_common.messages.decision import WEIGHT_TOLERANCE, ComponentVersion
from alchemiser_common.settings import UnknownPolicy
from alchemiser_strategy.engine.nodes import Symphony
from alchemiser_strategy.manager import Allocated, MultiStrategyManager
from alchemiser_strategy.strategies.klm import klm, klm_ensemble
from alchemiser_strategy.strategies.nuclear import nuclear, nuclear_volatility
from alchemiser_strategy.strategies.tecl import tecl
from alchemiser_strategy.strategy import Strategy, TreeStrategy

_SYMPHONIES: Mapping[str, Callable[[], Symphony]] = {
    "nuclear": nuclear,
    "tecl": tecl,
    "klm": klm,
    "nuclear-volatility": nuclear_volatility,
    "klm-ensemble": klm_ensemble,
}


def built_in_strategies() -> Mapping[str, Callable[[], Strategy]]:
    """Factories of the strategies that ship, by name."""
    return MappingProxyType({name: _factory(name, symphony) for name, symphony in _SYMPHONIES.items()})


def build_portfolio(
    allocations: Mapping[str, float],
    extra: Iterable[Strategy] = (),
    *,
    on_unknown: UnknownPolicy = UnknownPolicy.ABORT,
    versions: tuple[ComponentVersion, ...] = (),
) -> MultiStrategyManager:
    """The strategies that `allocations` names, each with its fraction of equity.

    `extra` are the user's own strategies. Raises InvalidSettings: an unknown or ambiguous name, a fraction outside
    (0, 1], or fractions that do not add up to 1.
    """
    own = list(extra)
    known: dict[str, Callable[[], Strategy]] = dict(built_in_strategies())
    for strategy in own:
        if strategy.name in known:
            raise InvalidSettings(f"strategy name {strategy.name!r} is taken; rename yours")
        known[strategy.name] = lambda strategy=strategy: strategy  # type: ignore[misc]
    if not allocations:
        raise InvalidSettings("strategies.allocations is empty; give at least one strategy a fraction of equity")
    for name, fraction in allocations.items():
        if name not in known:
            raise InvalidSettings(
                f"strategies.allocations names {name!r}; known strategies: {', '.join(sorted(known))}"
            )
        if not 0 < fraction <= 1:
            raise InvalidSettings(f"strategies.allocations.{name} is {fraction!r}; give a fraction above 0 and up to 1")
    total = math.fsum(allocations.values())
    if abs(total - 1) > WEIGHT_TOLERANCE:
        raise InvalidSettings(f"strategies.allocations add up to {total!r}; they must add up to 1")
    portfolio = [Allocated(known[name](), fraction) for name, fraction in allocations.items()]
    return MultiStrategyManager(portfolio, on_unknown=on_unknown, versions=versions)


def _factory(name: str, symphony: Callable[[], Symphony]) -> Callable[[], Strategy]:
    return lambda: TreeStrategy(symphony(), name=name)
