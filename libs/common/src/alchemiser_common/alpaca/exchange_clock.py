"""A simulated exchange's time as a service's time: its days are not today's, and may pass faster."""

import time
from collections.abc import Callable
from datetime import datetime, timedelta

_LOOK_SECONDS = 0.02


class ExchangeClock:
    """Asks the exchange what time it is, and waits until it says so; whoever runs the exchange moves its time."""

    def __init__(self, ask: Callable[[], datetime]) -> None:
        self._ask = ask

    def now(self) -> datetime:
        """The exchange's moment. Raises BrokerUnavailable."""
        return self._ask()

    def sleep(self, seconds: float) -> None:
        """Return when so many of the exchange's seconds have passed."""
        until = self._ask() + timedelta(seconds=seconds)
        while self._ask() < until:
            time.sleep(_LOOK_SECONDS)
