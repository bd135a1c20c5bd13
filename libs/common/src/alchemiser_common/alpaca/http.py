"""What alpaca-py's calls raise, classified: reads are repeated, orders are sent once.

alpaca-py itself repeats 429 and 504 for every method, orders included.
"""

import json
import random
from collections.abc import Callable
from decimal import Decimal, InvalidOperation

import requests
from alpaca.common.exceptions import APIError

from alchemiser_common.alpaca.reading import shown
from alchemiser_common.alpaca.session import RequestPolicy, UnusableAnswer
from alchemiser_common.errors import AmbiguousOutcome, BrokerRefused, BrokerThrottled, BrokerUnavailable
from alchemiser_common.ports.clock import Clock
from alchemiser_common.settings import READ_PAUSE_SECONDS

_UNAUTHORISED = 401
_FORBIDDEN = 403
_THROTTLED = 429
_SERVER_ERRORS = 500
_REQUEST_TIMEOUT = 408
_CONFLICT = 409
_SHOWN = 200
_PASSING = ("insufficient", "wash trade", "held_for_orders", "held for orders", "opposite side")
"""Words of refusals that may be gone a moment later: cash that lags, shares still held by an ending order."""


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
                self._clock.sleep(READ_PAUSE_SECONDS * 2 ** (attempt - 1) * (0.5 + self._jitter.random()))
        raise AssertionError("read_attempts is at least 1")

    # A refusal of an order ends it, so it must be certain. Answers to a POST, and what they say of the order:
    #
    #     4xx, JSON with Alpaca's integer `code`    refused: Alpaca read it and said no
    #     429, a JSON object                        throttled: Alpaca answers it before it looks at the body
    #     409, 408, whatever the body               unknown: another request, or the same one, may be on its way
    #     4xx or 429 otherwise (HTML, empty, …)     unknown: a proxy may say so after the broker has accepted
    #     5xx, no answer, no order in it            unknown
    def once[R](self, what: str, call: Callable[[], R]) -> R:
        """A request that must not be repeated.

        Raises BrokerRefused if it surely was not accepted, BrokerThrottled if it surely was not looked at, and
        AmbiguousOutcome if that is unknown. The table above.
        """
        try:
            return self._authorised(what, call)
        except BrokerRefused as error:
            if error.code and error.status != _CONFLICT:
                raise
            raise AmbiguousOutcome(f"{error}; whether the broker has the order is unknown") from error
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
    """Alpaca says 401, or 403 with nothing but "forbidden."; other 403s are about the order.

    A refusal by something else (a proxy's login page) says nothing about the key, nor that nothing was done.
    """
    if not error.explained:
        return False
    return error.status == _UNAUTHORISED or (error.status == _FORBIDDEN and str(error).endswith(": forbidden."))


def _classified[R](what: str, call: Callable[[], R]) -> R:
    try:
        return call()
    except APIError as error:
        raise _from_api(what, error) from error
    except (json.JSONDecodeError, RecursionError) as error:
        # of a 2xx with an unreadable body, or one nested so deep that Python gives up
        raise BrokerUnavailable(f"{what}: the answer is not JSON ({type(error).__name__})") from error
    except UnusableAnswer as error:
        raise BrokerUnavailable(f"{what}: {error}") from error
    except requests.RequestException as error:
        raise BrokerUnavailable(f"{what}: {_network_fault(error)}") from error
    except ValueError as error:
        # a number of thousands of digits
        raise BrokerUnavailable(f"{what}: the answer cannot be read ({type(error).__name__})") from error


def _network_fault(error: requests.RequestException) -> str:
    """Names the fault without the URL or headers, which can hold what must not be logged."""
    return f"no answer from the broker ({type(error).__name__})"


def _from_api(what: str, error: APIError) -> BrokerRefused | BrokerUnavailable:
    status = error.status_code or 0
    content = _object(str(error))
    code = 0 if content is None else content.get("code")
    message = str(error) if content is None else str(content.get("message", error))
    text = f"{what}: HTTP {status}: {shown(' '.join(message.split()), _SHOWN) or '(empty body)'}"
    if status == _THROTTLED and content is not None:
        return BrokerThrottled(text)
    if status >= _SERVER_ERRORS or status in {0, _REQUEST_TIMEOUT, _THROTTLED}:
        return BrokerUnavailable(text)
    may_pass = any(words in text.lower() for words in _PASSING)
    number = code if isinstance(code, int) and not isinstance(code, bool) else 0
    return BrokerRefused(
        text,
        status=status,
        code=number,
        may_pass=may_pass,
        explained=content is not None,
        affordable=None if content is None else _usd(content.get("buying_power")),
    )


def _usd(content: object) -> Decimal | None:
    """What a refusal says is left to spend; None unless it is written as a number."""
    try:
        amount = Decimal(content) if isinstance(content, str) else None
    except InvalidOperation:
        return None
    return amount if amount is not None and amount.is_finite() else None


def _object(text: str) -> dict[str, object] | None:
    """An error body that is a JSON object, as Alpaca's are; None for HTML, a list, or nothing."""
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return content if isinstance(content, dict) else None
