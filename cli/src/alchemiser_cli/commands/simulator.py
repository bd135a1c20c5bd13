"""`alchemiser simulator serve`: a paper exchange on loopback for any Alpaca client."""

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Annotated

import typer

from alchemiser_cli.console import note
from alchemiser_cli.context import command
from alchemiser_cli.options import DAY, MarketData
from alchemiser_cli.simulated import open_market
from alchemiser_simulator import DEFAULT_PORT, ClockMode, SimulatorConfig, serve

app = typer.Typer(help="An Alpaca-compatible exchange on this machine.", no_args_is_help=True)


@app.callback()
def simulator() -> None:
    """An Alpaca-compatible exchange on this machine."""


@app.command("serve")
def serve_command(
    port: Annotated[int, typer.Option(help="Loopback port.", min=1, max=65535)] = DEFAULT_PORT,
    data: MarketData = None,
    start: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%dT%H:%M:%S", *DAY], help="Where virtual time begins, UTC."),
    ] = None,
    speed: Annotated[
        float, typer.Option(help="Virtual seconds a real second; 0: only the control API moves time.", min=0)
    ] = 1.0,
    cash: Annotated[float, typer.Option(help="Cash of a new account, USD.", min=0, max=1e12)] = 100_000,
    state: Annotated[
        Path | None, typer.Option(help="SQLite file that keeps orders and positions; without it they end with it.")
    ] = None,
) -> None:
    """Serve Alpaca's trading and market data API until Ctrl-C.

    Point any Alpaca client's base URLs (trading and data) at it; any key is accepted. Time, faults and resets are
    under /control.
    """
    with command() as context:
        market = open_market(data, context.settings.home)
        if market.notice:
            note(market.notice)
        config = SimulatorConfig(
            history=market.history,
            start=start.replace(tzinfo=UTC) if start else None,
            cash=Decimal(str(cash)),
            state=state,
            clock=ClockMode.FLOWING if speed > 0 else ClockMode.FROZEN,
            speed=speed or 1.0,
        )
        serve(config, port=port, ready=_greet)


def _greet(url: str) -> None:
    note(f"serving on {url} (base URL of both the trading and the data client); Ctrl-C ends it")
