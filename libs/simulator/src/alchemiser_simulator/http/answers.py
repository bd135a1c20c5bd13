"""What a fault makes of a true answer: other fields, an older answer, the same one drop by drop.

In: the routes' answer and rules. Out: the answer that leaves. Must never touch the exchange.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from starlette.types import Message, Receive, Scope, Send

from alchemiser_simulator.control.faults import Drip, FaultBook, Patch, Stale, Taken
from alchemiser_simulator.control.patching import patched
from alchemiser_simulator.http.connections import Line

_BLANKS = 65_536  # padding leaves in pieces of this size at most


@dataclass(frozen=True, slots=True)
class Heard:
    """A whole answer, as it would leave."""

    status: int
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes


@dataclass(slots=True)
class Ear:
    """Takes the place of `send` and keeps the answer."""

    status: int = 0
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    body: bytearray = field(default_factory=bytearray)

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status, self.headers = int(message["status"]), list(message.get("headers", ()))
        else:
            self.body += message.get("body", b"")

    @property
    def heard(self) -> Heard:
        """The answer so far; the length it claims is left out."""
        kept = tuple(header for header in self.headers if header[0].lower() != b"content-length")
        return Heard(self.status, kept, bytes(self.body))


# Two rules of these kinds may apply to one answer: they work on it one after the other, in the order they were added.
# A stale one remembers what it was given, so a patch before it is remembered too and one behind it is not. One that
# changed nothing gives its turn back: `count` counts untrue answers, not reads.
class Changes:
    """The changing rules' work on answers, and what the stale ones remember, by rule and request."""

    def __init__(self, faults: FaultBook) -> None:
        self._faults = faults
        self._memory: dict[tuple[int, str], list[tuple[datetime, Heard]]] = {}

    def changed(self, heard: Heard, rules: Sequence[Taken], request: str, now: datetime) -> Heard:
        """The answer to `request` (method and address) after the patches and stale rules among `rules`."""
        for rule in rules:
            match rule.fault:
                case Patch() as patch:
                    after = _patched(heard, patch)
                case Stale() as stale:
                    after = self._older(heard, stale, (rule.number, request), now)
                case _:
                    continue
            if after is None or after is heard:
                self._faults.give_back(rule.number)
            else:
                heard = after
        return heard

    def _older(self, heard: Heard, rule: Stale, key: tuple[int, str], now: datetime) -> Heard:
        past = self._memory.setdefault(key, [])
        past.append((now, heard))
        if rule.reads is not None:
            chosen = max(len(past) - 1 - rule.reads, 0)
        else:
            due = now - timedelta(seconds=rule.seconds or 0)
            chosen = max((number for number, (at, _) in enumerate(past) if at <= due), default=0)
        del past[:chosen]  # nobody will ask for what is older still
        return past[0][1]


def _patched(heard: Heard, patch: Patch) -> Heard | None:
    """None if there is nothing to change."""
    try:
        answer = json.loads(heard.body)
    except ValueError:
        return None
    after, found = patched(answer, patch.operations)
    if not found:
        return None
    return replace(heard, status=patch.status or heard.status, body=json.dumps(after).encode())


async def leave(heard: Heard, send: Send) -> None:
    """Send an answer at once."""
    headers = [*heard.headers, (b"content-length", str(len(heard.body)).encode())]
    await send({"type": "http.response.start", "status": heard.status, "headers": headers})
    await send({"type": "http.response.body", "body": heard.body})


async def drip(heard: Heard, rule: Drip, scope: Scope, receive: Receive, send: Send, line: Line) -> None:
    """Send an answer piece by piece, until it is out, the rule cuts it off or the client has gone."""
    await send({"type": "http.response.start", "status": heard.status, "headers": list(heard.headers)})
    for piece in _pieces(heard.body[: rule.cut_after], rule):
        if await line.pause(receive, rule.interval):
            return
        await send({"type": "http.response.body", "body": piece, "more_body": True})
    if rule.cut_after is not None:
        await line.hang_up(scope, receive)
        return
    await send({"type": "http.response.body", "body": b""})


def _pieces(body: bytes, rule: Drip) -> Iterator[bytes]:
    for first in range(0, len(body), rule.piece):
        yield body[first : first + rule.piece]
    size = min(rule.piece, _BLANKS)
    for first in range(0, rule.padding if rule.cut_after is None else 0, size):
        yield b" " * min(size, rule.padding - first)
