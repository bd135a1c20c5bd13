"""Which exchange a command works with: the one that the settings name, or in simulation the home's own.

A home's own exchange is begun by its first run and opened ever after. One that has none of the account's orders is
another exchange: comparing books with it, or trading them on it, is refused.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alchemiser_cli.home import orders_sent
from alchemiser_cli.simulated import Exchange, SimulatedClock
from alchemiser_common.clocks import open_clock
from alchemiser_common.embedded.adapters import STATE_FILE
from alchemiser_common.embedded.sqlite_state import SqliteStateStore
from alchemiser_common.errors import BrokerUnavailable, InvalidSettings
from alchemiser_common.ports.clock import Clock
from alchemiser_common.private_files import make_private_file
from alchemiser_common.settings import Backend, Environment, Settings
from alchemiser_simulator import ClockMode, ControlError, SimulatorControl

EXCHANGE_FILE = "simulator.db"
"""Of a home: the books of its own exchange."""


DATA_FILE = "simulator.data"
"""Of a home: which prices its own exchange was begun with, if they are not the bundled ones. One line, a path."""


def exchange_file(home: Path) -> Path:
    """Where a home's own exchange keeps its books."""
    return home / EXCHANGE_FILE


def begun_with(home: Path) -> Path | None:
    """The prices of a home's own exchange; None for the bundled ones, and where none was begun.

    Raises InvalidSettings if they are not where they were.
    """
    try:
        data = Path(os.fsdecode((home / DATA_FILE).read_bytes().rstrip(b"\n")))
    except FileNotFoundError:
        return None
    if exchange_file(home).is_file() and not data.exists():
        raise InvalidSettings(
            f"home {home.resolve()} was begun with the prices of {data}, which are not there: say with --data where "
            "they are"
        )
    return data if exchange_file(home).is_file() else None


def remember_data(home: Path, data: Path | None) -> None:
    """Keep which prices the home's own exchange has, so that nobody needs to say it again."""
    if data is None:
        return
    file, line = home / DATA_FILE, os.fsencode(data.resolve()) + b"\n"
    make_private_file(file)
    if file.read_bytes() != line:
        file.write_bytes(line)


def has_own_exchange(settings: Settings) -> bool:
    """Whether the exchange is the home's own, in this process; otherwise settings or environment name it.

    Raises InvalidSettings for a simulated account on AWS whose exchange is not named: what is on AWS was traded
    elsewhere.
    """
    if settings.environment is not Environment.SIMULATED or settings.broker.trading_url is not None:
        return False
    if settings.backend is Backend.AWS:
        raise InvalidSettings(
            f"backend is aws and environment simulated: the account of table {settings.aws.table} was traded on an "
            "exchange that this process does not have; name it with broker.trading_url and broker.data_url"
        )
    return True


def exchange_name(settings: Settings) -> str:
    """The exchange, for a sentence."""
    named = settings.broker.trading_url
    if settings.environment is not Environment.SIMULATED:
        return f"Alpaca's {settings.environment.value} trading" + (f" at {named}" if named else "")
    return (
        f"the simulated exchange at {named}" if named else f"the simulated exchange of home {settings.home.resolve()}"
    )


@contextmanager
def named_clock(settings: Settings) -> Iterator[Clock]:
    """The clock of an exchange that is not the home's own; one that stands still is moved by whoever sleeps.

    Raises BrokerUnavailable if a simulated exchange does not answer.
    """
    url = settings.broker.trading_url
    if settings.environment is not Environment.SIMULATED or url is None:
        yield open_clock(settings)
        return
    with SimulatorControl(url) as control:
        try:
            stands = control.clock().mode == ClockMode.FROZEN.value
        except ControlError as error:
            raise BrokerUnavailable(f"broker.trading_url: {error}") from error
        yield SimulatedClock(control) if stands else open_clock(settings)


def require_begun(settings: Settings) -> None:
    """Before a home's own exchange is opened: where orders were sent, it is there.

    Raises InvalidSettings, and makes nothing.
    """
    if not exchange_file(settings.home).is_file() and (order := _an_order(settings)) is not None:
        raise InvalidSettings(f"{exchange_file(settings.home)} is not there, {_elsewhere(settings, order)}")


def require_history(settings: Settings, exchange: Exchange) -> None:
    """A home's own exchange that was opened knows the account: one of its orders at least, if it has sent any.

    Raises InvalidSettings.
    """
    order = _an_order(settings)
    if order is None:
        return
    known = {item.client_order_id for item in exchange.control.state().orders}
    store = SqliteStateStore.existing(settings.home / STATE_FILE)
    if not any(sent in known for sent in orders_sent(store, settings.account_alias, settings.environment)):
        where = f"{exchange_file(settings.home)} has none of the account's orders"
        raise InvalidSettings(f"{where}, {_elsewhere(settings, order)}")


def _an_order(settings: Settings) -> str | None:
    """One of the latest run that meant to send any."""
    file = settings.home / STATE_FILE
    if not file.is_file():
        return None
    sent = orders_sent(SqliteStateStore.existing(file), settings.account_alias, settings.environment)
    return next(sent, None)


def _elsewhere(settings: Settings, order: str) -> str:
    return (
        f"so account {settings.account_alias} was traded on another exchange (order {order}): name that one with "
        f"broker.trading_url and broker.data_url, or put its {EXCHANGE_FILE} back; to begin anew, move the home away"
    )
