"""Finds the symphony in what people have: JSON or an EDN map, in quotes, in a request or in an answer of an API."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NoReturn

from alchemiser_common.json_value import Json
from alchemiser_strategy.errors import StrategyError
from alchemiser_strategy.parsers.composer_fields import require_equities
from alchemiser_strategy.parsers.document import MAX_CHARACTERS
from alchemiser_strategy.parsers.edn_text import decoded_edn
from alchemiser_strategy.parsers.json_text import decoded_json
from alchemiser_strategy.parsers.layers import Layer, Path, TextFault

_ENVELOPES = ("symphony", "raw_value", "score", "fields", "latest_version_edn", "stringValue")
"""Keys under which a request or an answer carries a symphony, or another envelope."""
_EDN_MAP = re.compile(r"[\s\ufeff]*+(?:;[^\n]*+\s*+)*+\{[\s,]*+[^\s,\"}]")
_QUOTED = re.compile(r"[\s\ufeff]*+\"")
_FORM = re.compile(r"[\s\ufeff]*+(?:;[^\n]*+\s*+)*+\(")
_TEXT = re.compile(r"[\s\ufeff]*+[{(\"]")


@dataclass(frozen=True, slots=True, eq=False)
class Letter:
    """A symphony that was found: its value, the text that states it, and the way to it in there."""

    tree: Json
    layer: Layer
    path: Path
    way: str
    """The whole way to it from the file, for messages: ``$.symphony``."""


def is_form(text: str) -> bool:
    """Whether a text is symphony text, by how it begins; comments may stand before."""
    return _FORM.match(text) is not None


def opened(text: str, source: str) -> Letter:
    """The symphony in a text, envelopes and quotes taken off one by one.

    In quotes there may be symphony text: the tree is then that text. Raises StrategyError with source, line and column:
    it is neither JSON nor EDN, holds several symphonies or one of another program, or assets that are no equities.
    """
    if len(text) > MAX_CHARACTERS:
        raise StrategyError(f"{source}: has {len(text)} characters; a symphony may have {MAX_CHARACTERS}")
    letter = Letter(_decoded(Layer(text), source), Layer(text), (), "$")
    while True:
        tree = letter.tree
        if isinstance(tree, str) and _TEXT.match(tree):
            layer = Layer(tree, letter.layer, letter.path)
            if is_form(tree):
                return Letter(tree, layer, (), letter.way)
            letter = Letter(_decoded(layer, source), layer, (), letter.way)
            continue
        if not isinstance(tree, dict) or "step" in tree:
            return letter
        key = _envelope(tree, letter, source)
        if key is None:
            return letter
        letter = Letter(tree[key], letter.layer, (*letter.path, key), f"{letter.way}.{key}")


def _decoded(layer: Layer, source: str) -> Json:
    try:
        if layer.outer is None and _QUOTED.match(layer.text):
            return decoded_edn(layer.text)  # its strings may have line ends, and JSON's have the same escapes
        return decoded_edn(layer.text) if _EDN_MAP.match(layer.text) else decoded_json(layer.text)
    except TextFault as fault:
        place = ""
        if fault.offset is not None:
            line, column = layer.line_and_column(fault.offset)
            place = f":{line}:{column}"
        raise StrategyError(f"{source}{place}: {fault}") from None


def _envelope(fields: Mapping[str, Json], letter: Letter, source: str) -> str | None:
    """The key under which an envelope has what it carries; None if it is none."""

    def refuse(message: str) -> NoReturn:
        raise StrategyError(f"{source}:{letter.layer.places([letter.path])[letter.path]}: {letter.way}: {message}")

    if "incantation" in fields or "incantation_type" in fields:
        refuse("this is a spell of QuantMage, whose file format is not published; write it as symphony text")
    keys = [key for key in _ENVELOPES if _carries(fields.get(key))]
    if len(keys) > 1:
        refuse(f"has both {keys[0]} and {keys[1]}; keep the one that holds the symphony")
    if not keys:
        return None
    try:
        require_equities(fields)
    except StrategyError as error:
        refuse(str(error))
    return keys[0]


def _carries(value: Json) -> bool:
    return isinstance(value, dict) or (isinstance(value, str) and _TEXT.match(value) is not None)
