"""Which clock a process works by: the machine's, or in a simulated environment the exchange's own."""

from alchemiser_common.ports.clock import Clock, SystemClock
from alchemiser_common.settings import Environment, Settings


def open_clock(settings: Settings) -> Clock:
    """The time that sessions, leases and deadlines are in; a simulated exchange with an address tells its own."""
    if settings.environment is Environment.SIMULATED and settings.broker.trading_url is not None:
        from alchemiser_common.embedded.exchange_clock import ExchangeClock

        return ExchangeClock(settings.broker.trading_url)
    return SystemClock()
