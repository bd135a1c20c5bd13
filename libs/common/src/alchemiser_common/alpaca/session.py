"""The HTTP session that alpaca-py's clients get: no answer takes for ever, is endless, or gives a key away."""

import io
import json
import time
from collections.abc import Buffer, Iterable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from http.client import HTTPResponse
from socket import socket

import requests
from alpaca.common.rest import RESTClient
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection

from alchemiser_common.masking import MASK, SHORTEST
from alchemiser_common.ports.broker import RequestQuota
from alchemiser_common.ports.secrets import BrokerCredentials
from alchemiser_common.settings import BrokerSettings

ANSWER_LIMIT = 64 * 1024 * 1024
"""Bytes of an unpacked answer; a page of bars has about two million, the list of all assets ten."""
_CHUNK = 64 * 1024


@dataclass(frozen=True, slots=True)
class RequestPolicy:
    """Timeouts in seconds, and how often a read is tried."""

    connect_timeout: float = 3.05
    read_timeout: float = 15.0
    """For the next bytes of an answer."""
    total_timeout: float = 16.0
    """For all of them, from the request on."""
    read_attempts: int = 4

    @classmethod
    def of(cls, broker: BrokerSettings) -> "RequestPolicy":
        """As the settings have it."""
        return cls(
            connect_timeout=broker.connect_timeout_seconds,
            read_timeout=broker.read_timeout_seconds,
            total_timeout=broker.total_timeout_seconds,
            read_attempts=broker.read_attempts,
        )


class UnusableAnswer(requests.RequestException):
    """Raised for an answer that is no answer: too large, or of a status that is neither success nor refusal."""


_deadline: ContextVar[float | None] = ContextVar("deadline", default=None)
"""When the answer to the request that this thread makes must be complete, by the monotonic clock."""


# A socket's timeout counts anew with every byte, so a server that sends one now and then would be read for ever, in the
# head of its answer as in the body. Each read is given what is left of the whole answer's time:
#
#     request ──┬── head ── body ── body ── …          read timeout: the most for each
#               └──────── total timeout ────────┤      the rest of it: the most for the next one
class _Timed(io.RawIOBase):
    """A socket's incoming bytes until the deadline."""

    def __init__(self, raw: io.RawIOBase, connection: socket, deadline: float) -> None:
        super().__init__()
        self._raw = raw
        self._socket = connection
        self._patience = connection.gettimeout()
        self._deadline = deadline

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Buffer) -> int | None:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("the answer took too long in all")
        self._socket.settimeout(left if self._patience is None else min(left, self._patience))
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()


class _TimedResponse(HTTPResponse):
    """Python's own, read against the deadline."""

    def __init__(self, sock: socket, debuglevel: int = 0, method: str | None = None, url: str | None = None) -> None:
        super().__init__(sock, debuglevel, method, url)
        deadline = _deadline.get()
        if deadline is not None:
            self.fp = io.BufferedReader(_Timed(self.fp.detach(), sock, deadline))


class _Connection(HTTPConnection):
    response_class = _TimedResponse


class _SecureConnection(HTTPSConnection):
    response_class = _TimedResponse


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _SecureConnection


class _TimedAdapter(HTTPAdapter):
    """requests' own, with connections that keep to the deadline."""

    def init_poolmanager(self, *args: object, **kwargs: object) -> None:
        super().init_poolmanager(*args, **kwargs)  # type: ignore[arg-type]
        self.poolmanager.pool_classes_by_scheme = {"http": _Pool, "https": _SecurePool}


class TimeoutSession(requests.Session):
    """A session whose requests cannot hang, and whose answers are read in full, within bounds, keys masked.

    Masking what comes in is the one place that masks what goes out: errors, logs and reports have no other source.
    """

    def __init__(self, policy: RequestPolicy, secrets: Iterable[str] = ()) -> None:
        super().__init__()
        self.trust_env = False
        self._timeout = (policy.connect_timeout, policy.read_timeout)
        self._total = policy.total_timeout
        self._secrets: set[bytes] = set()
        self.hide(*secrets)
        for scheme in ("http://", "https://"):
            self.mount(scheme, _TimedAdapter())
        self.quota: RequestQuota | None = None
        """As the newest answer's headers told it."""
        self.sent = 0
        """Requests, repeated ones included."""

    def hide(self, *secrets: str) -> None:
        """From now on these are masked, with those before them."""
        for secret in secrets:
            if len(secret) >= SHORTEST:
                self._secrets |= {secret.encode(), secret.replace("/", "\\/").encode()}  # as some write it in JSON

    def request(self, method: str | bytes, url: str | bytes, *args: object, **kwargs: object) -> requests.Response:
        """As requests', with timeouts. Raises UnusableAnswer, and what requests raises."""
        self.sent += 1
        outer = _deadline.set(time.monotonic() + self._total)
        try:
            answer = super().request(method, url, *args, **{"timeout": self._timeout, **kwargs, "stream": True})  # type: ignore[arg-type]
            try:
                self._read(answer)
            except BaseException:
                answer.close()
                raise
        finally:
            _deadline.reset(outer)
        self.quota = _quota(answer.headers) or self.quota
        return answer

    def _read(self, answer: requests.Response) -> None:
        """Take the whole body in, so that nothing is read later and without bounds."""
        body = bytearray()
        for chunk in answer.iter_content(_CHUNK):
            body += chunk
            if len(body) > ANSWER_LIMIT:
                raise UnusableAnswer(f"the answer has more than {ANSWER_LIMIT:,} bytes")
        status = answer.status_code
        if not (200 <= status < 300 or 400 <= status < 600):
            raise UnusableAnswer(f"the answer has the status {status}")
        answer._content = self._masked(bytes(body))  # noqa: SLF001  (requests has no public way)
        answer._content_consumed = True  # type: ignore[attr-defined]  # noqa: SLF001
        answer.encoding = "utf-8"  # what JSON is; guessing it from megabytes is slow
        # requests takes simplejson where that is installed, which reads other things than Python's own: a bare NaN in
        # one element, which is no JSON, would cost the whole answer.
        answer.json = partial(json.loads, answer.text)  # type: ignore[method-assign]
        answer.reason = self._masked(str(answer.reason).encode()).decode()

    def _masked(self, text: bytes) -> bytes:
        for secret in self._secrets:
            text = text.replace(secret, MASK.encode())
        return text


def _quota(headers: Mapping[str, str]) -> RequestQuota | None:
    """Alpaca's rate-limit headers; None where they are missing or no numbers."""
    try:
        remaining, reset = int(headers["x-ratelimit-remaining"]), int(headers["x-ratelimit-reset"])
        return RequestQuota(remaining, datetime.fromtimestamp(reset, UTC))
    except (KeyError, ValueError, OverflowError, OSError):
        return None


# alpaca-py has no public way to any of these.
def harden(client: RESTClient, policy: RequestPolicy) -> TimeoutSession:
    """Give a client a session with timeouts, which comes back, and take its own retries away."""
    known = (client._api_key, client._secret_key, client._oauth_token)  # noqa: SLF001
    session = TimeoutSession(policy, filter(None, known))
    client._session = session  # noqa: SLF001
    client._retry = 0  # noqa: SLF001
    return session


def change_key(client: RESTClient, credentials: BrokerCredentials) -> None:
    """From its next request on the client uses these; the former ones stay hidden, too."""
    given: Mapping[str, object] = credentials.arguments
    key, secret, token = (given.get(name) for name in ("api_key", "secret_key", "oauth_token"))
    client._api_key, client._secret_key, client._oauth_token = key, secret, token  # type: ignore[assignment]  # noqa: SLF001
    client._session.hide(*(text for text in (key, secret, token) if isinstance(text, str)))  # type: ignore[attr-defined]  # noqa: SLF001  (harden put it there)
