"""The user's own strategies: symphony files of a folder, and Python classes that other packages offer. Reads files."""

from collections.abc import Callable, Sequence
from importlib.metadata import entry_points
from pathlib import Path

from alchemiser_strategy.errors import StrategyError
from alchemiser_strategy.parsers import load_symphony
from alchemiser_strategy.strategy import Strategy, TreeStrategy

ENTRY_POINT_GROUP = "alchemiser.strategies"
"""A package offers a strategy as an entry point of this group: its name, and a callable without arguments."""
_SUFFIXES = (".clj", ".edn", ".json")


def strategy_of_file(path: Path) -> TreeStrategy:
    """One symphony file, named like the file without its extension. Raises StrategyError."""
    return TreeStrategy(load_symphony(path), name=path.stem)


def strategies_of_folder(folder: Path) -> Sequence[TreeStrategy]:
    """Every symphony file directly in a folder, by name. Raises StrategyError: no folder, or two files of one name."""
    if not folder.is_dir():
        raise StrategyError(f"strategies folder {folder} does not exist")
    files = sorted(path for path in folder.iterdir() if path.suffix.lower() in _SUFFIXES)
    stems = [path.stem for path in files]
    repeated = sorted({stem for stem in stems if stems.count(stem) > 1})
    if repeated:
        raise StrategyError(f"strategies folder {folder} has several files named {', '.join(repeated)}")
    return [strategy_of_file(path) for path in files]


def offered_strategies() -> Sequence[Strategy]:
    """What installed packages offer. Raises StrategyError naming the entry point that cannot be used."""
    found: list[Strategy] = []
    for point in sorted(entry_points(group=ENTRY_POINT_GROUP), key=lambda item: item.name):
        try:
            make: Callable[[], Strategy] = point.load()
            strategy = make()
        except Exception as error:
            raise StrategyError(f"entry point {point.name} = {point.value}: {type(error).__name__}: {error}") from error
        if strategy.name != point.name:
            raise StrategyError(f"entry point {point.name} = {point.value} gives a strategy named {strategy.name!r}")
        found.append(strategy)
    return found


def user_strategies(folder: Path | None) -> Sequence[Strategy]:
    """Both kinds; the folder only if one is set. Raises StrategyError as they do."""
    return [*(strategies_of_folder(folder) if folder is not None else ()), *offered_strategies()]
