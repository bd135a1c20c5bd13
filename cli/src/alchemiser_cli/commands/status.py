"""`alchemiser status`: how the account stands, on one screen, from the stored records and, if asked to, the broker."""

import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from alchemiser_cli.console import out
from alchemiser_cli.context import CommandContext, command
from alchemiser_cli.options import AsCsv, AsJson, MarketData
from alchemiser_common.ports.clock import EXCHANGE_ZONE
from alchemiser_common.settings import Environment

if TYPE_CHECKING:
    from alchemiser_readmodel.account import AccountRecords
    from alchemiser_readmodel.at_broker import AtBroker
    from alchemiser_readmodel.status import AccountStatus

app = typer.Typer()

Watch = Annotated[float | None, typer.Option("--watch", help="Show it again every so many seconds.", min=0.5)]
Live = Annotated[bool, typer.Option("--live", help="Ask the broker, too: equity, holdings, orders, next decision.")]


@app.command()
def status(
    *, live: Live = False, watch: Watch = None, data: MarketData = None, as_json: AsJson = False, as_csv: AsCsv = False
) -> None:
    """Show how the account stands: worth, profit, holdings against targets, switches, last run, what needs a hand.

    From what the last runs stored; --live asks the broker as well, and compares. Nothing is made or changed. Works in
    every home, and on a stage (eval "$(alchemiser stage dev)"). Exit code 0 even with warnings: it is a report.
    As CSV it prints the holdings, as the last run left them.
    """
    with command(as_json=as_json, as_csv=as_csv, or_demo=True) as context:
        while True:
            found = _read(context)
            now = _at_broker(context, found, data) if live else None
            _show(context, found[1], now, clear=watch is not None and out.is_terminal and not (as_json or as_csv))
            if watch is None:
                return
            time.sleep(watch)


def _read(context: CommandContext) -> "tuple[AccountRecords, AccountStatus]":
    from alchemiser_cli.stored_account import read_account
    from alchemiser_readmodel.status import account_status

    records, environment = read_account(context.state, context.account), context.settings.environment
    now = None if environment is Environment.SIMULATED else datetime.now(UTC)  # a simulated exchange has its own time
    return records, account_status(records, environment.value, now, EXCHANGE_ZONE)


def _at_broker(context: CommandContext, found: "tuple[AccountRecords, AccountStatus]", data: Path | None) -> "AtBroker":
    from alchemiser_cli.broker_answers import ask_broker
    from alchemiser_cli.cycles import attached, logged
    from alchemiser_readmodel.at_broker import at_broker

    settings = context.settings
    with logged(settings.home), attached(settings, context.variables, data=data) as platform:
        answers = ask_broker(platform)
    records, status = found
    return at_broker(records, answers, status.targets)


def _show(context: CommandContext, status: "AccountStatus", now: "AtBroker | None", *, clear: bool) -> None:
    from alchemiser_cli.status_view import holdings_rows, status_json, status_view

    if clear:
        out.clear()
    context.emit(status_json(status, now), lambda: out.print(status_view(status, now)), rows=holdings_rows(status))
