"""The one guarded place where Alpaca's JSON becomes values: what cannot be read is named, never guessed.

A number is only what is written as one: null, true, "NaN", "" and figures beyond any account are none. A list is read
element by element, so that one odd element costs the others nothing.
"""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Annotated, cast
from uuid import UUID

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, TypeAdapter, ValidationError

from alchemiser_common.errors import BrokerUnavailable
from alchemiser_common.messages.base import DIGITS_AFTER_POINT
from alchemiser_common.messages.wire import describe

_LARGEST = Decimal(10) ** 15
"""Shares or US dollars; no account comes near it, and arithmetic stays exact."""
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,2})?", re.ASCII)
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d", re.ASCII)
_DAY = re.compile(r"\d{4}-\d\d-\d\d(T.*)?", re.ASCII)
_WALL_TIME = re.compile(r"\d\d:\d\d(:\d\d)?", re.ASCII)
_YEARS = range(1900, 2201)
_SHOWN = 80


class Unreadable(ValueError):
    """Raised for an answer, or an element of one, that is not what it should be; says why in a line for a person."""


class Payload(BaseModel):
    """Base of the models of Alpaca's objects: fields come and go, only what is used is asked for."""

    model_config = ConfigDict(frozen=True, extra="ignore")


def shown(text: str, most: int = _SHOWN) -> str:
    """Foreign text for a person: one line without control characters, cut to a bounded length."""
    line = "".join(character if character.isprintable() else " " for character in text[: most + 1])
    return line if len(line) <= most else line[: most - 1] + "…"


def _number(value: object) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError("is no number")  # noqa: TRY004  (pydantic names the field of a ValueError)
    text = str(value)
    if len(text) > _SHOWN or not _NUMBER.fullmatch(text):
        raise ValueError("is no number")
    number = Decimal(text)
    if abs(number) >= _LARGEST:
        raise ValueError(f"is beyond {_LARGEST:.0e}")
    exponent = number.as_tuple().exponent
    if not isinstance(exponent, int) or exponent < -DIGITS_AFTER_POINT:
        raise ValueError(f"has more than {DIGITS_AFTER_POINT} digits after the point")
    return number


def _moment(value: object) -> datetime:
    if not isinstance(value, str) or not _MOMENT.match(value):
        raise ValueError("is no date and time")
    found = datetime.fromisoformat(value)
    if found.tzinfo is None or found.year not in _YEARS:
        raise ValueError("has no zone, or a year that cannot be")
    return found.astimezone(UTC)


def _day(value: object) -> date:
    if not isinstance(value, str) or not _DAY.fullmatch(value):
        raise ValueError("is no date")
    found = date.fromisoformat(value[:10])
    if found.year not in _YEARS:
        raise ValueError("has a year that cannot be")
    return found


def _wall_time(value: object) -> time:
    if not isinstance(value, str) or not _WALL_TIME.fullmatch(value):
        raise ValueError("is no time of day")
    return time.fromisoformat(value)


def _uuid(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError("is no id")  # noqa: TRY004  (as above)
    return str(UUID(value))


STOCKS = "us_equity"
"""Alpaca's asset class of stocks and funds."""
Number = Annotated[Decimal, BeforeValidator(_number)]
"""Written as a string or as a number."""
Moment = Annotated[datetime, BeforeValidator(_moment)]
"""Aware, UTC, to the microsecond."""
Day = Annotated[date, BeforeValidator(_day)]
"""The date of a date, or of a date with a time behind it."""
WallTime = Annotated[time, BeforeValidator(_wall_time)]
"""Hours and minutes without a zone."""
Text = Annotated[str, Field(strict=True, min_length=1, max_length=128)]
ShownText = Annotated[Text, AfterValidator(shown)]
"""Chosen by whoever wrote it, and shown to people: one printable line. What we write ourselves stays as it is."""
OrderId = Annotated[str, BeforeValidator(_uuid)]
"""The broker's own id of an order: it becomes part of a request's path, where nothing but an id may stand."""


_adapters: dict[object, TypeAdapter[object]] = {}
"""By shape: to make one costs far more than to use it."""


def convert[P](shape: type[P], content: object) -> P:
    """Content as `shape`, a model or a type of this module. Raises Unreadable."""
    if shape not in _adapters:
        _adapters[shape] = TypeAdapter(shape)
    try:
        return cast("P", _adapters[shape].validate_python(content))
    except ValidationError as error:
        raise Unreadable(describe(error)) from error


def guarded[P](read: Callable[[object], P], content: object) -> P:
    """What `read` makes of the content. Raises Unreadable, also if the values it reads do not fit the port's models."""
    try:
        return read(content)
    except ValidationError as error:
        raise Unreadable(describe(error)) from error


def whole[P](read: Callable[[object], P], content: object, what: str) -> P:
    """An answer that is good or bad as a whole. Raises BrokerUnavailable, naming what was asked for and the fault."""
    try:
        return guarded(read, content)
    except Unreadable as error:
        raise BrokerUnavailable(f"{what}: the answer has another shape than expected: {error}") from error


def parse[P](shape: type[P], content: object, what: str) -> P:
    """The same for content that is a `shape`. Raises BrokerUnavailable."""
    return whole(lambda found: convert(shape, found), content, what)


def elements(content: object, what: str) -> list[object]:
    """An answer's list. Raises BrokerUnavailable if it is none: null is not an empty list."""
    if not isinstance(content, list):
        raise BrokerUnavailable(f"{what}: the answer has another shape than expected: {kind_of(content)}, not a list")
    return content


def members(content: object) -> Mapping[str, object]:
    """An element's fields. Raises Unreadable if it is no object."""
    if not isinstance(content, dict):
        raise Unreadable(f"{kind_of(content)}, not an object")
    return content


def number_or_none(value: object) -> Decimal | None:
    """The number if it is one."""
    try:
        return _number(value)
    except ValueError:
        return None


def text_or_empty(value: object) -> str:
    """The text as it can be shown: printable and of bounded length; empty if it is none."""
    return shown(value) if isinstance(value, str) else ""


def kind_of(content: object) -> str:
    """What JSON calls a value, with an article."""
    match content:
        case None:
            return "null"
        case bool():
            return "a boolean"
        case str():
            return "a string"
        case list():
            return "a list"
        case dict():
            return "an object"
    return "a number"
