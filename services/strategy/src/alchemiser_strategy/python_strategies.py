"""A strategy in a person's own Python: `name.py`, or a package `name/`, that offers a callable `strategy`. Runs it."""

import sys
import traceback
from collections.abc import Callable
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

from alchemiser_strategy.errors import StrategyError
from alchemiser_strategy.strategy import Strategy

FACTORY = "strategy"
"""What the module has to offer: a callable without arguments that gives the strategy."""
_INIT = "__init__.py"


def is_python_strategy(path: Path) -> bool:
    """Whether a folder's entry is one by its name; one that begins with _ or . is not."""
    if path.name.startswith(("_", ".")):
        return False
    return path.suffix == ".py" if path.is_file() else (path / _INIT).is_file()


def python_strategy(path: Path) -> Strategy:
    """The strategy of a module or package, named like it. Raises StrategyError naming file, and line if there is one.

    The module's folder is not searched for imports: a file stands alone, a package imports its own parts relatively,
    and both import what is installed. So their rules (`rules_of`) are those files and no others.
    """
    source = path / _INIT if path.is_dir() else path
    module = _module(path.stem, source)
    make: Callable[[], Strategy] | None = getattr(module, FACTORY, None)
    if not callable(make):
        raise StrategyError(f"{source}: offers no callable {FACTORY!r} that gives the strategy")
    try:
        strategy = make()
        name = strategy.name
    except (Exception, SystemExit) as error:
        raise StrategyError(_where(error, source)) from error
    if name != path.stem:
        raise StrategyError(f"{source}: gives a strategy named {name!r}; name it {path.stem!r}, like the file")
    return strategy


def syntax_fault(source: Path) -> str:
    """What keeps a module from being compiled, with line and column; empty if nothing does. Runs nothing."""
    try:
        compile(source.read_bytes(), str(source), "exec", dont_inherit=True)
    except (SyntaxError, ValueError, OSError) as error:
        return _where(error, source)
    return ""


def _module(name: str, source: Path) -> ModuleType:
    """Run a file as a module under a name that no installed module has, and that `sys.modules` knows."""
    known = f"own_strategy_{name.replace('.', '_')}"
    inside = [str(source.parent)] if source.name == _INIT else None
    spec = spec_from_file_location(known, source, submodule_search_locations=inside)
    if spec is None or spec.loader is None:
        raise StrategyError(f"{source}: cannot be loaded as a module")
    for old in [item for item in sys.modules if item == known or item.startswith(f"{known}.")]:
        del sys.modules[old]
    module = sys.modules[known] = module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        del sys.modules[known]
        raise StrategyError(_where(error, source)) from error
    return module


def _where(error: BaseException, source: Path) -> str:
    """An error with the place in the strategy's own files where it came from, as far as it is known."""
    if isinstance(error, SyntaxError) and error.filename is not None:
        return f"{_shown(error.filename, source)}:{error.lineno}:{error.offset}: {error.msg}"
    whole = source.absolute()
    own = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if Path(frame.filename) == whole or (source.name == _INIT and whole.parent in Path(frame.filename).parents)
    ]
    place = f"{_shown(own[-1].filename, source)}:{own[-1].lineno}" if own else str(source)
    return f"{place}: {type(error).__name__}: {error}"


# A module knows itself by its whole path, and is told of by the path that it was asked for by.
def _shown(file: str, source: Path) -> str:
    folder = source.parent.absolute()
    inside = Path(file).is_relative_to(folder)
    return str(source.parent / Path(file).relative_to(folder)) if inside else file
