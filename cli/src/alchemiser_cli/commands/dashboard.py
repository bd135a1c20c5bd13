"""`alchemiser dashboard`: the operator's pages in a browser, on this machine only."""

import getpass
import webbrowser
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from alchemiser_cli.console import out
from alchemiser_cli.context import CommandContext, command
from alchemiser_cli.dashboard.port import DEFAULT_PORT
from alchemiser_cli.options import MarketData
from alchemiser_common.settings import Environment

if TYPE_CHECKING:
    from socket import socket

    from alchemiser_cli.dashboard.security import Guard
    from alchemiser_cli.dashboard.source import Source
    from alchemiser_cli.dashboard.switches import Switch

app = typer.Typer()


@app.command()
def dashboard(
    *,
    port: Annotated[int, typer.Option(help="Port on 127.0.0.1; 0 is any free one.", min=0, max=65535)] = DEFAULT_PORT,
    benchmark: Annotated[
        str | None, typer.Option(help="Symbol to hold beside the account, by --data's closes.")
    ] = None,
    data: MarketData = None,
    allow_switches: Annotated[
        bool, typer.Option("--allow-switches", help="Let the pages halt, reduce and resume the account.")
    ] = False,
    no_open: Annotated[bool, typer.Option("--no-open", help="Only print the address; open no browser.")] = False,
) -> None:
    """Show the account in a browser: today, performance, runs with their reasons and orders, strategies, parity.

    Served on 127.0.0.1 only, to whoever has the address that is printed: its token is new at each start. From the
    stored records alone, read anew for each page; the broker is not asked, and nothing is changed
    without --allow-switches. Works in every home, and on
    a stage (eval "$(alchemiser stage dev)"). Ctrl-C ends it.
    """
    with command(or_demo=not allow_switches) as context:
        from alchemiser_cli.dashboard.server import server_of

        pages, listener = opened(context, port, source_of(context, benchmark, data), allow_switches=allow_switches)
        if not no_open:
            webbrowser.open(pages.address_once())
        server_of(pages).run([listener])
        raise KeyboardInterrupt  # it serves until then; whether the server says so is a matter of the moment


def opened(
    context: CommandContext, port: int, source: "Source", *, allow_switches: bool = False
) -> "tuple[Guard, socket]":
    """The pages and the socket to serve them on; their address is printed. Raises InvalidSettings for a taken port."""
    from secrets import token_urlsafe

    from alchemiser_cli.dashboard.application import application
    from alchemiser_cli.dashboard.security import Access
    from alchemiser_cli.dashboard.server import listen
    from alchemiser_cli.dashboard.switches import Switches

    listener = listen(port)
    access = Access(listener.getsockname()[1], token_urlsafe(32))
    switches = Switches(switch_of(context), access, getpass.getuser()) if allow_switches else None
    pages = application(source, access, switches)
    out.print(f"Dashboard: {access.address}", soft_wrap=True, markup=False)
    out.file.flush()
    return pages, listener


def switch_of(context: CommandContext) -> "Switch":
    """The change, by the code of `alchemiser halt`, `reduce` and `resume`."""
    from alchemiser_cli.commands.switches import switch
    from alchemiser_cli.options import Signature

    return lambda state, who, reason: switch(context, context.account, state, Signature(who, reason))


def source_of(context: CommandContext, benchmark: str | None = None, data: Path | None = None) -> "Source":
    """What the pages read in this context. Raises InvalidSettings for wrong settings."""
    from alchemiser_cli.benchmark_closes import benchmark_closes
    from alchemiser_cli.dashboard.source import HeldBeside, Source
    from alchemiser_cli.home import existing_store
    from alchemiser_cli.settings_view import secret_rows, setting_rows

    settings = context.settings
    symbol = None if benchmark is None else benchmark.upper()
    made_up = settings.environment is Environment.SIMULATED  # a simulated exchange has its own time
    return Source(
        settings=settings,
        place=context.place,
        rows=(*setting_rows(context.loaded), *secret_rows(context.variables)),
        open_state=lambda: context.state if context.has_store else existing_store(settings.home),
        open_archive=lambda: context.archive,
        now=lambda: None if made_up else datetime.now(UTC),
        beside=None if symbol is None else HeldBeside(symbol, benchmark_closes(symbol, data, settings.home)),
    )
