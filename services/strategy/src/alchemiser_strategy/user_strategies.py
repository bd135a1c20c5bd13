"""The user's own strategies by name: symphonies and Python of a folder, and what installed packages offer.

Names are listed without a look into any file: a strategy is read when it is asked for, and no other can stop it. A name
that is there twice is refused when it is asked for, too.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path

from alchemiser_strategy.errors import StrategyError
from alchemiser_strategy.parsers import load_symphony
from alchemiser_strategy.python_strategies import is_python_strategy, python_strategy
from alchemiser_strategy.strategy import Strategy, TreeStrategy

type MakeStrategy = Callable[[], Strategy]
"""Reads and builds a strategy. Raises StrategyError naming what is wrong, and where."""

ENTRY_POINT_GROUP = "alchemiser.strategies"
"""A package offers a strategy as an entry point of this group: its name, and a callable without arguments."""
SYMPHONY_SUFFIXES = (".clj", ".edn", ".json")


def is_symphony(path: Path) -> bool:
    """Whether a folder's entry is one by its name; one that begins with . is not."""
    return path.suffix.lower() in SYMPHONY_SUFFIXES and not path.name.startswith(".") and path.is_file()


def strategy_of_file(path: Path) -> Strategy:
    """One symphony, Python file or package, named like the file without its extension. Raises StrategyError."""
    return python_strategy(path) if is_python_strategy(path) else TreeStrategy(load_symphony(path), name=path.stem)


def strategies_of_folder(folder: Path) -> Mapping[str, MakeStrategy]:
    """What lies directly in a folder: symphony files, Python files and packages, each named like its file.

    Raises StrategyError: there is no such folder.
    """
    if not folder.is_dir():
        raise StrategyError(f"strategies folder {folder} does not exist")
    files = [path for path in sorted(folder.iterdir()) if is_symphony(path) or is_python_strategy(path)]
    found = [(path.stem, partial(strategy_of_file, path)) for path in files]
    return _by_name(found, f"strategies folder {folder} has several files named")


def named_twice(strategies: Mapping[str, MakeStrategy]) -> list[str]:
    """Why some of the strategies cannot be told apart by name, a line each. Reads none."""
    return [make.args[0] for make in strategies.values() if isinstance(make, partial) and make.func is _refuse]


def offered_strategies() -> Mapping[str, MakeStrategy]:
    """What installed packages offer."""
    points = sorted(entry_points(group=ENTRY_POINT_GROUP), key=lambda item: item.name)
    return _by_name([(point.name, partial(_load, point)) for point in points], "several packages offer")


def user_strategies(folder: Path | None) -> Mapping[str, MakeStrategy]:
    """Both kinds; the folder only if one is set. Raises StrategyError if it does not exist."""
    of_folder = strategies_of_folder(folder) if folder is not None else {}
    offered = offered_strategies()
    return _by_name([*of_folder.items(), *offered.items()], f"strategies folder {folder} and a package both have")


def _load(point: EntryPoint) -> Strategy:
    try:
        make: MakeStrategy = point.load()
        strategy = make()
    except Exception as error:
        raise StrategyError(f"entry point {point.name} = {point.value}: {type(error).__name__}: {error}") from error
    if strategy.name != point.name:
        raise StrategyError(f"entry point {point.name} = {point.value} gives a strategy named {strategy.name!r}")
    return strategy


def _by_name(found: Sequence[tuple[str, MakeStrategy]], refusal: str) -> Mapping[str, MakeStrategy]:
    """A name that is there twice stays, as one that cannot be made: whoever asks for it is told why."""
    times = Counter(name for name, _ in found)
    return {
        name: make if times[name] == 1 else partial(_refuse, f"{refusal} {name}: a name must be there once")
        for name, make in found
    }


def _refuse(message: str) -> Strategy:
    raise StrategyError(message)
