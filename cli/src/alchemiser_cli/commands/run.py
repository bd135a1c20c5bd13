"""`alchemiser run`: one cycle, now, on the exchange that the settings name."""

import json
from datetime import date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from alchemiser_cli.console import Exit, note, out, reported_errors
from alchemiser_cli.history import RunSummary, read_detail, read_run
from alchemiser_cli.simulated import Exchange, Market
from alchemiser_cli.views import run_view
from alchemiser_cli.workspace import (
    Workspace,
    connected,
    cycle_runner,
    due_cycle,
    ensure_authority,
    logged,
    open_workspace,
    schedule_now,
)
from alchemiser_common.errors import InvalidSettings, StateCorrupt
from alchemiser_common.ids import Pipeline
from alchemiser_common.messages.report import RunStatus
from alchemiser_common.ports.clock import EXCHANGE_ZONE
from alchemiser_common.settings import Environment, ScheduleSettings
from alchemiser_common.settings_loading import LoadedSettings
from alchemiser_data.decision_window import decision_time
from alchemiser_monolith.platform import Platform

_ENDED_WELL = {RunStatus.COMPLETED.value, RunStatus.SKIPPED.value, RunStatus.SHADOWED.value}

app = typer.Typer()


@app.command()
def run(
    pipeline: Annotated[Pipeline | None, typer.Option(help="Run as the monolith or as the modular pipeline.")] = None,
    *,
    paper: Annotated[bool, typer.Option("--paper", help="Trade the Alpaca paper account of the keys in .env.")] = False,
    now: Annotated[
        bool, typer.Option("--now", help="Decide now instead of at the schedule's time (never in a live environment).")
    ] = False,
    following: Annotated[
        bool, typer.Option("--next", help="Simulated exchange: move its clock to the next session first.")
    ] = False,
    on: Annotated[
        datetime | None,
        typer.Option("--date", formats=["%Y-%m-%d"], help="Simulated exchange: move its clock to this session first."),
    ] = None,
    data: Annotated[
        Path | None,
        typer.Option(help="Simulated exchange: daily prices (Parquet or CSV) instead of the bundled sample market."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")] = False,
) -> None:
    """Run one trading cycle: read the market, decide, trade, report.

    Without options it runs on a simulated exchange inside this process, with the bundled sample market. The same
    cycle again places no orders: a run is executed once. `--next` goes to the next session.
    """
    with reported_errors():
        environment = Environment.PAPER if paper else None
        alias = "paper" if paper else None
        workspace = open_workspace(pipeline=pipeline, environment=environment, account_alias=alias)
        if now:
            settings = schedule_now(workspace.settings)
            workspace = Workspace(LoadedSettings(settings, workspace.loaded.sources), workspace.variables)
        if workspace.settings.environment is not Environment.SIMULATED and (following or on is not None or data):
            raise InvalidSettings("--next, --date and --data move or feed the simulated exchange; leave them out here")
        day = on.date() if on else None
        move = partial(_move_clock, workspace.settings.schedule, following=following, on=day)
        with logged(workspace), connected(workspace, data=data, start=day, prepare=move) as platform:
            summary, already = _run(platform, at_once=now)
            detail = read_detail(platform.state, platform.archive, summary)
        if as_json:
            out.print_json(
                json.dumps(
                    {
                        "run_id": str(summary.run_id),
                        "cycle_id": summary.cycle_id,
                        "status": summary.status,
                        "reason": summary.reason,
                        "orders_placed_now": 0 if already else _orders(summary),
                        "already_done": already,
                    }
                )
            )
        else:
            out.print(run_view(detail))
            if already:
                out.print(
                    f"[bold]0 orders placed now:[/] cycle {summary.cycle_id} was already run ({summary.status}, "
                    f"{_orders(summary)} orders then). A run is executed once; `--next` goes to the next session."
                )
            else:
                out.print(f"[bold]{_orders(summary)} orders placed.[/]")
        if summary.status not in _ENDED_WELL:
            raise typer.Exit(Exit.FAILED)


def _orders(summary: RunSummary) -> int:
    return summary.report.orders_placed if summary.report is not None else 0


def _run(platform: Platform, *, at_once: bool) -> tuple[RunSummary, bool]:
    """The run's summary, and whether it had ended before."""
    settings = platform.settings
    ensure_authority(settings, platform.state, platform.clock.now())
    cycle = due_cycle(platform, at_once=at_once)
    note(f"{settings.environment.value} exchange, account {settings.account_alias}, {settings.pipeline.value} pipeline")
    before = read_run(platform.state, cycle.run_id)
    result = cycle_runner(platform)(cycle, 1)
    for letter in result.dead_letters:
        note(f"a message was dead-lettered in {letter.queue}; its text is in the archive under dead-letters/")
    summary = read_run(platform.state, cycle.run_id)
    if summary is None:
        raise StateCorrupt(f"run {cycle.run_id} left no record")
    return summary, before is not None and before.report is not None


def _move_clock(
    schedule: ScheduleSettings, market: Market, exchange: Exchange, *, following: bool, on: date | None
) -> None:
    """To the decision time of the session asked for; by default of the session that the clock is in or before."""
    now = exchange.clock.now()
    today = now.astimezone(EXCHANGE_ZONE).date()
    first = today + timedelta(days=1) if following else on or today
    session = market.sessions_from(first, 1)[0]
    if on is not None and session.day != on:
        raise InvalidSettings(f"{on} is not a session of the data; the next one is {session.day}")
    due = decision_time(market.as_session(session), schedule)
    if due <= now and session.day != today:
        raise InvalidSettings(
            f"the simulated exchange is at {now:%Y-%m-%d %H:%M}Z; its clock does not go back to {first}"
        )
    exchange.clock.move_to(due)
