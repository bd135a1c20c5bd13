"""A function in a container, invoked as Lambda invokes it: an event in, one of four outcomes out.

The container holds the Runtime Interface Emulator. When the function's time is over it kills the
runtime with SIGKILL and makes a new one for the next event, as Lambda does.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

import httpx

INVOCATIONS = "/2015-03-31/functions/function/invocations"
_TIMED_OUT = "Task timed out after"
_GRACE = timedelta(seconds=10)
"""What the emulator may take for starting the runtime and for killing it, beyond the function's own time."""

type Event = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Answered:
    """The function returned; `payload` is its JSON."""

    payload: object


@dataclass(frozen=True, slots=True)
class Failed:
    """The function raised, or its runtime ended in the middle."""

    error: str
    reason: str


@dataclass(frozen=True, slots=True)
class Overran:
    """The function's time was over; its runtime was killed."""

    reason: str


@dataclass(frozen=True, slots=True)
class Unreachable:
    """There is no container to ask, or it went away during the invocation."""

    reason: str


type Fault = Failed | Overran | Unreachable
type Outcome = Answered | Fault


class Function:
    """One function's container at `url`. `timeout` is the function's own, which the emulator enforces."""

    def __init__(self, name: str, url: str, *, timeout: timedelta) -> None:
        self.name = name
        self.timeout = timeout
        patience = httpx.Timeout((timeout + _GRACE).total_seconds(), connect=3.0)
        self._client = httpx.Client(base_url=url, timeout=patience, trust_env=False)

    def close(self) -> None:
        """Let go of the connections."""
        self._client.close()

    def invoke(self, event: Event) -> Outcome:
        """Hand the event in and wait for its outcome; never raises for what a function or its container does."""
        try:
            # No connection is kept: a container that was started again would answer the old one with a reset.
            answer = self._client.post(INVOCATIONS, json=event, headers={"Connection": "close"})
        except httpx.ReadTimeout:
            return Overran(
                f"{self.name} gave no answer within its {self.timeout.total_seconds():g} s and was not ended"
            )
        except httpx.TransportError as error:
            return Unreachable(f"{self.name} at {self._client.base_url}: {type(error).__name__}: {error}")
        return outcome_of(answer.status_code, answer.text)


def outcome_of(status: int, text: str) -> Outcome:
    """Read the emulator's answer: it marks errors in the body, and an overrun as a line that is not JSON."""
    if text.startswith(_TIMED_OUT):
        return Overran(text)
    try:
        payload = json.loads(text)
    except ValueError:
        return Failed("InvalidAnswer", f"HTTP {status}, not JSON: {text[:200]!r}")
    if isinstance(payload, dict) and {"errorType", "errorMessage"} <= payload.keys():
        return Failed(str(payload["errorType"]), str(payload["errorMessage"]))
    if status != httpx.codes.OK:
        return Failed("InvalidAnswer", f"HTTP {status}: {text[:200]!r}")
    return Answered(payload)
