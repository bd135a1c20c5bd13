"""Strategies for commands that decide without broker or state: which there are, and what they come to."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from alchemiser_cli.price_moves import suspicious_moves
from alchemiser_common.errors import InvalidSettings
from alchemiser_common.settings import StrategySettings
from alchemiser_strategy.bars import Bars
from alchemiser_strategy.engine.indicators import LastDay
from alchemiser_strategy.errors import StrategyError
from alchemiser_strategy.registry import built_in_strategies, check_allocations, taken_name
from alchemiser_strategy.rules import rules_of
from alchemiser_strategy.strategy import MarketView, Strategy, StrategyResult, TreeStrategy, checked_result
from alchemiser_strategy.strategy_history import previous_of
from alchemiser_strategy.user_strategies import SYMPHONY_SUFFIXES, MakeStrategy, strategy_of_file, user_strategies

_FILE_SUFFIXES = (*SYMPHONY_SUFFIXES, ".py")


@dataclass(frozen=True, slots=True)
class Share:
    """A strategy and its fraction of equity."""

    strategy: Strategy
    fraction: float


@dataclass(frozen=True, slots=True)
class Outcome:
    """One strategy's result with its fraction of equity."""

    share: Share
    result: StrategyResult


def recent_moves(shares: Sequence[Share], bars: Bars) -> tuple[str, ...]:
    """`suspicious_moves` of the bars that a decision on the last day rests on."""
    return suspicious_moves(bars, max(0, bars.days - reach(shares)), bars.days)


def reach(shares: Sequence[Share]) -> int:
    """How many bars a decision looks back at most."""
    return max((count for share in shares for count in share.strategy.universe.values()), default=1)


@dataclass(frozen=True, slots=True)
class Listed:
    """A strategy that there is: what it is, or why it cannot be used."""

    name: str
    strategy: Strategy | None
    fault: str = ""
    """Empty if it can be used; else what is wrong with it, with file, line and column where they are known."""


def list_strategies(settings: StrategySettings) -> list[Listed]:
    """Every strategy there is: built-in ones and the user's own. One that is broken stops no other.

    Raises InvalidSettings as `check_allocations`, for the allocations.
    """
    built_in, own = built_in_strategies(), user_strategies(settings.folder)
    check_allocations(settings.allocations, own)
    shipped = [Listed(name, make()) for name, make in built_in.items()]
    return shipped + [
        Listed(name, None, taken_name(name)) if name in built_in else _listed(name, make) for name, make in own.items()
    ]


def _listed(name: str, make: MakeStrategy) -> Listed:
    try:
        strategy = make()
        rules_of(strategy)
        if not strategy.universe:
            return Listed(name, None, f"strategy {name} has no symbols: its universe is empty")
    except StrategyError as error:
        return Listed(name, None, str(error))
    except Exception as error:  # noqa: BLE001  (a person's own Python; whatever it raises is why it cannot be used)
        return Listed(name, None, f"strategy {name} raised {type(error).__name__}: {error}")
    return Listed(name, strategy)


def strategy_makers(settings: StrategySettings) -> Mapping[str, MakeStrategy]:
    """What reads each strategy there is, by name; none is read."""
    return {**user_strategies(settings.folder), **built_in_strategies()}


def choose(settings: StrategySettings, names: Sequence[str]) -> list[Share]:
    """The strategies of the settings with their fractions, or those named (or in the files named) in equal parts.

    Raises InvalidSettings for allocations that are none or an unknown or repeated name, StrategyError for a file that
    holds no strategy.
    """
    if not names:
        check_allocations(settings.allocations, user_strategies(settings.folder))
        makers = strategy_makers(settings)
        return [Share(makers[name](), fraction) for name, fraction in settings.allocations.items()]
    chosen = _found(settings, names)
    given = [strategy.name for strategy in chosen]
    repeated = sorted({name for name in given if given.count(name) > 1})
    if repeated:
        raise InvalidSettings(f"strategies are given more than once: {', '.join(repeated)}")
    return [Share(strategy, 1 / len(names)) for strategy in chosen]


def _found(settings: StrategySettings, names: Sequence[str]) -> list[Strategy]:
    """Only what is asked for is built, and other packages are asked only for names that nothing else has."""
    built_in = built_in_strategies()
    own: Mapping[str, MakeStrategy] | None = None
    found: list[Strategy] = []
    for name in names:
        if _is_file(name):
            found.append(strategy_of_file(Path(name)))
        elif name in built_in:
            found.append(built_in[name]())
        else:
            own = user_strategies(settings.folder) if own is None else own
            if name not in own:
                known = ", ".join(sorted({*built_in, *own}))
                raise InvalidSettings(
                    f"there is no strategy {name!r}; known are {known}; or give a file ({', '.join(_FILE_SUFFIXES)})"
                )
            found.append(own[name]())
    return found


def symbols_of(shares: Sequence[Share]) -> tuple[str, ...]:
    """Every symbol that any of them reads or can hold, sorted."""
    return tuple(sorted({symbol for share in shares for symbol in share.strategy.universe}))


def evaluate(shares: Sequence[Share], bars: Bars, since: date | None = None) -> list[Outcome]:
    """Every strategy on the same bars, without positions.

    A tree with a rebalancing rule holds what it would hold had it been traded from `since` on (None: as long as the
    bars go back), so that it may say HOLD. A Python strategy is given a past only if `since` says how long.
    """
    last = LastDay(bars)
    outcomes = []
    for share in shares:
        strategy = share.strategy
        follows = since is not None
        if isinstance(strategy, TreeStrategy):
            follows = not strategy.symphony.rebalance.always
        previous = previous_of(strategy, bars, since) if follows else None
        held = {} if previous is None else previous.held
        outcomes.append(Outcome(share, checked_result(strategy, MarketView(bars, last, held, previous))))
    return outcomes


def consolidate(outcomes: Sequence[Outcome]) -> dict[str, float]:
    """Fractions of equity by symbol, held ones as far as they have drifted; the share of what is unknown is cash."""
    targets: dict[str, float] = {}
    for outcome in outcomes:
        for symbol, weight in outcome.result.weights.items():
            targets[symbol] = targets.get(symbol, 0.0) + outcome.share.fraction * weight
    return dict(sorted(targets.items()))


def _is_file(name: str) -> bool:
    return name.lower().endswith(_FILE_SUFFIXES) or "/" in name
