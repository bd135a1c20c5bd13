"""alpaca-py's HTTP made safe: requests have timeouts, orders are sent once, every failure is classified.

alpaca-py itself sets no timeout and repeats 429 and 504 for every method, orders included.
"""

import json
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

import requests
from alpaca.common.exceptions import APIError
from alpaca.common.rest import RESTClient

from alchemiser_common.errors import AmbiguousOutcome, BrokerRefused, BrokerThrottled, BrokerUnavailable
from alchemiser_common.ports.broker import RequestQuota
from alchemiser_common.ports.clock import Clock
from alchemiser_common.ports.secrets import BrokerCredentials

_UNAUTHORISED = 401
_FORBIDDEN = 403
_THROTTLED = 429
_SERVER_ERRORS = 500
_REQUEST_TIMEOUT = 408
_BACKOFF_SECONDS = 0.5
_SHOWN = 200
_PASSING = ("insufficient", "wash trade", "held_for_orders", "held for orders", "opposite side")
"""Words of refusals that may be gone a moment later: cash that lags, shares still held by an ending order."""


@dataclass(frozen=True, slots=True)
class RequestPolicy:
    """Timeouts in seconds, and how often a read is tried."""

    connect_timeout: float = 3.05
    read_timeout: float = 15.0
    read_attempts: int = 4


class TimeoutSession(requests.Session):
    """A session whose requests cannot hang."""

    def __init__(self, policy: RequestPolicy) -> None:
        super().__init__()
        self.trust_env = False
        self._timeout = (policy.connect_timeout, policy.read_timeout)
        self.quota: RequestQuota | None = None
        """As the newest answer's headers told it."""
        self.sent = 0
        """Requests, repeated ones included."""

    def request(self, method: str | bytes, url: str | bytes, *args: object, **kwargs: object) -> requests.Response:
        """As requests', with a timeout."""
        kwargs.setdefault("timeout", self._timeout)
        self.sent += 1
        answer = super().request(method, url, *args, **kwargs)  # type: ignore[arg-type]
        self.quota = _quota(answer.headers) or self.quota
        return answer


def _quota(headers: Mapping[str, str]) -> RequestQuota | None:
    """Alpaca's rate-limit headers; None where they are missing or no numbers."""
    try:
        remaining, reset = int(headers["x-ratelimit-remaining"]), int(headers["x-ratelimit-reset"])
        return RequestQuota(remaining, datetime.fromtimestamp(reset, UTC))
    except (KeyError, ValueError, OverflowError, OSError):
        return None


def harden(client: RESTClient, policy: RequestPolicy) -> TimeoutSession:
    """Give a client a session with timeouts, which comes back, and take its own retries away."""
    session = TimeoutSession(policy)
    client._session = session  # noqa: SLF001  (alpaca-py has no public way)
    client._retry = 0  # noqa: SLF001
    return session


def change_key(client: RESTClient, credentials: BrokerCredentials) -> None:
    """From its next request on the client uses this key."""
    client._api_key = credentials.key_id.get_secret_value()  # noqa: SLF001
    client._secret_key = credentials.secret_key.get_secret_value()  # noqa: SLF001


class Caller:
    """Runs alpaca-py calls and turns whatever they raise into this project's errors.

    `renew` is called when the broker refuses the key, and says whether there is another now. A refused key means that
    nothing was done, so the call is made again, once.
    """

    def __init__(
        self, policy: RequestPolicy, clock: Clock, jitter: random.Random, renew: Callable[[], bool] = lambda: False
    ) -> None:
        self._policy = policy
        self._clock = clock
        self._jitter = jitter
        self._renew = renew

    def read[R](self, what: str, call: Callable[[], R]) -> R:
        """A read, repeated with growing, jittered pauses while the broker is unavailable.

        Raises BrokerUnavailable after the last attempt, BrokerRefused at once.
        """
        for attempt in range(1, self._policy.read_attempts + 1):
            try:
                return self._authorised(what, call)
            except BrokerUnavailable:
                if attempt == self._policy.read_attempts:
                    raise
                self._clock.sleep(_BACKOFF_SECONDS * 2 ** (attempt - 1) * (0.5 + self._jitter.random()))
        raise AssertionError("read_attempts is at least 1")

    def once[R](self, what: str, call: Callable[[], R]) -> R:
        """A request that must not be repeated.

        Raises BrokerRefused if it surely was not accepted, AmbiguousOutcome if that is unknown. A throttled
        request was not accepted, for Alpaca answers 429 before it looks at the body: it is BrokerThrottled.
        """
        try:
            return self._authorised(what, call)
        except BrokerThrottled:
            raise
        except BrokerUnavailable as error:
            raise AmbiguousOutcome(str(error)) from error

    def _authorised[R](self, what: str, call: Callable[[], R]) -> R:
        try:
            return _classified(what, call)
        except BrokerRefused as error:
            if not _key_refused(error) or not self._renew():
                raise
        return _classified(what, call)


def _key_refused(error: BrokerRefused) -> bool:
    """Alpaca says 401, or 403 with nothing but "forbidden."; other 403s are about the order."""
    return error.status == _UNAUTHORISED or (error.status == _FORBIDDEN and str(error).endswith(": forbidden."))


def _classified[R](what: str, call: Callable[[], R]) -> R:
    try:
        return call()
    except APIError as error:
        raise _from_api(what, error) from error
    except requests.RequestException as error:
        raise BrokerUnavailable(f"{what}: {_network_fault(error)}") from error
    except ValueError as error:
        # json.JSONDecodeError of a 2xx with an unreadable body
        raise BrokerUnavailable(f"{what}: the answer is not JSON ({type(error).__name__})") from error


def _network_fault(error: requests.RequestException) -> str:
    """Names the fault without the URL or headers, which can hold what must not be logged."""
    return f"no answer from the broker ({type(error).__name__})"


def _from_api(what: str, error: APIError) -> BrokerRefused | BrokerUnavailable:
    status = error.status_code or 0
    code, message = _body(str(error))
    text = f"{what}: HTTP {status}: {message}"
    if status == _THROTTLED:
        return BrokerThrottled(text)
    if status >= _SERVER_ERRORS or status in {0, _REQUEST_TIMEOUT}:
        return BrokerUnavailable(text)
    may_pass = any(words in text.lower() for words in _PASSING)
    return BrokerRefused(text, status=status, code=code, may_pass=may_pass)


def _body(text: str) -> tuple[int, str]:
    """Code and message of an error body, which may be JSON, HTML or nothing."""
    try:
        content = json.loads(text)
    except ValueError:
        return 0, " ".join(text.split())[:_SHOWN] or "(empty body)"
    if not isinstance(content, dict):
        return 0, text[:_SHOWN]
    code = content.get("code")
    return code if isinstance(code, int) else 0, str(content.get("message", text))[:_SHOWN]
