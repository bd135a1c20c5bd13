"""`alchemiser halt`, `reduce` and `resume`: what the account may do, from the next order on."""

from datetime import UTC, datetime

import typer
from rich.markup import escape

from alchemiser_cli.console import out
from alchemiser_cli.context import command
from alchemiser_cli.options import Reason, Who, signed
from alchemiser_common.records.trading_state import TradingState
from alchemiser_trading.account.trading_state import set_trading_state

app = typer.Typer()


@app.command()
def halt(reason: Reason, who: Who = None) -> None:
    """Stop trading: from now on no order is sent, in a running cycle too. Open orders may still be cancelled."""
    _set(TradingState.HALTED, reason, who)


@app.command()
def reduce(reason: Reason, who: Who = None) -> None:
    """Allow sells only, from the next order on."""
    _set(TradingState.REDUCING, reason, who)


@app.command()
def resume(reason: Reason, who: Who = None) -> None:
    """Allow every order again."""
    _set(TradingState.ACTIVE, reason, who)


def _set(state: TradingState, reason: str, who: str | None) -> None:
    by = signed(who, reason, refusal="a change of what may be traded needs a reason")
    with command() as context:
        switch = set_trading_state(
            context.state, context.account, state, who=by.who, reason=by.reason, now=datetime.now(UTC)
        )
        out.print(
            f"account {context.account} is [bold]{switch.state.value}[/], "
            f"says {escape(switch.who)}: {escape(switch.reason)}"
        )
