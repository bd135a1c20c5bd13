"""`alchemiser run`: one cycle, now, on the exchange that the settings name."""

from datetime import date, datetime, timedelta
from functools import partial
from typing import Annotated

import typer

from alchemiser_cli.console import Exit, note, out
from alchemiser_cli.context import command
from alchemiser_cli.cycles import connected, cycle_runner, due_cycle, ensure_authority, logged, schedule_now
from alchemiser_cli.exchanges import exchange_name, has_own_exchange
from alchemiser_cli.history import RunDetail, RunSummary, ended_run, read_detail, read_run
from alchemiser_cli.home import require_one_identity
from alchemiser_cli.options import DAY, AsJson, MarketData, PipelineOption
from alchemiser_cli.simulated import Exchange, Market
from alchemiser_cli.views import run_view
from alchemiser_common.errors import InvalidSettings
from alchemiser_common.messages.report import RunStatus
from alchemiser_common.ports.clock import EXCHANGE_ZONE
from alchemiser_common.settings import ScheduleSettings
from alchemiser_data.decision_window import decision_time
from alchemiser_monolith.platform import Platform

_ENDED_WELL = {RunStatus.COMPLETED.value, RunStatus.SKIPPED.value, RunStatus.SHADOWED.value}

app = typer.Typer()


@app.command()
def run(
    pipeline: PipelineOption = None,
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
        typer.Option("--date", formats=DAY, help="Simulated exchange: move its clock to this session first."),
    ] = None,
    data: MarketData = None,
    as_json: AsJson = False,
) -> None:
    """Run one trading cycle: read the market, decide, trade, report.

    Without options it runs on a simulated exchange inside this process, with the bundled sample market. The same
    cycle again places no orders: a run is executed once. `--next` goes to the next session.
    """
    with command(as_json=as_json, paper=paper, pipeline=pipeline) as context:
        settings = context.changed(schedule=schedule_now(context.settings)).settings if now else context.settings
        if (following or on is not None or data) and not has_own_exchange(settings):
            raise InvalidSettings(
                f"--next, --date and --data move or feed the home's own simulated exchange; this runs on "
                f"{exchange_name(settings)}: leave them out"
            )
        day = on.date() if on else None
        move = partial(_move_clock, settings.schedule, following=following, on=day)
        with (
            logged(settings.home),
            connected(settings, context.variables, data=data, start=day, prepare=move) as platform,
        ):
            named = "account_alias" in context.loaded.sources
            require_one_identity(
                platform.state, settings, named=named, account_id=lambda: platform.broker.account().account_id
            )
            summary, already = _run(platform, at_once=now)
            detail = read_detail(platform.state, platform.archive, summary)
        context.emit(_as_json(summary, already=already), lambda: _print(detail, already=already), indent=2)
        if summary.status not in _ENDED_WELL:
            raise typer.Exit(Exit.FAILED)


def _as_json(summary: RunSummary, *, already: bool) -> dict[str, object]:
    return {
        "run_id": str(summary.run_id),
        "cycle_id": summary.cycle_id,
        "status": summary.status,
        "reason": summary.reason,
        "orders_placed_now": 0 if already else _orders(summary),
        "already_done": already,
    }


def _print(detail: RunDetail, *, already: bool) -> None:
    summary = detail.summary
    out.print(run_view(detail))
    if already:
        out.print(
            f"[bold]0 orders placed now:[/] cycle {summary.cycle_id} was already run ({summary.status}, "
            f"{_orders(summary)} orders then). A run is executed once; `--next` goes to the next session."
        )
    else:
        out.print(f"[bold]{_orders(summary)} orders placed.[/]")


def _orders(summary: RunSummary) -> int:
    return summary.report.orders_placed if summary.report is not None else 0


def _run(platform: Platform, *, at_once: bool) -> tuple[RunSummary, bool]:
    """The run's summary, and whether it had ended before."""
    settings = platform.settings
    ensure_authority(settings, platform.state, platform.clock.now())
    cycle = due_cycle(platform, at_once=at_once)
    note(
        f"home {settings.home.resolve()}, {settings.environment.value} exchange, account {settings.account_alias}, "
        f"{settings.pipeline.value} pipeline"
    )
    before = read_run(platform.state, cycle.run_id)
    result = cycle_runner(platform)(cycle, 1)
    for letter in result.dead_letters:
        note(f"a message was dead-lettered in {letter.queue}; its text is in the archive under dead-letters/")
    return ended_run(platform.state, cycle.run_id), before is not None and before.report is not None


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
