"""How the command speaks: results on stdout, everything else on stderr, one exit code per kind of end."""

from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum

import typer
from rich.console import Console

from alchemiser_common.errors import (
    AlchemiserError,
    InvalidSettings,
    MissingSecret,
    TransientError,
)
from alchemiser_simulator import ConfigError, HistoryError, PortInUseError, StateError

out = Console()
err = Console(stderr=True)


class Exit(IntEnum):
    """Exit codes, the same for every command."""

    OK = 0
    FAILED = 1
    """The run or check ended badly; the output says how."""
    USAGE = 2
    """Settings, arguments, secrets or input files are wrong."""
    UNAVAILABLE = 3
    """Something was out of reach; trying again may help."""
    INTERRUPTED = 130


@contextmanager
def reported_errors() -> Iterator[None]:
    """Turn the project's errors into one clear line and an exit code; bugs keep their traceback."""
    try:
        yield
    except (InvalidSettings, MissingSecret, ConfigError, HistoryError, PortInUseError, StateError) as error:
        raise fail(str(error), Exit.USAGE) from error
    except TransientError as error:
        raise fail(f"{error} (trying again may help)", Exit.UNAVAILABLE) from error
    except AlchemiserError as error:
        raise fail(str(error), Exit.FAILED) from error
    except KeyboardInterrupt as error:
        raise fail("interrupted; nothing is half-written, run the same command to go on", Exit.INTERRUPTED) from error


def fail(message: str, code: Exit) -> typer.Exit:
    """Say why on stderr; the caller raises the result."""
    err.print(f"[bold red]error:[/] {_escaped(message)}", soft_wrap=True)
    return typer.Exit(code)


def note(message: str) -> None:
    """A line for the person at the terminal."""
    err.print(_escaped(message), style="dim", soft_wrap=True)


def _escaped(text: str) -> str:
    return text.replace("[", r"\[")
