"""The user's own strategies by name: symphonies and Python of a folder, and what installed packages offer.

Names are listed without a look into any file: a strategy is read when it is asked for, and no other can stop it.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
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

    Raises StrategyError: there is no such folder, or a name is there twice.
    """
    if not folder.is_dir():
        raise StrategyError(f"strategies folder {folder} does not exist")
    files = [path for path in sorted(folder.iterdir()) if is_symphony(path) or is_python_strategy(path)]
    found = [(path.stem, partial(strategy_of_file, path)) for path in files]
    return _by_name(found, f"strategies folder {folder} has several files named")


def offered_strategies() -> Mapping[str, MakeStrategy]:
    """What installed packages offer. Raises StrategyError if two offer one name."""
    points = sorted(entry_points(group=ENTRY_POINT_GROUP), key=lambda item: item.name)
    return _by_name([(point.name, partial(_load, point)) for point in points], "several packages offer")


def user_strategies(folder: Path | None) -> Mapping[str, MakeStrategy]:
    """Both kinds; the folder only if one is set. Raises StrategyError as they do, or if a name is in both."""
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


def _by_name(found: Iterable[tuple[str, MakeStrategy]], refusal: str) -> Mapping[str, MakeStrategy]:
    found = list(found)
    repeated = sorted(name for name, times in Counter(name for name, _ in found).items() if times > 1)
    if repeated:
        raise StrategyError(f"{refusal} {', '.join(repeated)}: a name must be there once")
    return dict(found)
