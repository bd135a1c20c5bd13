"""`alchemiser demo`: one cycle with every message delivered twice, then many sessions, a table and a page."""

import hashlib
import shutil
import time
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from alchemiser_cli import formats
from alchemiser_cli.backtesting import benchmark_prices
from alchemiser_cli.console import Exit, err, note, out, write_page
from alchemiser_cli.context import command
from alchemiser_cli.cycles import RunCycle, cycle_at, cycle_runner, ensure_authority, logged, on_exchange
from alchemiser_cli.demo_beside import Decided, beside, demo_benchmark
from alchemiser_cli.demo_report import session_rows, starting_equity
from alchemiser_cli.exchanges import exchange_file, remember_data
from alchemiser_cli.home import DEMOS
from alchemiser_cli.options import AsCsv, AsJson, BenchmarkOption, FirstSession, MarketData, OpenPage, PipelineOption
from alchemiser_cli.page_link import show_page
from alchemiser_cli.price_file import PriceFile
from alchemiser_cli.report import demo_page, terminal
from alchemiser_cli.report.model import Delivery, DemoReport
from alchemiser_cli.research import choose
from alchemiser_cli.simulated import Exchange, Market, embedded_exchange, open_market
from alchemiser_cli.stored_runs import ended_run, read_detail, read_run
from alchemiser_cli.views import run_view
from alchemiser_common import keys
from alchemiser_common.decision_time import decision_time
from alchemiser_common.messages.decision import TradeDecision
from alchemiser_common.messages.report import RunStatus
from alchemiser_common.ports.state import load
from alchemiser_common.records.books import DailyEquity
from alchemiser_common.settings import Backend, Environment, Settings
from alchemiser_monolith.platform import Platform
from alchemiser_readmodel.runs import RunDetail, RunSummary
from alchemiser_simulator.market.sessions import Session
from alchemiser_strategy.errors import StrategyError

_FINISHED = "finished"
_TWICE = 2
_MESSAGES = 3
"""The trigger, the snapshot and the decision."""
_ENDED_WELL = {RunStatus.COMPLETED.value, RunStatus.PARTIAL.value}

app = typer.Typer()


@app.command()
def demo(
    data: MarketData = None,
    start: FirstSession = None,
    days: Annotated[int, typer.Option(help="Sessions to run after the first.", min=1)] = 60,
    cash: Annotated[float, typer.Option(help="Cash in the account at the start, USD.", min=100, max=1e12)] = 100_000,
    pipeline: PipelineOption = None,
    benchmark: BenchmarkOption = None,
    page: Annotated[Path | None, typer.Option(help="Where to write the HTML page.")] = None,
    *,
    open_page: OpenPage = False,
    as_json: AsJson = False,
    as_csv: AsCsv = False,
) -> None:
    """Show the whole line at work on a simulated exchange.

    First one cycle in which every message is delivered twice, to show that nothing is ordered twice; then the next
    sessions with a progress bar; at the end a table and one self-contained HTML page. Interrupt it (Ctrl-C) whenever
    you like: the same command continues where it stopped.
    """
    with command(
        as_json=as_json,
        as_csv=as_csv,
        environment=Environment.SIMULATED,
        backend=Backend.EMBEDDED,
        account_alias="demo",
        pipeline=pipeline,
    ) as context:
        market = open_market(data, context.settings.home)
        asked = "" if benchmark == "none" else benchmark
        benchmark_prices(PriceFile(market.history), asked)  # whatever is wrong with it is said before the sessions
        sessions = market.sessions_from(start.date() if start else market.default_start, days + 1)
        home = _home(context.settings, market, sessions, cash)
        settings = context.changed(home=home).settings
        if market.notice:
            note(market.notice)
        opens, state = sessions[0].day, exchange_file(home)
        with (
            logged(home),
            embedded_exchange(market, start=opens, state=state, cash=Decimal(str(cash))) as exchange,
        ):
            remember_data(home, data)
            platform = on_exchange(settings, context.variables, exchange)
            ensure_authority(settings, platform.state, platform.clock.now())
            detail, delivery = _first_cycle(platform, exchange, market, sessions[0])
            if not (as_json or as_csv):
                _print_cycle(detail, delivery)
            began = time.monotonic()
            runs = _sessions(platform, exchange, market, sessions)
            took = time.monotonic() - began
        decisions = [read_detail(platform.state, platform.archive, run).decision for run in runs]
        report = _report(settings, market, sessions, runs, decisions, delivery, took)
        report = replace(report, by_strategy=_by_strategy(platform, report))
        report = _beside(settings, market, decisions, report, asked)
        target = page or home / "report.html"
        write_page(target, demo_page.render(report))
        (home / _FINISHED).touch()
        told = _as_json(report, home, target)
        context.emit(told, lambda: _print(report, home), rows=_session_rows(report), indent=2)
        show_page(target, opened=open_page, to=err if as_json or as_csv else out)
        if any(run.report is None or run.status not in _ENDED_WELL for run in runs):
            raise typer.Exit(Exit.FAILED)


def _home(settings: Settings, market: Market, sessions: list[Session], cash: float) -> Path:
    """A folder for exactly this demonstration: one that was finished starts again, an interrupted one goes on."""
    parts = (
        market.history.fingerprint,
        sessions[0].day.isoformat(),
        str(len(sessions)),
        str(cash),
        settings.model_dump_json(exclude={"home"}),
    )
    name = hashlib.sha256("|".join(parts).encode()).hexdigest()[:12]
    home = settings.home / DEMOS / name
    if (home / _FINISHED).exists():
        shutil.rmtree(home)
    elif (home / "state.db").exists():
        note("continuing the interrupted demo")
    return home


def _report(
    settings: Settings,
    market: Market,
    sessions: list[Session],
    runs: list[RunSummary],
    decisions: list[TradeDecision | None],
    delivery: Delivery,
    seconds: float,
) -> DemoReport:
    """What page and table show. `seconds` is the real time that the sessions took."""
    initial = starting_equity(runs[0])
    return DemoReport(
        title=formats.portfolio(tuple(settings.strategies.allocations.items())),
        notice=market.notice,
        source=market.history.source,
        rows=session_rows([session.day for session in sessions], runs, decisions, initial),
        base=market.session_before(sessions[0].day),
        initial_equity=initial,
        settings=_settings_lines(settings),
        delivery=delivery,
        seconds=seconds,
        made_at=datetime.now(UTC),
    )


def _by_strategy(platform: Platform, report: DemoReport) -> tuple[tuple[str, float], ...]:
    """What the books say that each strategy has earned, in fractions of the initial equity."""
    known = load(platform.state, keys.equity_record(platform.settings.account_alias, report.ended), DailyEquity)
    worth = () if known is None else known.value.strategies
    earned = ((item.strategy, item.realised + item.unrealised + item.income) for item in worth)
    return tuple((name, float(gain) / report.initial_equity) for name, gain in earned if gain)


def _beside(
    settings: Settings,
    market: Market,
    decisions: list[TradeDecision | None],
    report: DemoReport,
    benchmark: str | None,
) -> DemoReport:
    """The report with a benchmark and a backtest of the same days, as far as the data allow for one.

    The sessions are played by now, and their page must not be lost for what stands beside them.
    """
    decided = []
    for row, decision in zip(report.rows, decisions, strict=True):
        targets = None if decision is None else {item.symbol: item.weight for item in decision.targets}
        decided.append(Decided(row.day, targets))
    shares = choose(settings.strategies, [])
    report = replace(report, benchmark=demo_benchmark(report, market.history, benchmark))
    try:
        return replace(report, beside=beside(report, decided, shares, market.history, settings))
    except StrategyError as error:
        note(f"no backtest stands beside the demo: {error}")
        return report


def _settings_lines(settings: Settings) -> tuple[str, ...]:
    shares = ", ".join(f"{name} {share:.0%}" for name, share in settings.strategies.allocations.items())
    return (
        f"strategies: {shares}",
        f"decides on: {settings.data.bar_policy.value} bars",
        f"pipeline: {settings.pipeline.value}",
        f"cash reserve: {settings.trading.cash_reserve:%}",
    )


def _print(report: DemoReport, home: Path) -> None:
    out.print(terminal.demo(report))
    out.print(f"Home: {escape(str(home))}", soft_wrap=True)


def _session_rows(report: DemoReport) -> list[dict[str, object]]:
    """A row a session: USD, and what is held as fractions of equity. `legs` are those that traded."""
    return [
        {
            "day": row.day.isoformat(),
            "run_id": row.run_id,
            "status": row.status,
            "reason": row.reason,
            "equity": row.equity,
            "cash": row.cash,
            "legs": len(row.orders),
            "weights": dict(row.weights),
        }
        for row in report.rows
    ]


def _as_json(report: DemoReport, home: Path, page: Path) -> dict[str, object]:
    return {
        "home": str(home),
        "page": str(page),
        "source": report.source,
        "notice": report.notice,
        "initial_equity": report.initial_equity,
        "messages": report.delivery.messages,
        "messages_delivered": report.delivery.messages_delivered,
        "orders_placed": report.delivery.orders_placed,
        "orders_placed_twice": report.delivery.duplicates,
        "by_strategy": dict(report.by_strategy),
        "sessions": _session_rows(report),
    }


def _first_cycle(
    platform: Platform, exchange: Exchange, market: Market, session: Session
) -> tuple[RunDetail, Delivery]:
    """Run one cycle with everything delivered twice, and count what the broker has."""
    summary = _run_session(platform, cycle_runner(platform), exchange, market, session, deliveries=_TWICE)
    detail = read_detail(platform.state, platform.archive, summary)
    intended = {intent.client_order_id for intent in detail.intents}
    placed = [order for order in exchange.control.state().orders if order.client_order_id in intended]
    delivery = Delivery(
        messages_delivered=_MESSAGES * _TWICE,
        messages=_MESSAGES,
        orders_placed=len(placed),
        duplicates=len(placed) - len(intended),
    )
    return detail, delivery


def _print_cycle(detail: RunDetail, delivery: Delivery) -> None:
    intended = delivery.orders_placed - delivery.duplicates
    out.print("[bold]One cycle, every message delivered twice[/]")
    out.print(run_view(detail))
    out.print(
        f"[bold]{delivery.messages} messages, each delivered {_TWICE} times: {intended} order intents, "
        f"{delivery.orders_placed} orders at the broker, {delivery.duplicates} duplicates.[/]"
    )


def _sessions(platform: Platform, exchange: Exchange, market: Market, sessions: list[Session]) -> list[RunSummary]:
    """Every session's run, those that an earlier, interrupted command made included."""
    runner = cycle_runner(platform)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    runs: list[RunSummary] = []
    with Progress(*columns, console=err) as progress:
        task = progress.add_task("sessions", total=len(sessions))
        for session in sessions:
            progress.update(task, description=f"session {session.day}")
            runs.append(_run_session(platform, runner, exchange, market, session, deliveries=1))
            progress.advance(task)
    return runs


def _run_session(
    platform: Platform, runner: RunCycle, exchange: Exchange, market: Market, session: Session, *, deliveries: int
) -> RunSummary:
    """The session's run; one that has ended is only read."""
    due = decision_time(market.as_session(session), platform.settings.schedule)
    cycle = cycle_at(platform.settings, due)
    known = read_run(platform.state, cycle.run_id)
    if known is not None and known.report is not None and exchange.clock.now() > due:
        return known
    exchange.clock.move_to(due)
    runner(cycle, deliveries)
    return ended_run(platform.state, cycle.run_id)
