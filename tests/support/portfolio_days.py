"""A person's own strategies on a made-up market: session after session through the three services."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import numpy as np

from alchemiser_cli.cycles import RunCycle, cycle_at, cycle_runner, ensure_authority, on_exchange
from alchemiser_cli.simulated import Exchange, Market, embedded_exchange
from alchemiser_cli.stored_runs import read_detail, read_run
from alchemiser_common.decision_time import decision_time
from alchemiser_common.settings import Settings
from alchemiser_monolith.platform import Platform
from alchemiser_readmodel.runs import RunDetail
from alchemiser_simulator import PriceHistory
from alchemiser_simulator.market.history import Split
from alchemiser_simulator.market.sessions import SessionCalendar


def weekdays(first: date, count: int) -> tuple[date, ...]:
    """That many days of an exchange without holidays."""
    days = (first + timedelta(number) for number in range(2 * count + 7))
    return tuple(day for day in days if day.weekday() < 5)[:count]


def market_of(
    days: Sequence[date],
    closes: Mapping[str, Sequence[float]],
    *,
    opens: Mapping[str, Sequence[float]] | None = None,
    splits: tuple[Split, ...] = (),
) -> Market:
    """A market of these closes, (days,) in USD by symbol; without opens a day begins where it ends."""
    close = np.array(list(closes.values()), dtype=float).T
    begins = np.array([(opens or {}).get(symbol, closes[symbol]) for symbol in closes], dtype=float).T
    history = PriceHistory(
        dates=tuple(days),
        symbols=tuple(closes),
        close=close,
        given_open=begins,
        given_high=np.maximum(close, begins),
        given_low=np.minimum(close, begins),
        given_volume=np.full_like(close, 50_000_000.0),
        splits=splits,
        source="made up",
    )
    return Market(history, SessionCalendar(history.dates), "")


def symphony(rule: str, *symbols: str) -> str:
    """The text of a symphony that holds the symbols in equal parts, rebalanced by `rule`."""
    listed = " ".join(f'(asset "{symbol}" nil)' for symbol in symbols)
    return f'(defsymphony "own" {{:asset-class "EQUITIES" {rule}}} (weight-equal [{listed}]))'


@dataclass
class PortfolioDays:
    """The line, standing before its next session."""

    platform: Platform
    exchange: Exchange
    market: Market
    run: RunCycle
    runs: list[RunDetail] = field(default_factory=list)

    def day(self, day: date) -> RunDetail:
        """One session's cycle, each message delivered once."""
        session = self.market.as_session(self.market.sessions_from(day, 1)[0])
        due = decision_time(session, self.platform.settings.schedule)
        self.exchange.clock.move_to(due)
        cycle = cycle_at(self.platform.settings, due)
        self.run(cycle, 1)
        summary = read_run(self.platform.state, cycle.run_id)
        assert summary is not None, f"nothing is known of {day}"
        self.runs.append(read_detail(self.platform.state, self.platform.archive, summary))
        return self.runs[-1]

    def held(self) -> dict[str, Decimal]:
        return {holding.symbol: holding.qty for holding in self.exchange.control.state().holdings}

    def orders(self) -> int:
        """That ever reached the exchange."""
        return len(self.exchange.control.state().orders)


@contextmanager
def portfolio_days(
    folder: Path, market: Market, first: date, strategies: Mapping[str, str], **changes: object
) -> Iterator[PortfolioDays]:
    """The line with strategies that share the account equally, before the session of `first`.

    They are symphonies by name, or other files by file name.
    """
    files = folder / "strategies"
    files.mkdir(parents=True)
    for name, text in strategies.items():
        (files / (name if Path(name).suffix else f"{name}.clj")).write_text(text)
    shares = {Path(name).stem: 1 / len(strategies) for name in strategies}
    own = {"home": folder / "home", "strategies": {"folder": files, "allocations": shares}}
    settings = Settings.model_validate({**own, **changes})
    with embedded_exchange(market, start=first, state=None) as exchange:
        platform = on_exchange(settings, {}, exchange)
        ensure_authority(settings, platform.state, platform.clock.now())
        yield PortfolioDays(platform, exchange, market, cycle_runner(platform))
