"""Which strategies there are, by name, and the portfolio that settings ask for."""

import math
from collections.abc import Callable, Collection, Mapping
from types import MappingProxyType

from alchemiser_common.errors import InvalidSettings
from alchemiser_common.messages.decision import WEIGHT_TOLERANCE, ComponentVersion
from alchemiser_common.settings import UnknownPolicy
from alchemiser_strategy.engine.nodes import Symphony
from alchemiser_strategy.manager import Allocated, MultiStrategyManager
from alchemiser_strategy.strategies.klm import klm, klm_ensemble
from alchemiser_strategy.strategies.nuclear import nuclear, nuclear_volatility
from alchemiser_strategy.strategies.tecl import tecl
from alchemiser_strategy.strategy import TreeStrategy
from alchemiser_strategy.user_strategies import MakeStrategy

_SYMPHONIES: Mapping[str, Callable[[], Symphony]] = {
    "nuclear": nuclear,
    "tecl": tecl,
    "klm": klm,
    "nuclear-volatility": nuclear_volatility,
    "klm-ensemble": klm_ensemble,
}


def built_in_strategies() -> Mapping[str, MakeStrategy]:
    """Factories of the strategies that ship, by name."""
    return MappingProxyType({name: _factory(name, symphony) for name, symphony in _SYMPHONIES.items()})


def build_portfolio(
    allocations: Mapping[str, float],
    own: Mapping[str, MakeStrategy] = MappingProxyType({}),
    *,
    on_unknown: UnknownPolicy = UnknownPolicy.ABORT,
    versions: tuple[ComponentVersion, ...] = (),
) -> MultiStrategyManager:
    """The strategies that `allocations` names, each with its fraction of equity; no other is read.

    `own` are the user's strategies. Raises InvalidSettings as `check_allocations`. Raises StrategyError: a strategy of
    the user's cannot be read.
    """
    check_allocations(allocations, own)
    known = {**built_in_strategies(), **own}
    portfolio = [Allocated(known[name](), fraction) for name, fraction in allocations.items()]
    return MultiStrategyManager(portfolio, on_unknown=on_unknown, versions=versions)


def check_allocations(allocations: Mapping[str, float], own: Collection[str]) -> None:
    """Whether they can be a portfolio of the built-in strategies and those names. Reads no strategy.

    Raises InvalidSettings: a name that ships and is an own one as well, a name that nobody has, a fraction outside
    (0, 1], or fractions that do not add up to 1.
    """
    built_in = built_in_strategies()
    known = sorted({*built_in, *own})
    if taken := sorted({*own} & {*built_in} & {*allocations}):
        raise InvalidSettings(taken_name(taken[0]))
    if not allocations:
        raise InvalidSettings("strategies.allocations is empty; give at least one strategy a fraction of equity")
    for name, fraction in allocations.items():
        if name not in known:
            raise InvalidSettings(f"strategies.allocations names {name!r}; known strategies: {', '.join(known)}")
        if not 0 < fraction <= 1:
            raise InvalidSettings(f"strategies.allocations.{name} is {fraction!r}; give a fraction above 0 and up to 1")
    total = math.fsum(allocations.values())
    if abs(total - 1) > WEIGHT_TOLERANCE:
        raise InvalidSettings(f"strategies.allocations add up to {total!r}; they must add up to 1")


def taken_name(name: str) -> str:
    """What to say of an own strategy that has the name of one that ships."""
    return f"strategy name {name!r} is taken; rename yours"


def _factory(name: str, symphony: Callable[[], Symphony]) -> MakeStrategy:
    return lambda: TreeStrategy(symphony(), name=name)
