"""JSON text to plain values. Errors name the line and column, or how deep it is."""

import json
import re
from typing import NoReturn

from alchemiser_common.json_value import Json
from alchemiser_strategy.errors import StrategyError
from alchemiser_strategy.parsers.document import MAX_CHARACTERS, MAX_DEPTH, nesting, too_deep

# All but brackets outside of strings. Every quantifier is possessive, so no input is scanned twice; a string that
# never ends runs to the end of the text.
_NO_BRACKETS = re.compile(r'(?:[^\[\]{}"]++|"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?\Z))++', re.DOTALL)


def decoded(text: str, source: str) -> Json:
    """The value that JSON text states.

    Raises StrategyError: it is too long, nested too deep, no JSON, or has a number that is none (NaN, Infinity).
    """
    if len(text) > MAX_CHARACTERS:
        raise StrategyError(f"{source}: has {len(text)} characters; a symphony may have {MAX_CHARACTERS}")
    # Counted beforehand: the standard reader recurses, and gives up at a depth that differs by platform.
    depth = nesting(_NO_BRACKETS.sub("", text))
    if depth > MAX_DEPTH:
        raise StrategyError(f"{source}: {too_deep(depth)}")
    try:
        value: Json = json.loads(text.removeprefix("\ufeff"), parse_constant=_no_number)
    except json.JSONDecodeError as error:
        raise StrategyError(f"{source}:{error.lineno}:{error.colno}: this is no JSON: {error.msg}") from None
    except ValueError as error:
        raise StrategyError(f"{source}: this JSON cannot be used: {error}") from None
    return value


def _no_number(word: str) -> NoReturn:
    raise ValueError(f"{word} is no number")
