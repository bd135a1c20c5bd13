"""`alchemiser backtest`: what the strategies would have earned on a file of daily bars."""

import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from io import StringIO
from pathlib import Path
from typing import Annotated

import typer

from alchemiser_cli.backtesting import DEFAULT_COSTS, Costs, Terms, backtest_of
from alchemiser_cli.console import err, note, out, write_page
from alchemiser_cli.context import CommandContext, command
from alchemiser_cli.demo_report import executed_orders
from alchemiser_cli.options import (
    DAY,
    AsJson,
    BenchmarkOption,
    FirstSession,
    MarketData,
    OpenPage,
    StrategyNames,
    Without,
)
from alchemiser_cli.page_link import show_page
from alchemiser_cli.price_file import PriceFile, price_file
from alchemiser_cli.report import backtest_json, backtest_page, terminal
from alchemiser_cli.report.model import BacktestReport
from alchemiser_cli.report.slippage import quality
from alchemiser_cli.research import choose, symbols_of
from alchemiser_cli.share_actions import corporate_actions, market_with
from alchemiser_cli.simulated import Market, open_market
from alchemiser_cli.stored_runs import list_runs
from alchemiser_common.errors import InvalidSettings
from alchemiser_strategy.backtest import Fill

app = typer.Typer()
FROM_ACCOUNT = "from-account"
_RUNS = 500
"""How many of the account's newest runs tell what its legs cost."""


@app.command()
def backtest(
    data: MarketData = None,
    strategy: StrategyNames = None,
    start: FirstSession = None,
    end: Annotated[datetime | None, typer.Option("--to", formats=DAY, help="Last session.")] = None,
    costs: Annotated[
        str,
        typer.Option(
            help=f"Costs in basis points of what is traded, or `{FROM_ACCOUNT}`: the mean slippage of the account's "
            "own legs, as `executions` shows it."
        ),
    ] = f"{DEFAULT_COSTS:g}",
    fill: Annotated[
        Fill | None,
        typer.Option(
            help="Fill at the next session's open or close, or (optimistic) at the close decided on. Default: the next "
            "open; the next close where the data have no opens.",
            show_default=False,
        ),
    ] = None,
    without: Without = None,
    carry_gaps: Annotated[
        int | None,
        typer.Option(
            help="Carry the last close over gaps of up to so many sessions. Default: data.carry_gaps, as live.",
            min=0,
            max=20,
        ),
    ] = None,
    actions: Annotated[
        Path | None,
        typer.Option(
            help="JSON file with corporate actions of the market (docs/simulator.md has the kinds). Prices are then "
            "taken as they traded, and shares follow splits, dividends, new names, mergers, spin-offs and removals."
        ),
    ] = None,
    benchmark: BenchmarkOption = None,
    compare: Annotated[
        list[str] | None,
        typer.Option(help="Lay this strategy (a name or a file) beside, on the same days and terms; repeatable."),
    ] = None,
    table: Annotated[Path | None, typer.Option("--csv", help="Write one line a day to this file.")] = None,
    page: Annotated[Path, typer.Option(help="Where to write the HTML page.")] = Path("backtest.html"),
    *,
    open_page: OpenPage = False,
    as_json: AsJson = False,
) -> None:
    """Evaluate the strategies on every day at once and print what holding their weights would have earned.

    History before the first session warms the indicators up; a day on which a strategy lacks data leaves its share
    in cash. No price is invented.
    """
    with command(as_json=as_json) as context:
        market = open_market(data, context.settings.home, invents=False)
        if market.notice:
            note(market.notice)
        if actions is not None and compare:
            raise InvalidSettings("--compare does not follow --actions: give one of them")
        if actions is not None:
            market = market_with(market, actions)
        shares = choose(context.settings.strategies, strategy or [])
        gaps = context.settings.data.carry_gaps if carry_gaps is None else carry_gaps
        file = price_file(market.history, symbols_of(shares), without or (), gaps)
        terms = Terms(
            first=start.date() if start else None,
            last=end.date() if end else None,
            fill=fill,
            costs=_costs(context, costs),
            benchmark="" if benchmark == "none" else benchmark,
        )
        began = time.perf_counter()
        report = backtest_of(
            market, file, shares, terms, None if actions is None else corporate_actions(market.history)
        )
        note(f"{len(report.days)} sessions computed in {time.perf_counter() - began:.2f} s")
        others = _others(context, market, compare or [], report, terms, file)
        write_page(page, backtest_page.render(report))
        if table is not None:
            lines = StringIO()
            backtest_json.write_csv(report, lines)
            write_page(table, lines.getvalue(), option="--csv")
        answer = backtest_json.of(report)
        if others:
            answer["compared"] = [backtest_json.of(other) for other in others]
        context.emit(answer, lambda: _print(report, others))
        show_page(page, opened=open_page, to=err if as_json else out)


def _others(
    context: CommandContext,
    market: Market,
    names: Sequence[str],
    report: BacktestReport,
    terms: Terms,
    file: PriceFile,
) -> list[BacktestReport]:
    """Each of the strategies alone, on the days of the report and on its terms."""
    same = replace(terms, first=report.days[0], last=report.days[-1], fill=Fill(report.fill))
    found = []
    for name in names:
        shares = choose(context.settings.strategies, [name])
        wanted = symbols_of(shares)
        left_out = [symbol for symbol in sorted(file.without) if symbol in wanted]
        own = price_file(market.history, wanted, left_out, file.carry_gaps)
        found.append(backtest_of(market, own, shares, same))
    return found


def _print(report: BacktestReport, others: Sequence[BacktestReport]) -> None:
    out.print(terminal.backtest(report))
    if others:
        out.print(terminal.compared([report, *others]))


def _costs(context: CommandContext, text: str) -> Costs:
    """What the option says. Raises InvalidSettings: no figure, or an account without measured legs."""
    if text != FROM_ACCOUNT:
        try:
            bps = float(text)
        except ValueError:
            bps = -1.0
        if not 0 <= bps < float("inf"):
            raise InvalidSettings(f"--costs {text}: give basis points, 0 or more, or {FROM_ACCOUNT}")
        return Costs(bps, "assumed" if bps == DEFAULT_COSTS else "given")
    orders = executed_orders(list_runs(context.state, context.account, limit=_RUNS))
    cost = quality(orders)
    if cost is None:
        raise InvalidSettings(
            f"--costs {FROM_ACCOUNT}: account {context.account} has no legs that were measured against a mid; give "
            "basis points"
        )
    mean = round(float(cost.mean_bps), 2)
    origin = f"mean slippage of {cost.orders} legs of account {context.account}"
    return Costs(max(0.0, mean), origin if mean >= 0 else f"{origin}, {mean:g} bp, counted as 0")
