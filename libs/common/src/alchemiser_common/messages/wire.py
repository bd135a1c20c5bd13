"""The one place that turns messages into queue text and back.

Reading is strict and total: whatever comes in, the answer is a valid message or an InvalidMessage that names
the field, the value and the limit. `versions` says which fields of other versions are accepted.
"""

import json
from collections import Counter
from collections.abc import Callable

from pydantic import ValidationError

from alchemiser_common.errors import InvalidMessage
from alchemiser_common.messages.base import OWN_VERSION, Message
from alchemiser_common.messages.versions import read_json
from alchemiser_common.text import and_more, printable

MESSAGE_LIMIT = 1_048_576
"""Bytes of one SQS message."""
ARCHIVED_LIMIT = 32 * 1024 * 1024
"""Bytes of one message that is read from the archive: far above what any universe needs."""
_MAJOR = str(OWN_VERSION[0])
_SHOWN = 80
_SHOWN_RULE = 300
_SHOWN_ERRORS = 5


class _RepeatedName(ValueError):
    """An object has a name twice: which of the values counts would be each reader's own guess."""


def encode(message: Message, *, limit: int = MESSAGE_LIMIT) -> str:
    """The message as JSON text. Raises InvalidMessage if it has more bytes than `limit`, by default a queue's."""
    body = message.model_dump_json()
    size = len(body.encode())
    if size > limit:
        holder = "a queue message" if limit == MESSAGE_LIMIT else "the archive"
        raise InvalidMessage(f"{type(message).__name__} is {size:,} bytes; {holder} holds {limit:,}")
    return body


def decode[M: Message](body: str | bytes, *kinds: type[M], limit: int = MESSAGE_LIMIT) -> M:
    """Read one of the given kinds of message, of at most `limit` bytes. Raises InvalidMessage."""
    raw = body.encode(errors="surrogatepass") if isinstance(body, str) else body
    if len(raw) > limit:
        raise InvalidMessage(f"message is {len(raw):,} bytes; the limit is {limit:,}")
    kind = _select(raw, kinds)
    try:
        return read_json(kind, raw)
    except ValidationError as error:
        raise InvalidMessage(f"{kind.__name__}: {describe(error)}") from error
    except Exception as error:  # whatever a foreign text makes a reader raise, it is the text that is at fault
        raise InvalidMessage(f"{kind.__name__} cannot be read: {type(error).__name__}: {_cut(str(error))}") from error


def describe(
    error: ValidationError,
    *,
    whole: str = "message",
    hidden: Callable[[tuple[int | str, ...]], bool] = lambda _: False,
    unknown: Callable[[tuple[int | str, ...]], str] | None = None,
    most: int = _SHOWN_ERRORS,
) -> str:
    """The field, the value and the rule of each of the first few faults, `most` at most, on one line.

    `whole` is what a fault of no single field is called. `hidden` says of a field's place whether its value may be a
    secret; then it is left out. `unknown` says what to do about a field that is none.
    """
    lines = []
    for fault in error.errors(include_url=False, include_context=False):
        if fault["type"] == "default_factory_not_called":
            continue  # only the consequence of another fault
        field = ".".join(_name(part) for part in fault["loc"]) or whole
        value = "" if isinstance(fault["input"], dict) or hidden(fault["loc"]) else f" (got {_shown(fault['input'])})"
        rule = _cut(fault["msg"].removeprefix("Value error, "))
        if unknown is not None and fault["type"] == "extra_forbidden":
            rule = unknown(fault["loc"])
        lines.append(f"{field}: {rule}{value}")
    return "; ".join(and_more(lines, most))


def _select[M: Message](raw: bytes, kinds: tuple[type[M], ...]) -> type[M]:
    try:
        content = json.loads(raw, object_pairs_hook=_once_each)
    except _RepeatedName as error:
        raise InvalidMessage(str(error)) from error
    except (ValueError, RecursionError) as error:
        raise InvalidMessage(f"message is not JSON: {_cut(str(error))}") from error
    if not isinstance(content, dict):
        raise InvalidMessage(f"message is a JSON {type(content).__name__}, not an object")
    version = content.get("schema_version")
    if not isinstance(version, str) or version.partition(".")[0] != _MAJOR:
        raise InvalidMessage(f"schema_version is {_shown(version)}; this reader knows {_MAJOR}.x")
    by_name = {kind.model_fields["kind"].default: kind for kind in kinds}
    name = content.get("kind")
    if not isinstance(name, str) or name not in by_name:
        raise InvalidMessage(f"kind is {_shown(name)}; expected {' or '.join(sorted(by_name))}")
    return by_name[name]


def _once_each(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """A JSON object. Raises _RepeatedName."""
    content = dict(pairs)
    if len(content) != len(pairs):
        repeated = next(name for name, times in Counter(name for name, _ in pairs).items() if times > 1)
        raise _RepeatedName(f"message names {_shown(repeated)} more than once in one object")
    return content


def _shown(value: object) -> str:
    """A value as Python writes it, with control characters escaped, cut if it is long."""
    try:
        return _cut(repr(value), _SHOWN)
    except (ValueError, RecursionError):  # an integer of thousands of digits, lists in lists in lists
        return f"a {type(value).__name__}"


def _name(part: str | int) -> str:
    """A field's name or index; foreign names may be anything."""
    text = str(part)
    return text if text.isidentifier() and len(text) <= _SHOWN else _shown(part)


def _cut(text: str, most: int = _SHOWN_RULE) -> str:
    return printable(text if len(text) <= most else text[: most - 1] + "…")
