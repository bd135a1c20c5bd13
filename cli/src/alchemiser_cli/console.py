"""How the command speaks: results on stdout, everything else on stderr, one exit code per kind of end."""

import io
import os
import sys
import traceback
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from enum import IntEnum
from pathlib import Path
from tempfile import NamedTemporaryFile
from types import TracebackType
from typing import TYPE_CHECKING, Any

import typer
from rich.console import Console, ConsoleDimensions, ConsoleOptions, RenderableType
from rich.markup import escape
from rich.segment import Segment
from rich.text import Text

from alchemiser_cli.interruption import CODE, INTERRUPTED
from alchemiser_common.masking import masked
from alchemiser_common.text import printable

if TYPE_CHECKING:
    from alchemiser_cli.fitting_table import FittingTable

_UNBOUNDED = 100_000
"""Columns of what is no terminal."""


class SafeConsole(Console):
    """A console on which no text acts: control characters of what is shown, wherever it comes from, are escaped.

    Only what rich itself sends to the terminal does: colours, and the lines of a progress bar. A file or a pipe is as
    wide as what is written into it, unless COLUMNS says otherwise.
    """

    @property
    def size(self) -> ConsoleDimensions:
        """As rich's, which takes what is no terminal to have 80 columns, or those of the terminal beside it."""
        found = super().size
        piped = self._width is None and not self.file.isatty()
        return ConsoleDimensions(_UNBOUNDED, found.height) if piped else found

    @size.setter
    def size(self, new_size: tuple[int, int]) -> None:
        self._width, self._height = new_size

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
    INTERRUPTED = CODE


@contextmanager
def reported_errors() -> Iterator[None]:
    """Turn the project's errors, and the machine's, into one clear line and an exit code; bugs pass."""
    try:
        yield
    except KeyboardInterrupt as error:
        raise fail(INTERRUPTED, Exit.INTERRUPTED) from error
    except Exception as error:
        code = _exit_code(error)
        if code is None:
            raise
        hint = " (trying again may help)" if code is Exit.UNAVAILABLE else ""
        raise fail(f"{_said(error)}{hint}", code) from error


def _said(error: Exception) -> str:
    """Its own words; of the machine's what could not be done with which file."""
    if isinstance(error, OSError) and error.filename is not None:
        return f"{error.filename}: {error.strerror}"
    return str(error) or type(error).__name__


def _exit_code(error: Exception) -> Exit | None:
    """None for a bug. The families of alchemiser_common/errors.py are imported here: most commands end well."""
    from alchemiser_cli.report.errors import UnusableReport
    from alchemiser_common.errors import AlchemiserError, InvalidSettings, MissingSecret, NotArmed, TransientError
    from alchemiser_prices.errors import UnusablePrices
    from alchemiser_simulator import ConfigError, ControlError, HistoryError, PortInUseError, StateError
    from alchemiser_strategy.errors import StrategyError

    families: tuple[tuple[Exit | None, tuple[type[Exception], ...]], ...] = (
        (Exit.USAGE, (InvalidSettings, MissingSecret, NotArmed, StrategyError, UnusablePrices, UnusableReport)),
        (Exit.USAGE, (ConfigError, HistoryError, PortInUseError, StateError)),
        (Exit.UNAVAILABLE, (TransientError,)),
        (Exit.FAILED, (AlchemiserError, ControlError)),
        (None, (BrokenPipeError,)),  # whoever read the output has gone; typer ends without a word
        (Exit.UNAVAILABLE, (ConnectionError, TimeoutError)),
        (Exit.USAGE, (OSError,)),
    )
    return next((code for code, kinds in families if isinstance(error, kinds)), None)


def plain_table(*headings: str, least: Iterable[str] = (), prose: Iterable[str] = ()) -> "FittingTable":
    """An empty table without lines, as every command prints them.

    On a terminal that is too narrow columns are left out: those of `least` first, in that order, then from the right.
    Columns of `prose` wrap between words; every other cell stays on its line, whole.
    """
    from alchemiser_cli.fitting_table import FittingTable  # JSON does without

    return FittingTable(headings, least, prose)


def write_page(file: Path, text: str, *, option: str = "--page") -> None:
    """Write what an option names a file for, and the folders above it. Raises InvalidSettings if that fails."""
    from alchemiser_common.errors import InvalidSettings

    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise InvalidSettings(f"{option} {file} cannot be written: {error.strerror}; give another file") from error


def print_unexpected(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """A bug in one line, and where its traceback is kept, without the secrets that were loaded: for `sys.excepthook`.

    Ends with exit code 1, as Python does.
    """
    whole = masked("".join(traceback.format_exception(kind, error, trace)))
    try:
        with NamedTemporaryFile("w", prefix="alchemiser-", suffix=".txt", delete=False, encoding="utf-8") as file:
            file.write(whole)
    except OSError:
        sys.stderr.write(whole)  # a report that is nowhere else
        return
    last = traceback.format_exception_only(error)[-1].strip()
    _say_error(f"{last}: this is a fault of alchemiser's own; please report it with {file.name}")


def show_every_character() -> None:
    """On a terminal or pipe whose encoding lacks a character its code is shown, instead of an error."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def drop_what_cannot_be_written() -> None:
    """At the end of the process: what could not be written was told, and Python would tell it again in its own way."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def fail(message: str, code: Exit) -> typer.Exit:
    """Say why on stderr; the caller raises the result."""
    _say_error(message)
    return typer.Exit(code)


def _say_error(message: str) -> None:
    err.print(f"[bold red]error:[/] {escape(masked(message))}", soft_wrap=True)


def note(message: str) -> None:
    """A line for the person at the terminal."""
    err.print(escape(masked(message)), style="dim", soft_wrap=True)
