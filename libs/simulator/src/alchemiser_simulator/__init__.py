"""A paper exchange over HTTP that the Alpaca clients can talk to, driven by daily price history.

Names load on first use: reading a price file must not wait for the server's libraries.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from alchemiser_simulator.application import InProcess, Reply, build
    from alchemiser_simulator.config import ClockMode, ConfigError, SimulatorConfig
    from alchemiser_simulator.control.control import ControlError, SimulatorControl
    from alchemiser_simulator.exchange.store import StateError
    from alchemiser_simulator.http.connections import ConnectionDroppedError
    from alchemiser_simulator.market.history import PriceHistory, Split
    from alchemiser_simulator.market.history_reader import HistoryError, read_history
    from alchemiser_simulator.market.intraday import SpreadModel
    from alchemiser_simulator.market.sample import SAMPLE_NOTICE, sample_history
    from alchemiser_simulator.server import DEFAULT_PORT, PortInUseError, SimulatorServer, serve

__all__ = [
    "DEFAULT_PORT",
    "SAMPLE_NOTICE",
    "ClockMode",
    "ConfigError",
    "ConnectionDroppedError",
    "ControlError",
    "HistoryError",
    "InProcess",
    "PortInUseError",
    "PriceHistory",
    "Reply",
    "SimulatorConfig",
    "SimulatorControl",
    "SimulatorServer",
    "Split",
    "SpreadModel",
    "StateError",
    "build",
    "read_history",
    "sample_history",
    "serve",
]

_ROOMS = {
    "application": ("InProcess", "Reply", "build"),
    "config": ("ClockMode", "ConfigError", "SimulatorConfig"),
    "control.control": ("ControlError", "SimulatorControl"),
    "market.history": ("PriceHistory", "Split"),
    "market.history_reader": ("HistoryError", "read_history"),
    "market.intraday": ("SpreadModel",),
    "market.sample": ("SAMPLE_NOTICE", "sample_history"),
    "server": ("DEFAULT_PORT", "PortInUseError", "SimulatorServer", "serve"),
    "exchange.store": ("StateError",),
    "http.connections": ("ConnectionDroppedError",),
}
_HOMES = {name: room for room, names in _ROOMS.items() for name in names}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
