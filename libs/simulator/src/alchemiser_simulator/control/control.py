"""A small typed client of the control API, for tests, demonstrations and the command line."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from types import TracebackType
from typing import Self

import requests
from pydantic import BaseModel, TypeAdapter

from alchemiser_simulator.control.faults import Fault
from alchemiser_simulator.control.models import (
    AccountChange,
    AssetChange,
    ClockChange,
    ClockState,
    FaultEntry,
    HoldingChange,
    MarketState,
    Reset,
)

_FAULTS = TypeAdapter(list[FaultEntry])


class ControlError(RuntimeError):
    """The control API refused a request; the message is its own."""


def _first_cause(error: BaseException) -> BaseException:
    """What the operating system said, below the HTTP library's wrappings of it."""
    while (below := error.__cause__ or error.__context__) is not None:
        error = below
    return error


class SimulatorControl:
    """Moves a simulator's clock, sets faults, and looks behind its trading API."""

    def __init__(self, url: str, *, timeout: float = 30.0) -> None:
        """A client of the simulator at `url`; `timeout` in seconds, for connecting and for each answer."""
        self._url = url
        self._timeout = timeout
        self._session = requests.Session()
        self._session.trust_env = False  # the simulator is on this machine: a proxy of the environment is not asked

    def close(self) -> None:
        self._session.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _ask(self, method: str, path: str, body: BaseModel | None = None) -> bytes:
        """The body of the answer. Raises ControlError."""
        content = None if body is None else body.model_dump_json(exclude_none=True).encode()
        try:
            answer = self._session.request(
                method, self._url.rstrip("/") + path, data=content, timeout=self._timeout, allow_redirects=False
            )
        except requests.RequestException as error:
            raise ControlError(f"no simulator answers at {self._url}: {_first_cause(error)}") from error
        if not answer.ok:
            raise ControlError(f"{method} {path}: {answer.content.decode(errors='replace')}")
        return answer.content

    def clock(self) -> ClockState:
        return ClockState.model_validate_json(self._ask("GET", "/control/clock"))

    def advance(self, span: timedelta | float) -> ClockState:
        """Move the clock forward by a span or by seconds."""
        seconds = span.total_seconds() if isinstance(span, timedelta) else span
        return ClockState.model_validate_json(self._ask("POST", "/control/clock", ClockChange(advance=seconds)))

    def set_now(self, now: datetime) -> ClockState:
        """Move the clock forward to a moment."""
        return ClockState.model_validate_json(self._ask("POST", "/control/clock", ClockChange(now=now)))

    def state(self) -> MarketState:
        return MarketState.model_validate_json(self._ask("GET", "/control/state"))

    def faults(self) -> list[FaultEntry]:
        return _FAULTS.validate_json(self._ask("GET", "/control/faults"))

    def add_fault(self, fault: Fault) -> FaultEntry:
        return FaultEntry.model_validate_json(self._ask("POST", "/control/faults", fault))

    def remove_fault(self, number: int) -> None:
        self._ask("DELETE", f"/control/faults/{number}")

    def clear_faults(self) -> None:
        self._ask("DELETE", "/control/faults")

    def set_asset(self, symbol: str, change: AssetChange) -> None:
        self._ask("PATCH", f"/control/assets/{symbol}", change)

    def set_account(self, change: AccountChange) -> MarketState:
        return MarketState.model_validate_json(self._ask("PATCH", "/control/account", change))

    def set_holding(self, symbol: str, qty: Decimal, avg_entry_price: Decimal | None = None) -> MarketState:
        """Put shares into the account; zero takes them out."""
        change = HoldingChange(symbol=symbol, qty=qty, avg_entry_price=avg_entry_price)
        return MarketState.model_validate_json(self._ask("POST", "/control/positions", change))

    def reset(self, *, start: datetime | None = None, cash: Decimal | None = None) -> ClockState:
        """Start over with a fresh account: orders, positions, faults and counts are gone."""
        return ClockState.model_validate_json(self._ask("POST", "/control/reset", Reset(start=start, cash=cash)))
