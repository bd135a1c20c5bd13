"""A person's folder of strategies and settings, examined as a whole before it becomes part of an image.

A build runs `python3 -m alchemiser_strategy.own_portfolio`: it prints the content hash of each strategy by name, or
every fault, with file, line and column.
"""

import json
import sys
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from alchemiser_common.errors import AlchemiserError, InvalidSettings
from alchemiser_common.settings import Settings
from alchemiser_common.settings_files import PORTFOLIO_FOLDER
from alchemiser_common.settings_loading import SETTINGS_FILE, load_settings
from alchemiser_strategy.errors import StrategyError
from alchemiser_strategy.python_strategies import is_python_strategy, syntax_fault
from alchemiser_strategy.registry import build_portfolio, check_allocations
from alchemiser_strategy.rules import rules_of
from alchemiser_strategy.strategy import Strategy
from alchemiser_strategy.user_strategies import (
    is_symphony,
    named_twice,
    strategies_of_folder,
    strategy_of_file,
    user_strategies,
)

REQUIREMENTS = "requirements.txt"
"""Lock of what the folder's Python needs, with hashes."""
_SECTIONS = ("strategies", "data", "trading", "execution", "schedule", "latency")
"""Of the settings, what is a portfolio's to say; the rest belongs to where it runs."""
_ELSEWHERE = frozenset({"strategies.folder", "schedule.anchor", "schedule.offset_minutes"})
"""Of those sections, what the folder's place or the deployment's trigger decides."""


class PortfolioFaulty(StrategyError):
    """Raised when a folder of strategies cannot become part of an image; names every fault with its place."""


def portfolio_settings(folder: Path) -> Settings:
    """What the folder's settings file says. Raises InvalidSettings, also for what is no setting of a portfolio."""
    loaded = load_settings({}, portfolio=folder)
    given = [name for name, source in loaded.sources.items() if source == str(folder / SETTINGS_FILE)]
    foreign = [name for name in given if name.partition(".")[0] not in _SECTIONS or name in _ELSEWHERE]
    if foreign:
        raise InvalidSettings(
            f"{folder / SETTINGS_FILE}: {', '.join(sorted(foreign))} belongs to where a portfolio runs and is not set "
            f"here; a portfolio's settings are {', '.join(_SECTIONS)}"
        )
    return loaded.settings


def examine_files(folder: Path) -> None:
    """Read every file without running any. Raises PortfolioFaulty.

    An allocation that names no file is a fault unless a package of the folder's requirements could offer it.
    """
    faults: list[str] = []
    settings = _gathered(faults, lambda: portfolio_settings(folder))
    names = _gathered(faults, lambda: strategies_of_folder(folder)) or {}
    faults += named_twice(names)
    for path in sorted(folder.iterdir()):
        if is_symphony(path):
            _gathered(faults, partial(strategy_of_file, path))
        elif is_python_strategy(path):
            sources = [path] if path.is_file() else sorted(path.rglob("*.py"))
            faults += filter(None, map(syntax_fault, sources))
    if settings is not None and not (folder / REQUIREMENTS).exists():
        _gathered(faults, lambda: check_allocations(settings.strategies.allocations, names), of=folder / SETTINGS_FILE)
    if faults:
        raise PortfolioFaulty("\n".join(faults))


def examine(folder: Path | None) -> Mapping[str, str]:
    """Build every own strategy and every one that is allocated; returns the content hash of each by name.

    Runs the Python ones: what they need must be installed. Without a folder it is the allocated ones of the default.
    Raises PortfolioFaulty.
    """
    faults: list[str] = []
    settings = Settings() if folder is None else _gathered(faults, lambda: portfolio_settings(folder))
    found = _gathered(faults, lambda: user_strategies(folder)) or {}
    own = {name: made for name, make in found.items() if (made := _gathered(faults, make)) is not None}
    if faults or settings is None:
        raise PortfolioFaulty("\n".join(faults))
    ready = {name: partial(_same, strategy) for name, strategy in own.items()}
    source = None if folder is None else folder / SETTINGS_FILE
    manager = _gathered(faults, lambda: build_portfolio(settings.strategies.allocations, ready), of=source)
    if manager is None:
        raise PortfolioFaulty("\n".join(faults))
    every = own | {part.strategy.name: part.strategy for part in manager.portfolio}
    return {name: rules_of(every[name]) for name in sorted(every)}


def main() -> int:
    """Examine the folder `strategies` of the working folder, if there is one. Exit code 1 with the faults."""
    folder = Path(PORTFOLIO_FOLDER)
    try:
        rules = examine(folder if folder.is_dir() else None)
    except PortfolioFaulty as error:
        sys.stderr.write(f"{error}\n")
        return 1
    json.dump(rules, sys.stdout, separators=(",", ":"))
    return 0


def _same(strategy: Strategy) -> Strategy:
    return strategy


def _gathered[Result](faults: list[str], work: Callable[[], Result], *, of: Path | None = None) -> Result | None:
    """What it returns; if it refuses, its reason (and the file that it is `of`) among the faults and None."""
    try:
        return work()
    except AlchemiserError as error:
        faults.append(str(error) if of is None else f"{of}: {error}")
        return None


if __name__ == "__main__":
    sys.exit(main())
