"""Settings of a simulator. Frozen; the defaults make a deterministic paper account that only the control API moves."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from uuid import UUID, uuid5

from alchemiser_simulator.market.changes import ChangeError, MarketChange, changed
from alchemiser_simulator.market.dividends import with_dividends
from alchemiser_simulator.market.history import PriceHistory
from alchemiser_simulator.market.intraday import SpreadModel
from alchemiser_simulator.market.sessions import SessionCalendar

_NAMESPACE = UUID("5f0c1d0e-8a55-5c1f-9a6d-0d2f6a3b7c11")


class ClockMode(StrEnum):
    """Whether the exchange's time stands until the control API moves it, flows with the wall's, or passes for whoever
    waits for it.
    """

    FROZEN = "frozen"
    FLOWING = "flowing"
    WAITED = "waited"
    """It goes to the moment that somebody says to be waiting for, and with each look a millisecond on: waiting takes no
    time of the wall, and work, however slow the machine, hardly any of the exchange."""


class ConfigError(ValueError):
    """A setting does not fit the data; the message names it and the remedy."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatorConfig:
    """A simulator's settings; making one raises ConfigError for a value that cannot be.

    `start` without value: half an hour after the open of the session three quarters through the history.
    """

    history: PriceHistory
    start: datetime | None = None
    cash: Decimal = Decimal(100_000)  # USD
    account_number: str = "SIM100001"
    account_id: UUID | None = None  # without value: derived from the seed
    multiplier: int = 2  # 1 = cash account, 2 = Reg T margin
    state: Path | None = None
    clock: ClockMode = ClockMode.FROZEN
    speed: float = 1.0  # virtual seconds a wall second, flowing clock only
    spread: SpreadModel = field(default_factory=SpreadModel)
    seed: int = 0
    rate_limit: int = 200  # requests a minute in the headers
    enforce_rate_limit: bool = False
    depth_factor: Decimal | None = None  # fills a match are limited to displayed size x this
    market_collar: Decimal = Decimal("0.01")  # market buys are checked at the ask plus this share
    not_fractionable: frozenset[str] = frozenset()
    pay_dividends: bool = False  # those that adjusted closes imply come as cash
    changes: tuple[MarketChange, ...] = ()  # put into the history from the beginning, a reset keeps them
    api_keys: frozenset[str] = frozenset()  # accepted key ids; none listed: any
    reading_tokens: frozenset[str] = frozenset()  # OAuth tokens without the scope to trade; others may do all

    def __post_init__(self) -> None:
        if not self.history.dates:
            raise ConfigError(f"history from {self.history.source} has no sessions; give prices of at least one day")
        if self.cash < 0:
            raise ConfigError(f"cash is {self.cash}; give zero or more dollars")
        if self.multiplier not in {1, 2, 4}:
            raise ConfigError(f"multiplier is {self.multiplier}; give 1 (cash account), 2 or 4")
        if self.speed <= 0:
            raise ConfigError(f"speed is {self.speed}; give a number above zero")
        if self.start is not None and self.start.tzinfo is None:
            raise ConfigError(f"start is {self.start} without a time zone; give for example {self.start}+00:00")
        try:
            changed(self.prices, self.changes)
        except ChangeError as error:
            raise ConfigError(f"changes: {error}") from error

    @property
    def prices(self) -> PriceHistory:
        """The history, with its implied dividends if they are to be paid."""
        return with_dividends(self.history) if self.pay_dividends else self.history

    @property
    def account(self) -> UUID:
        """The account's id, from which all other ids are derived: one seed, one set of ids."""
        return self.account_id or uuid5(_NAMESPACE, f"account/{self.seed}")

    def first_moment(self, calendar: SessionCalendar) -> datetime:
        """Where the clock begins, aware UTC. Raises ConfigError if the history has no such time."""
        if self.start is None:
            session = calendar.sessions[min(len(calendar.sessions) * 3 // 4, len(calendar.sessions) - 1)]
            return session.opens + timedelta(minutes=30)
        start = self.start.astimezone(UTC)
        if not calendar.begins <= start <= calendar.ends:
            raise ConfigError(f"start {start} lies outside the history, {calendar.begins} to {calendar.ends}")
        return start
