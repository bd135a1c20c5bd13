"""`alchemiser halt`, `reduce` and `resume`: what the account may do, from the next order on."""

import getpass
from datetime import UTC, datetime
from typing import Annotated

import typer

from alchemiser_cli.console import out, reported_errors
from alchemiser_cli.records import open_records
from alchemiser_common.records.trading_state import TradingState
from alchemiser_trading.account.trading_state import set_trading_state

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
        records = open_records()
        alias = records.settings.account_alias
        switch = set_trading_state(
            records.state,
            alias,
            state,
            who=who or getpass.getuser(),
            reason=reason,
            now=datetime.now(UTC),
        )
        out.print(f"account {alias} is [bold]{switch.state.value}[/], says {switch.who}: {switch.reason}")
