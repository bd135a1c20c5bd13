"""The one place that turns messages into queue text and back.

Reading is strict and total: whatever comes in, the answer is a valid message or an InvalidMessage that names
the field, the value and the limit. `versions` says which fields of other versions are accepted.
"""

import json
from collections.abc import Callable

from pydantic import ValidationError

from alchemiser_common.errors import InvalidMessage
from alchemiser_common.messages.base import OWN_VERSION, Message
from alchemiser_common.messages.versions import read_json
from alchemiser_common.text import and_more

MESSAGE_LIMIT = 1_048_576
"""Bytes of one SQS message."""
ARCHIVED_LIMIT = 32 * 1024 * 1024
"""Bytes of one message that is read from the archive: far above what any universe needs."""
_MAJOR = str(OWN_VERSION[0])
_SHOWN = 80
_SHOWN_ERRORS = 5


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
    raw = body.encode() if isinstance(body, str) else body
    if len(raw) > limit:
        raise InvalidMessage(f"message is {len(raw):,} bytes; the limit is {limit:,}")
    kind = _select(raw, kinds)
    try:
        return read_json(kind, raw)
    except ValidationError as error:
        raise InvalidMessage(f"{kind.__name__}: {describe(error)}") from error


def describe(
    error: ValidationError,
    *,
    whole: str = "message",
    hidden: Callable[[tuple[int | str, ...]], bool] = lambda _: False,
) -> str:
    """The field, the value and the rule of each of the first few faults, on one line.

    `whole` is what a fault of no single field is called. `hidden` says of a field's place whether its value may be a
    secret; then it is left out.
    """
    lines = []
    for fault in error.errors(include_url=False, include_context=False):
        if fault["type"] == "default_factory_not_called":
            continue  # only the consequence of another fault
        field = ".".join(str(part) for part in fault["loc"]) or whole
        value = "" if isinstance(fault["input"], dict) or hidden(fault["loc"]) else f" (got {_shown(fault['input'])})"
        lines.append(f"{field}: {fault['msg'].removeprefix('Value error, ')}{value}")
    return "; ".join(and_more(lines, _SHOWN_ERRORS))


def _select[M: Message](raw: bytes, kinds: tuple[type[M], ...]) -> type[M]:
    try:
        content = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise InvalidMessage(f"message is not JSON: {error}") from error
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


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"
