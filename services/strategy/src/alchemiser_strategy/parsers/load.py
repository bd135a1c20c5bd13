"""Reads a strategy's file, in whichever form it is."""

import re
from pathlib import Path

from alchemiser_strategy.errors import StrategyError
from alchemiser_strategy.parsers.composer import parse_composer
from alchemiser_strategy.parsers.document import MAX_CHARACTERS, ParsedSymphony
from alchemiser_strategy.parsers.envelopes import is_form
from alchemiser_strategy.parsers.symphony import parse_symphony

_EXPORT = re.compile(r"[\s\ufeff]*+(?:;[^\n]*+\s*+)*+[{\"]")
"""How a Composer export begins: an object, a map, or either in quotes."""


def load_symphony(path: str | Path) -> ParsedSymphony:
    """The strategy in a file of symphony text or of a Composer export (``.clj``, ``.edn``, ``.json``).

    What the text starts with decides; if it starts like neither, the extension does. Raises StrategyError if the
    file cannot be read, is too large, is not UTF-8 or holds no strategy.
    """
    text = _text(Path(path), str(path))
    composer = _EXPORT.match(text) or (Path(path).suffix.lower() == ".json" and not is_form(text))
    return (parse_composer if composer else parse_symphony)(text, str(path))


def _text(path: Path, source: str) -> str:
    try:
        if not path.is_file():
            raise StrategyError(f"{source}: there is no such file")
        size = path.stat().st_size
        if size > MAX_CHARACTERS:
            raise StrategyError(f"{source}: has {size} bytes; a symphony may have {MAX_CHARACTERS}")
        return path.read_bytes().decode("utf-8")
    except UnicodeDecodeError as error:
        raise StrategyError(f"{source}: byte {error.start} is not UTF-8; expected a text file") from None
    except (OSError, ValueError) as error:
        raise StrategyError(f"{source}: cannot be read: {error}") from None
