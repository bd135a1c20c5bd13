"""`alchemiser run`: one cycle, now, on the exchange that the settings name."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial
from typing import Annotated

import typer
from rich.markup import escape

from alchemiser_cli.console import Exit, note, out
from alchemiser_cli.context import command
from alchemiser_cli.cycles import connected, cycle_runner, due_cycle, ensure_authority, logged, schedule_now
from alchemiser_cli.exchanges import exchange_name, has_own_exchange
from alchemiser_cli.meeting import meet_account
from alchemiser_cli.options import DAY, AsCsv, AsJson, MarketData, PipelineOption
from alchemiser_cli.side_by_side import SideBySide, require_trader, run_side_by_side, trader_beside
from alchemiser_cli.simulated import Exchange, Market
from alchemiser_cli.stored_runs import ended_run, read_detail, read_run, summary_json
from alchemiser_cli.telling import Teller
from alchemiser_cli.views import legs_rows, run_view
from alchemiser_common.channels import Channels
from alchemiser_common.decision_time import decision_time
from alchemiser_common.errors import AlchemiserError, InvalidSettings
from alchemiser_common.ids import Pipeline
from alchemiser_common.messages.report import RunStatus
from alchemiser_common.ports.clock import EXCHANGE_ZONE
from alchemiser_common.settings import ScheduleSettings
from alchemiser_monolith.platform import Platform
from alchemiser_readmodel.runs import RunDetail, RunSummary
from alchemiser_readmodel.verdicts import VerdictView

_ENDED_WELL = {RunStatus.COMPLETED.value, RunStatus.SKIPPED.value, RunStatus.SHADOWED.value}

app = typer.Typer()


@app.command()
def run(
    pipeline: PipelineOption = None,
    *,
    shadow: Annotated[
        Pipeline | None,
        typer.Option(help="Run this pipeline too, as a shadow that plans and sends nothing; the other one trades."),
    ] = None,
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
    as_csv: AsCsv = False,
) -> None:
    """Run one trading cycle: read the market, decide, trade, report.

    Without options it runs on a simulated exchange inside this process, with the bundled sample market. The same
    cycle again places no orders: a run is executed once. `--next` goes to the next session. As CSV it prints the run's
    legs, a line each.

    With `--shadow modular` the monolith trades and the modular pipeline plans the same cycle beside it; at the end
    stands how the two compare, as `alchemiser parity` keeps it. Exit code 1 if a run ended badly, or if they differ or
    cannot be compared.
    """
    with command(as_json=as_json, as_csv=as_csv, paper=paper, pipeline=_trading(pipeline, shadow)) as context:
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
            meet_account(context, platform)
            done = _run(platform, shadow, at_once=now)
            detail = read_detail(platform.state, platform.archive, done.summary)
            _tell(platform, done.summary)
        context.emit(_as_json(done), lambda: _print(detail, done), rows=legs_rows(done.summary.report), indent=2)
        if not done.well:
            raise typer.Exit(Exit.FAILED)


def _tell(platform: Platform, run: RunSummary) -> None:
    """By the channels that environment or .env name; what fails is a line on stderr and no more."""
    teller = Teller(platform.state, Channels.of(platform.variables), platform.settings, note)
    try:
        teller.of_run(run, platform.clock.now())
    except AlchemiserError as error:
        note(f"nobody is told of the run: {error}")


@dataclass(frozen=True, slots=True)
class _Done:
    summary: RunSummary
    already: bool
    """The run had ended before."""
    both: SideBySide | None
    """With a shadow: the cycle of both pipelines."""

    @property
    def well(self) -> bool:
        return self.summary.status in _ENDED_WELL and (self.both is None or self.both.agrees)


def _trading(pipeline: Pipeline | None, shadow: Pipeline | None) -> Pipeline | None:
    """The pipeline that trades, as far as options say it. Raises typer.BadParameter, which ends with exit code 2."""
    if shadow is None:
        return pipeline
    if pipeline is shadow:
        raise typer.BadParameter(f"--pipeline and --shadow are both {shadow.value}: a pipeline is not its own shadow")
    return trader_beside(shadow)


def _as_json(done: _Done) -> dict[str, object]:
    summary, both = done.summary, done.both
    shown: dict[str, object] = {
        "run_id": str(summary.run_id),
        "cycle_id": summary.cycle_id,
        "status": summary.status,
        "reason": summary.reason,
        "orders_placed_now": 0 if done.already else _orders(summary),
        "already_done": done.already,
    }
    if both is not None:
        side = both.shadow
        shown["shadow"] = {
            "pipeline": side.pipeline.value,
            "run": None if side.run is None else summary_json(side.run),
            "fault": side.fault,
            "dead_letters": side.dead_letters,
        }
        shown["parity"] = None if both.parity is None else both.parity.model_dump(mode="json")
    return shown


def _print(detail: RunDetail, done: _Done) -> None:
    summary = detail.summary
    out.print(run_view(detail))
    if done.already:
        out.print(
            f"[bold]0 orders placed now:[/] cycle {summary.cycle_id} was already run ({summary.status}, "
            f"{_orders(summary)} orders then). A run is executed once; `--next` goes to the next session."
        )
    else:
        out.print(f"[bold]{_orders(summary)} orders placed.[/]")
    if done.both is not None:
        for line in _of_both(done.both):
            out.print(line, soft_wrap=True)


def _of_both(both: SideBySide) -> Iterator[str]:
    """How the shadow ended, and the verdict."""
    side, traded = both.shadow, both.trader
    ended = "left no record" if side.run is None else f"{side.run.status}, {side.run.reason}".rstrip(", ")
    legs = side.run.report.legs if side.run is not None and side.run.report is not None else ()
    yield escape(f"{traded.pipeline} traded; {side.pipeline.value} was its shadow: {ended}, {len(legs)} legs planned")
    if side.fault:
        yield escape(f"the shadow failed: {side.fault}")
    if side.dead_letters:
        yield f"{side.dead_letters} of its messages were dead-lettered"
    if both.parity is not None:
        verdict = VerdictView.of(both.parity)
        by = f", by {verdict.by}" if verdict.by else ""
        yield f"parity: [bold]{verdict.verdict.value}[/]{by}" + escape(f": {verdict.line}" if verdict.line else "")
        if verdict.broken:
            yield f"all of it: `alchemiser parity --cycle {verdict.cycle_id}`"
    elif both.agrees:
        yield "parity: there was nothing to decide, and both say so"
    else:
        yield f"parity: [bold]no verdict[/], {escape(traded.pipeline)} ended as {traded.status}, the shadow: {ended}"


def _orders(summary: RunSummary) -> int:
    return summary.report.orders_placed if summary.report is not None else 0


def _run(platform: Platform, shadow: Pipeline | None, *, at_once: bool) -> _Done:
    """Run the cycle that is due, with a shadow beside it if one was asked for."""
    settings = platform.settings
    ensure_authority(settings, platform.state, platform.clock.now())
    if shadow is not None:
        require_trader(settings, platform)
    cycle = due_cycle(platform, at_once=at_once)
    beside = "" if shadow is None else f", {shadow.value} as its shadow"
    note(
        f"home {settings.home.resolve()}, {settings.environment.value} exchange, account {settings.account_alias}, "
        f"{settings.pipeline.value} pipeline{beside}"
    )
    before = read_run(platform.state, cycle.run_id)
    already = before is not None and before.report is not None
    if shadow is not None:
        both = run_side_by_side(platform, cycle, shadow)
        return _Done(both.trader, already, both)
    result = cycle_runner(platform)(cycle, 1)
    for letter in result.dead_letters:
        note(f"a message was dead-lettered in {letter.queue}; its text is in the archive under dead-letters/")
    return _Done(ended_run(platform.state, cycle.run_id), already, None)


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
