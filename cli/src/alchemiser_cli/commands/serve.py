"""`alchemiser serve`: the scheduler at home."""

import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from alchemiser_cli.console import note, out
from alchemiser_cli.context import CommandContext, command
from alchemiser_cli.dashboard.port import DEFAULT_PORT
from alchemiser_cli.options import MarketData

app = typer.Typer()

_UNIT = """[Unit]
Description=Alchemiser: {environment} account {account}
Wants=network-online.target
After=network-online.target

[Service]
WorkingDirectory={folder}
ExecStart={program}
Restart=always
RestartSec=10
UMask=0077

[Install]
WantedBy=default.target
"""


@app.command()
def serve(
    *,
    paper: Annotated[bool, typer.Option("--paper", help="Trade the Alpaca paper account of the keys in .env.")] = False,
    sessions: Annotated[
        int | None, typer.Option(help="Stop after so many sessions have been dealt with.", min=1)
    ] = None,
    dashboard: Annotated[
        bool, typer.Option("--dashboard", help="Serve the pages of `alchemiser dashboard` beside it.")
    ] = False,
    port: Annotated[
        int, typer.Option(help="Of the dashboard, on 127.0.0.1; 0 is any free one.", min=0, max=65535)
    ] = DEFAULT_PORT,
    data: MarketData = None,
    print_systemd: Annotated[
        bool, typer.Option("--print-systemd", help="Print a unit for systemd that serves this folder, and stop.")
    ] = False,
) -> None:
    """Run each session's cycle at its time, watch over it and tell of it, until interrupted.

    For whoever does not want AWS: the same handlers, in one process that may be killed at any moment. Decision times
    follow the exchange's calendar, with early closes and daylight saving. One that was missed is told of and not caught
    up. Messages go to APPRISE_URLS (`alchemiser notify test`).
    """
    with command(paper=paper) as context:
        if print_systemd:
            given = ["--paper"] if paper else []
            given += ["--dashboard", "--port", str(port)] if dashboard else []
            typer.echo(_unit(context, given), nl=False)
            return
        if dashboard:
            _show(context, port)
        _serve(context, sessions, data)


def _show(context: CommandContext, port: int) -> None:
    """The dashboard, in a thread of its own that ends with the process. It only reads."""
    from threading import Thread

    from alchemiser_cli.commands.dashboard import opened, source_of
    from alchemiser_cli.dashboard.server import server_of

    pages, listener = opened(context, port, source_of(context))
    Thread(target=server_of(pages).run, args=([listener],), daemon=True).start()


def _serve(context: CommandContext, sessions: int | None, data: Path | None) -> None:
    from alchemiser_cli.cycles import connected, ensure_authority, logged
    from alchemiser_cli.meeting import meet_account
    from alchemiser_cli.serving import Scheduler
    from alchemiser_cli.telling import Teller
    from alchemiser_common.channels import Channels

    settings = context.settings
    with logged(settings.home), connected(settings, context.variables, data=data) as platform:
        meet_account(context, platform)
        ensure_authority(settings, platform.state, platform.clock.now())
        channels = Channels.of(platform.variables)
        context.say_place()
        told = ", ".join(channels.names) or "nobody: there is no APPRISE_URLS"
        note(f"told of its runs: {told}")

        def say(line: str) -> None:
            out.print(f"{platform.clock.now():%Y-%m-%d %H:%M:%S}Z {line}", markup=False, soft_wrap=True)

        Scheduler(platform, Teller(platform.state, channels, settings, say), say).serve(sessions)


def _unit(context: CommandContext, given: Sequence[str]) -> str:
    """The unit, which serves with the same options; settings and keys are the folder's own alchemiser.toml and .env."""
    return _UNIT.format(
        environment=context.settings.environment.value,
        account=context.account,
        folder=context.folder.resolve(),
        program=shlex.join([str(Path(sys.executable).parent / "alchemiser"), "serve", *given]),
    )
