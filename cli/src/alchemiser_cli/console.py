"""How the command speaks: results on stdout, everything else on stderr, one exit code per kind of end."""

import sys
import traceback
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from enum import IntEnum
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

import typer
from rich.console import Console, ConsoleOptions, RenderableType
from rich.markup import escape
from rich.segment import Segment
from rich.text import Text

from alchemiser_common.masking import masked
from alchemiser_common.text import printable

if TYPE_CHECKING:
    from rich.table import Table


class SafeConsole(Console):
    """A console on which no text acts: control characters of what is shown, wherever it comes from, are escaped.

    Only what rich itself sends to the terminal does: colours, and the lines of a progress bar.
    """

    def render_str(self, text: str, **options: Any) -> Text:  # rich's own options, handed through
        """As rich's, escaped before it is measured: columns are as wide as what is shown."""
        return super().render_str(printable(text, keep="\n\t"), **options)

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """As rich's; every text that is printed comes through here."""
        for segment in super().render(renderable, options):
            acts = segment.control or segment.text.isprintable()
            yield segment if acts else Segment(printable(segment.text, keep="\n"), segment.style)


out = SafeConsole(emoji=False)  # an ARN has `:secret:` in it
err = SafeConsole(stderr=True, emoji=False)


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
    except KeyboardInterrupt as error:
        raise fail("interrupted; nothing is half-written, run the same command to go on", Exit.INTERRUPTED) from error
    except Exception as error:
        code = _exit_code(error)
        if code is None:
            raise
        hint = " (trying again may help)" if code is Exit.UNAVAILABLE else ""
        raise fail(f"{error}{hint}", code) from error


def _exit_code(error: Exception) -> Exit | None:
    """None for a bug. The families of alchemiser_common/errors.py are imported here: most commands end well."""
    from alchemiser_cli.report.errors import UnusableReport
    from alchemiser_common.errors import AlchemiserError, InvalidSettings, MissingSecret, NotArmed, TransientError
    from alchemiser_prices.errors import UnusablePrices
    from alchemiser_simulator import ConfigError, ControlError, HistoryError, PortInUseError, StateError
    from alchemiser_strategy.errors import StrategyError

    match error:
        case InvalidSettings() | MissingSecret() | NotArmed() | StrategyError() | UnusablePrices() | UnusableReport():
            return Exit.USAGE
        case ConfigError() | HistoryError() | PortInUseError() | StateError():
            return Exit.USAGE
        case TransientError():
            return Exit.UNAVAILABLE
        case AlchemiserError() | ControlError():
            return Exit.FAILED
        case _:
            return None


def plain_table(*headings: str) -> "Table":
    """An empty table without lines, as every command prints them."""
    from rich.table import Table  # JSON does without

    return Table(*headings, box=None, header_style="bold")


def write_page(file: Path, text: str, *, option: str = "--page") -> None:
    """Write what an option names a file for, and the folders above it. Raises InvalidSettings if that fails."""
    from alchemiser_common.errors import InvalidSettings

    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise InvalidSettings(f"{option} {file} cannot be written: {error.strerror}; give another file") from error


def print_unexpected(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """A bug's traceback as Python prints it, without the secrets that were loaded: for `sys.excepthook`."""
    sys.stderr.write(masked("".join(traceback.format_exception(kind, error, trace))))


def fail(message: str, code: Exit) -> typer.Exit:
    """Say why on stderr; the caller raises the result."""
    err.print(f"[bold red]error:[/] {escape(masked(message))}", soft_wrap=True)
    return typer.Exit(code)


def note(message: str) -> None:
    """A line for the person at the terminal."""
    err.print(escape(masked(message)), style="dim", soft_wrap=True)
