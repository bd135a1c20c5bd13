"""A small typed client of the control API, for tests, demonstrations and the command line."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from types import TracebackType
from typing import Self

import requests
from pydantic import BaseModel, JsonValue, RootModel, TypeAdapter

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
from alchemiser_simulator.exchange.transfers import Transfer
from alchemiser_simulator.market.changes import MarketChange

_ODD_ORDER: TypeAdapter[dict[str, JsonValue]] = TypeAdapter(dict[str, JsonValue])
_FAULTS = TypeAdapter(list[FaultEntry])
_CHANGES: TypeAdapter[list[MarketChange]] = TypeAdapter(list[MarketChange])


class ControlError(RuntimeError):
    """The control API refused a request, and the message is its own; or no simulator answered at that address."""


def _first_cause(error: BaseException) -> BaseException:
    """What the operating system said, below the HTTP library's wrappings of it."""
    while (below := error.__cause__ or error.__context__) is not None:
        error = below
    return error


class SimulatorControl:
    """Moves a simulator's clock, sets faults, and looks behind its trading API. Every call raises ControlError if it
    is refused or not answered. Money in USD, times aware UTC.
    """

    def __init__(self, url: str, *, timeout: float = 30.0, session: requests.Session | None = None) -> None:
        """A client of the simulator at `url`; `timeout` in seconds, for connecting and for each answer. `session`: one
        that reaches it on another way than a socket, for example with an adapter into a simulator of this process.
        """
        self._url = url
        self._timeout = timeout
        self._session = session or requests.Session()
        self._session.trust_env = False  # the simulator is on this machine: a proxy of the environment is not asked

    def close(self) -> None:
        """Close the connections; the simulator runs on."""
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
        """The exchange's time, and the span it can show."""
        return ClockState.model_validate_json(self._ask("GET", "/control/clock"))

    def advance(self, span: timedelta | float) -> ClockState:
        """Move the clock forward by a span or by seconds, never beyond the last day with prices."""
        seconds = span.total_seconds() if isinstance(span, timedelta) else span
        return ClockState.model_validate_json(self._ask("POST", "/control/clock", ClockChange(advance=seconds)))

    def set_now(self, now: datetime) -> ClockState:
        """Move the clock forward to a moment, never back."""
        return ClockState.model_validate_json(self._ask("POST", "/control/clock", ClockChange(now=now)))

    def state(self) -> MarketState:
        """The truth behind the trading API."""
        return MarketState.model_validate_json(self._ask("GET", "/control/state"))

    def faults(self) -> list[FaultEntry]:
        """The rules in force, in the order they were added, used up ones included."""
        return _FAULTS.validate_json(self._ask("GET", "/control/faults"))

    def add_fault(self, fault: Fault) -> FaultEntry:
        """Put a rule in force; the entry has its number."""
        return FaultEntry.model_validate_json(self._ask("POST", "/control/faults", fault))

    def remove_fault(self, number: int) -> None:
        """Put one rule out of force; what it did to orders stays with them."""
        self._ask("DELETE", f"/control/faults/{number}")

    def clear_faults(self) -> None:
        """Put all rules out of force; what they did to orders stays with them."""
        self._ask("DELETE", "/control/faults")

    def set_asset(self, symbol: str, change: AssetChange) -> None:
        """Change what may be traded and how."""
        self._ask("PATCH", f"/control/assets/{symbol}", change)

    def set_account(self, change: AccountChange) -> MarketState:
        """Change cash and blocks. The cash is set as if it had been there from the beginning, without an activity."""
        return MarketState.model_validate_json(self._ask("PATCH", "/control/account", change))

    def set_holding(self, symbol: str, qty: Decimal, avg_entry_price: Decimal | None = None) -> MarketState:
        """Set a holding of stock as if it had been there from the beginning, without an activity: `qty` shares at that
        price each (None: the last one); zero takes it out.
        """
        return self.put_holding(HoldingChange(symbol=symbol, qty=qty, avg_entry_price=avg_entry_price))

    def put_holding(self, change: HoldingChange) -> MarketState:
        """Set any holding likewise: a short one, an option, one that is worth nothing."""
        return MarketState.model_validate_json(self._ask("POST", "/control/positions", change))

    def transfer(self, transfer: Transfer) -> MarketState:
        """Let money or shares come or go, as an activity tells."""
        return MarketState.model_validate_json(self._ask("POST", "/control/transfers", transfer))

    def deposit(self, amount: Decimal) -> MarketState:
        """Bring so many USD into the account."""
        return self.transfer(Transfer(code="CSD", amount=amount))

    def withdraw(self, amount: Decimal) -> MarketState:
        """Take so many USD out of the account."""
        return self.transfer(Transfer(code="CSW", amount=-amount))

    def put_odd_order(self, order: dict[str, JsonValue]) -> str:
        """Put an open order among the account's that no client could send, such as one of several legs; it never fills
        and can be cancelled. `order`: fields that differ from a multi-leg order's; returns its id.
        """
        answer = self._ask("POST", "/control/orders", RootModel[dict[str, JsonValue]](order))
        return str(_ODD_ORDER.validate_json(answer)["id"])

    def market_changes(self) -> list[MarketChange]:
        """The events put into the price history, in the order they were."""
        return _CHANGES.validate_json(self._ask("GET", "/control/market"))

    def change_market(self, change: MarketChange) -> None:
        """Put an event into the price history, such as a split or a gap in the feed. A reset takes it out."""
        self._ask("POST", "/control/market", change)

    def reset(self, *, start: datetime | None = None, cash: Decimal | None = None) -> ClockState:
        """Start over with a fresh account: orders, positions, faults and counts are gone. What is None is as the
        simulator was configured.
        """
        return ClockState.model_validate_json(self._ask("POST", "/control/reset", Reset(start=start, cash=cash)))
