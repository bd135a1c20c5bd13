"""The clock of a simulated exchange whose time flows, but is not this machine's: its time is the time."""

import json
import time
import urllib.request
from datetime import UTC, datetime, timedelta

from alchemiser_common.errors import BrokerUnavailable, InvalidSettings

_PATIENCE_SECONDS = 10.0
_GLANCE_SECONDS = 0.02


class ExchangeClock:
    """Asks the simulator at `url` for the time, and waits until it has passed there."""

    def __init__(self, url: str) -> None:
        if not url.startswith(("http://", "https://")):
            raise InvalidSettings(f"broker.trading_url is {url!r}; give the simulator's http:// address")
        self._url = f"{url.rstrip('/')}/control/clock"
        self._direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def now(self) -> datetime:
        """The exchange's moment, aware UTC. Raises BrokerUnavailable."""
        return self._asked(self._url)

    def _asked(self, url: str) -> datetime:
        try:
            with self._direct.open(url, timeout=_PATIENCE_SECONDS) as answer:
                told = json.load(answer)["now"]
            return datetime.fromisoformat(told).astimezone(UTC)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise BrokerUnavailable(f"the exchange at {self._url} does not tell the time ({error})") from error

    def monotonic(self) -> float:
        """The exchange's time in seconds: it is not set back but by a reset. Raises BrokerUnavailable."""
        return self.now().timestamp()

    def sleep(self, seconds: float) -> None:
        """Return once that many seconds have passed at the exchange, which is told what is waited for.

        Raises BrokerUnavailable.
        """
        until = self.now() + timedelta(seconds=seconds)
        waiting = f"{self._url}?until={until:%Y-%m-%dT%H:%M:%S.%fZ}"
        while self._asked(waiting) < until:
            time.sleep(_GLANCE_SECONDS)
