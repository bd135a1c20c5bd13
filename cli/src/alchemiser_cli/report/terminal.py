"""The same figures as rich tables for the terminal; texts from data are shown as they are, never read as markup."""

from collections.abc import Sequence
from itertools import chain

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from alchemiser_cli import formats
from alchemiser_cli.fitting_table import FittingTable
from alchemiser_cli.report.facts import (
    SOURCES,
    Fact,
    Tone,
    backtest_contributions,
    backtest_facts,
    beside_notes,
    demo_contributions,
    demo_facts,
    demo_statistics,
    fall_lines,
    year_facts,
)
from alchemiser_cli.report.model import BacktestReport, DemoReport, SessionRow
from alchemiser_cli.report.redaction import public_text

STYLES = {Tone.PLAIN: "bold", Tone.GOOD: "bold green", Tone.BAD: "bold red"}
STATUS_STYLES = {"completed": "green", "partial": "yellow", "expired": "yellow", "failed": "red", "halted": "red"}
FIRST, LAST = 4, 4
MOST_HOLDINGS = 4


def demo(report: DemoReport) -> Group:
    """A demo's end: its first and last sessions, its key figures and its notice."""
    notice = [Text(public_text(report.notice), style="italic")] if report.notice else []
    why = [Text(f"- beside the backtest: {public_text(line)}", style="dim") for line in beside_notes(report)]
    days, equity = report.curve
    return Group(
        sessions(report.rows),
        facts("Key figures", demo_facts(report)),
        *why,
        facts("Statistics", demo_statistics(report)),
        facts("Years", year_facts(days, equity, report.benchmark)),
        facts("Deepest falls", fall_lines(days, equity)),
        facts(SOURCES, demo_contributions(report)),
        *notice,
    )


def backtest(report: BacktestReport) -> Group:
    """A backtest's table, under what was tested and when."""
    shares = ", ".join(f"{public_text(name)} {formats.percent(share, 0)}" for name, share in report.strategies)
    lines: list[RenderableType] = [
        Text(f"{shares}, {report.days[0]} to {report.days[-1]}; {public_text(report.terms)}"),
        facts("Statistics", backtest_facts(report)),
        facts("Years", year_facts(report.days, report.equity, report.benchmark)),
        facts("Deepest falls", fall_lines(report.days, report.equity)),
        facts(SOURCES, backtest_contributions(report)),
        *(Text(f"- {public_text(remark)}", style="yellow") for remark in report.remarks),
    ]
    if report.notice:
        lines.append(Text(public_text(report.notice), style="italic"))
    return Group(*lines)


def compared(reports: Sequence[BacktestReport]) -> Table:
    """Backtests of the same days side by side, one a column."""
    names = [public_text("+".join(name for name, _ in report.strategies)) for report in reports]
    numbered = [name if names.count(name) == 1 else f"{number} {name}" for number, name in enumerate(names, 1)]
    table = _titled("Side by side", FittingTable(("Figure", *numbered)))
    for column in table.columns[1:]:
        column.justify = "right"
    columns = [{fact.label: fact.value for fact in backtest_facts(report)} for report in reports]
    for label in columns[0]:
        table.add_row(label, *(Text(public_text(column.get(label, ""))) for column in columns))
    return table


def _titled(title: str, table: FittingTable) -> FittingTable:
    table.title, table.title_justify, table.pad_edge = Text(title), "left", False
    return table


def facts(title: str, lines: Sequence[Fact]) -> Table:
    """Labelled figures, one a line."""
    table = _titled(public_text(title), FittingTable(("Figure", "Value", "Remark"), prose=("Figure", "Remark")))
    table.show_header = False
    table.columns[1].justify = "right"
    table.columns[2].style = "dim"
    for line in lines:
        table.add_row(line.label, Text(public_text(line.value), style=STYLES[line.tone]), Text(public_text(line.note)))
    return table


def sessions(rows: Sequence[SessionRow]) -> Table:
    """One line a session; of a long row of sessions the first and the last few, with what is left out counted."""
    headings = ("Session", "Status", "Equity", "Change", "Legs", "Holdings")
    table = FittingTable(headings, least=("Holdings", "Legs", "Status"), prose=("Holdings",))
    _titled(f"Sessions ({len(rows):,})", table)
    for column in table.columns[2:5]:
        column.justify = "right"
    left_out = len(rows) - FIRST - LAST
    shown = range(len(rows)) if left_out <= 1 else chain(range(FIRST), range(len(rows) - LAST, len(rows)))
    for index in shown:
        if left_out > 1 and index == len(rows) - LAST:
            table.add_row(Text(f"{left_out:,} more", style="dim"))
        row = rows[index]
        change = row.equity / rows[index - 1].equity - 1 if index else None
        table.add_row(
            formats.day(row.day),
            Text(public_text(row.status), style=STATUS_STYLES.get(row.status, "")),
            formats.money(row.equity),
            formats.percent(change, signed=True),
            f"{len(row.orders):,}",
            _holdings(row),
        )
    return table


def _holdings(row: SessionRow) -> Text:
    largest = sorted(row.weights, key=lambda holding: (-holding[1], holding[0]))
    names = [f"{public_text(symbol)} {formats.percent(weight, 0)}" for symbol, weight in largest[:MOST_HOLDINGS]]
    if len(largest) > MOST_HOLDINGS:
        names.append(f"{len(largest) - MOST_HOLDINGS} more")
    return Text(", ".join(names) or "cash")
