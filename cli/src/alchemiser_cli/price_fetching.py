"""The broker of the settings as a source of price files."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from alchemiser_cli.console import err, note
from alchemiser_cli.context import CommandContext
from alchemiser_cli.research import choose, symbols_of
from alchemiser_common.alpaca.broker import AlpacaReader, open_alpaca
from alchemiser_common.errors import InvalidSettings
from alchemiser_common.ports.clock import EXCHANGE_ZONE, SystemClock
from alchemiser_common.settings import Environment, Settings
from alchemiser_prices import tidy
from alchemiser_prices.done import Done
from alchemiser_prices.fetching import fetch, fetched_symbols
from alchemiser_prices.importing import import_prices
from alchemiser_prices.report import Adjustment, Report
from alchemiser_prices.spellings import symbol_of

_LONGEST_PAUSE = timedelta(days=14)
"""Longer than any run of closed days."""


def wanted_symbols(settings: Settings, names: Sequence[str], strategies: Sequence[str], place: Path) -> tuple[str, ...]:
    """What is named; if nothing is, what the file has; if there is none, what the settings' portfolio reads."""
    if names or strategies:
        of_strategies = symbols_of(choose(settings.strategies, strategies)) if strategies else ()
        return tuple(sorted({*map(symbol_of, names), *of_strategies}))
    return fetched_symbols(place) or symbols_of(choose(settings.strategies, []))


def fetch_prices(
    context: CommandContext, symbols: Sequence[str], first: date, feed: str | None, place: Path
) -> tuple[Report, Mapping[str, Done]]:
    """Bring the file up to date with a bar of progress; what it holds now, and what happened to each symbol.

    Raises MissingSecret, InvalidSettings, UnusablePrices, BrokerUnavailable or BrokerRefused.
    """
    settings = _with_broker(context, feed)
    secrets = context.adapters.secrets()
    # The machine's time, whatever the exchange's: what is waited for is the budget of requests.
    clock = SystemClock()
    reader = open_alpaca(AlpacaReader, settings, secrets.broker_credentials(), secrets, clock)
    last = last_completed(reader)
    if first > last:
        raise InvalidSettings(f"--from {first} is after the last completed session, {last}")
    columns = (
        TextColumn("fetching"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[at]}"),
    )
    with Progress(*columns, console=err, transient=True) as shown:
        task = shown.add_task("", total=len(symbols), at="")

        def progress(symbol: str, _: Done) -> None:
            shown.update(task, advance=1, at=symbol)

        done = fetch(
            reader,
            symbols,
            (first, last),
            settings.data.bars_feed,
            place,
            pause=clock.sleep,
            progress=progress,
        )
    return _reported(place, settings.data.bars_feed), done


def last_completed(reader: AlpacaReader) -> date:
    """The newest session that is over by the broker's clock. Raises BrokerUnavailable."""
    now = reader.now()
    today = now.astimezone(EXCHANGE_ZONE).date()
    session = reader.session_on(today)
    if session is not None:
        return today if now >= session.closes else session.previous_day
    return max(reader.sessions(today - _LONGEST_PAUSE, today))


def _with_broker(context: CommandContext, feed: str | None) -> Settings:
    """The settings with the feed, and Alpaca's paper account where they name no broker: its keys read bars."""
    settings = context.settings
    if settings.environment is Environment.SIMULATED and settings.broker.trading_url is None:
        note("environment is simulated and no exchange is named: Alpaca is asked, as with --paper")
        settings = context.changed(environment=Environment.PAPER).settings
    if feed is None:
        return settings
    return settings.model_copy(update={"data": settings.data.model_copy(update={"bars_feed": feed})})


def _reported(place: Path, feed: str) -> Report:
    """What the file holds, kept in it for whoever uses it."""
    table, report = import_prices([place])
    report = report.model_copy(
        update={"forms": (f"Alpaca's daily bars, feed {feed}",), "adjustment": Adjustment.ONLY_ADJUSTED}
    )
    tidy.write(place, table, report=report, fetched=tidy.fetched_state(place))
    return report
