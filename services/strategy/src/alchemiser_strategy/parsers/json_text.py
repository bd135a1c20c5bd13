"""JSON text to plain values."""

import json
import re
from typing import NoReturn

from alchemiser_common.json_value import Json
from alchemiser_strategy.parsers.document import MAX_DEPTH, nesting, too_deep
from alchemiser_strategy.parsers.layers import TextFault

# All but brackets outside of strings. Every quantifier is possessive, so no input is scanned twice; a string that
# never ends runs to the end of the text.
_NO_BRACKETS = re.compile(r'(?:[^\[\]{}"]++|"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?\Z))++', re.DOTALL)


def decoded_json(text: str) -> Json:
    """The value that JSON text states.

    Raises TextFault: it is nested too deep, no JSON, or has a number that is none (NaN, Infinity).
    """
    # Counted beforehand: the standard reader recurses, and gives up at a depth that differs by platform.
    depth = nesting(_NO_BRACKETS.sub("", text))
    if depth > MAX_DEPTH:
        raise TextFault(too_deep(depth))
    bare = text.removeprefix("\ufeff")
    try:
        value: Json = json.loads(bare, parse_constant=_no_number)
    except json.JSONDecodeError as error:
        raise TextFault(f"this is no JSON: {error.msg}", error.pos + len(text) - len(bare)) from None
    except ValueError as error:
        raise TextFault(f"this JSON cannot be used: {error}") from None
    return value


def _no_number(word: str) -> NoReturn:
    raise ValueError(f"{word} is no number")
