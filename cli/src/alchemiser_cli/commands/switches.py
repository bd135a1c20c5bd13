"""`alchemiser halt`, `reduce` and `resume`: what the account may do, from the next order on."""

import getpass
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from alchemiser_cli.console import out, reported_errors
from alchemiser_common.embedded.sqlite_state import SqliteStateStore
from alchemiser_common.settings_files import read_settings
from alchemiser_trading.switch import TradingState, throw_switch

app = typer.Typer()

Reason = Annotated[str, typer.Option(help="Why; it is kept in the audit trail.", prompt="Reason")]
Who = Annotated[str | None, typer.Option(help="Who; default: the user of this machine.")]


@app.command()
def halt(reason: Reason, who: Who = None) -> None:
    """Stop trading: from now on no order is sent, in a running cycle too. Open orders may still be cancelled."""
    _throw(TradingState.HALTED, reason, who)


@app.command()
def reduce(reason: Reason, who: Who = None) -> None:
    """Allow sells only, from the next order on."""
    _throw(TradingState.REDUCING, reason, who)


@app.command()
def resume(reason: Reason, who: Who = None) -> None:
    """Allow every order again."""
    _throw(TradingState.ACTIVE, reason, who)


def _throw(state: TradingState, reason: str, who: str | None) -> None:
    if not reason.strip():
        raise typer.BadParameter("a change of what may be traded needs a reason")
    with reported_errors():
        settings = read_settings(os.environ, Path.cwd()).settings
        store = SqliteStateStore(settings.home / "state.db")
        switch = throw_switch(
            store,
            settings.account_alias,
            state,
            who=who or getpass.getuser(),
            reason=reason,
            now=datetime.now(UTC),
        )
        out.print(
            f"account {settings.account_alias} is [bold]{switch.state.value}[/], says {switch.who}: {switch.reason}"
        )
