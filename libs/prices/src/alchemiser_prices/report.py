"""What was understood of price files, for a person and for whoever reads the tidy file later."""

from collections.abc import Sequence
from datetime import date
from enum import StrEnum

from pydantic import Field

from alchemiser_common.messages.base import Frozen
from alchemiser_common.text import named

_SHOWN = 3


class Adjustment(StrEnum):
    """What the closes are, as far as the files say."""

    BOTH = "both"
    """Closes, and closes adjusted for splits and dividends beside them: figures rest on the latter."""
    ONLY_ADJUSTED = "only adjusted"
    """Only adjusted closes."""
    SPLITS = "splits"
    """Closes as traded, with the splits."""
    UNSAID = "not said"
    """Closes of which the files do not say whether they are adjusted."""


class DateOrder(StrEnum):
    """How a date of three numbers is written where that can be read in two ways."""

    DAY_FIRST = "dmy"
    MONTH_FIRST = "mdy"


class DecimalMark(StrEnum):
    """What stands before the cents where that can be read in two ways."""

    COMMA = "comma"
    POINT = "point"


class ClosedDays(StrEnum):
    """What to do with rows on days on which the exchange is closed."""

    ASK = "ask"
    """Left out where they repeat the day before; a question where they have prices of their own."""
    DROP = "drop"


class SplitPrices(StrEnum):
    """Whether prices before a split are as they were traded, or divided by it already."""

    RAW = "raw"
    ADJUSTED = "adjusted"


class Answers(Frozen):
    """What a person said about files that can be read in more than one way; every part may be left open."""

    columns: tuple[tuple[str, str], ...] = ()
    """(field, heading): what a column is; the field `ignore` leaves it out."""
    symbol: str | None = None
    """Of a file of one symbol that does not name it."""
    dates: DateOrder | None = None
    decimal: DecimalMark | None = None
    closed_days: ClosedDays = ClosedDays.ASK
    splits: SplitPrices | None = None
    closes_only: bool = False
    """Leave out open, high and low."""


class SymbolSpan(Frozen):
    """One symbol's bars."""

    symbol: str
    bars: int
    first: date
    last: date
    missing: int = 0
    """Sessions of the exchange between first and last without a bar."""


class Dropped(Frozen):
    """Rows, or values of them, that were left out."""

    count: int
    why: str
    example: str = ""


class Jump(Frozen):
    """A move between two closes that a person should look at."""

    symbol: str
    day: date
    move: float
    """As a fraction of the close before: -0.5 is half of it."""
    remark: str = ""


class Report(Frozen):
    """What was understood of a file or folder."""

    source: str
    forms: tuple[str, ...]
    """The forms of the files, each with what it says of itself."""
    files: int = 1
    symbols: tuple[SymbolSpan, ...]
    sessions: int
    first: date
    last: date
    fields: tuple[str, ...]
    """Columns of the tidy table beside date and symbol."""
    adjustment: Adjustment
    understood: tuple[str, ...] = ()
    """Choices that were made, each with its reason."""
    dropped: tuple[Dropped, ...] = ()
    warnings: tuple[str, ...] = ()
    jumps: tuple[Jump, ...] = ()
    answers: Answers = Field(default_factory=Answers)

    def odd(self) -> Sequence[str]:
        """What a person should know before resting figures on the prices; nothing if they are as they should be."""
        found = [f"{one.why} ({one.count} left out)" for one in self.dropped]
        found += self.warnings
        marked = [jump for jump in self.jumps if jump.remark]
        found += [f"{jump.symbol} moved {jump.move:+.0%} on {jump.day}: {jump.remark}" for jump in marked[:_SHOWN]]
        if gaps := [f"{span.symbol} ({span.missing})" for span in self.symbols if span.missing]:
            found.append(f"sessions are missing in {named(gaps, _SHOWN)}")
        return found
