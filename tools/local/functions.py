"""A function in a container, invoked as Lambda invokes it: an event in, one of four outcomes out.

The container holds the Runtime Interface Emulator. When the function's time is over it kills the
runtime with SIGKILL and makes a new one for the next event, as Lambda does.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Protocol

import requests

INVOCATIONS = "/2015-03-31/functions/function/invocations"
_TIMED_OUT = "Task timed out after"
_GRACE = timedelta(seconds=10)
"""What the emulator may take for starting the runtime and for killing it, beyond the function's own time."""
_CONNECT_SECONDS = 3.0

type Event = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Answered:
    """The function returned; `payload` is its JSON, `text` the same as it was sent."""

    payload: object
    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Failed:
    """The function raised, or its runtime ended in the middle; `text` is what the emulator sent."""

    error: str
    reason: str
    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Overran:
    """The function's time was over; its runtime was killed."""

    reason: str

    @property
    def text(self) -> str:
        """What there is to show in place of an answer."""
        return self.reason


@dataclass(frozen=True, slots=True)
class Unreachable:
    """There is no container to ask, or it went away during the invocation."""

    reason: str


type Fault = Failed | Overran | Unreachable
type Outcome = Answered | Fault


class Invocable(Protocol):
    """What a queue or a schedule feeds."""

    @property
    def name(self) -> str:
        """For logs."""
        ...

    @property
    def timeout(self) -> timedelta:
        """The function's own."""
        ...

    def invoke(self, event: Event) -> Outcome:
        """Hand the event in and wait for its outcome."""
        ...


@dataclass(frozen=True, slots=True)
class Function:
    """One function's container at `url`. `timeout` is the function's own, which the emulator enforces."""

    name: str
    url: str
    timeout: timedelta

    def invoke(self, event: Event) -> Outcome:
        """Hand the event in and wait for its outcome; never raises for what a function or its container does."""
        return self.send(json.dumps(event).encode())

    def send(self, event: bytes) -> Outcome:
        """The same with an event as it was written: what is not JSON is the function's to refuse."""
        try:
            answer = post(self.url + INVOCATIONS, event, read_seconds=(self.timeout + _GRACE).total_seconds())
        except requests.ReadTimeout:
            return Overran(
                f"{self.name} gave no answer within its {self.timeout.total_seconds():g} s and was not ended"
            )
        except requests.RequestException as error:
            return Unreachable(f"{self.name} at {self.url}: {type(error).__name__}: {error}")
        return outcome_of(answer.status_code, answer.content.decode(errors="replace"))


def outcome_of(status: int, text: str) -> Outcome:
    """Read the emulator's answer: it marks errors in the body, and an overrun as a line that is not JSON."""
    if text.startswith(_TIMED_OUT):
        return Overran(text)
    try:
        payload = json.loads(text)
    except ValueError:
        return Failed("InvalidAnswer", f"HTTP {status}, not JSON: {text[:200]!r}", text)
    if isinstance(payload, dict) and {"errorType", "errorMessage"} <= payload.keys():
        return Failed(str(payload["errorType"]), str(payload["errorMessage"]), text)
    if status != requests.codes.ok:
        return Failed("InvalidAnswer", f"HTTP {status}: {text[:200]!r}", text)
    return Answered(payload, text)


def post(url: str, body: bytes, *, read_seconds: float) -> requests.Response:
    """One request to a container of this machine, past any proxy. Raises requests.RequestException.

    No connection is kept: a container that was started again would answer the old one with a reset.
    """
    with requests.Session() as session:
        session.trust_env = False
        return session.post(url, data=body, headers={"Connection": "close"}, timeout=(_CONNECT_SECONDS, read_seconds))
