"""`alchemiser prices`: price files of any form, read rightly or refused, and the broker's own."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from alchemiser_cli.console import Exit, fail, note, out, plain_table
from alchemiser_cli.context import command
from alchemiser_cli.options import DAY, AsCsv, AsJson, StrategyNames
from alchemiser_cli.price_file import cache_of
from alchemiser_common.errors import InvalidSettings
from alchemiser_common.text import and_more
from alchemiser_prices import cache, tidy
from alchemiser_prices.done import Done
from alchemiser_prices.report import Adjustment, Answers, ClosedDays, DateOrder, DecimalMark, Report, SplitPrices

app = typer.Typer(help="Price files: import, look, check; fetch from the broker.", no_args_is_help=True)

Paths = Annotated[list[Path], typer.Argument(metavar="FILE|FOLDER…", help="Files, folders or zips of daily prices.")]
One = Annotated[Path, typer.Argument(metavar="FILE|FOLDER", help="A file, folder or zip of daily prices.")]
_FIRST_DAY = datetime(2016, 1, 1)  # noqa: DTZ001  (a day)
"""Alpaca's bars begin here."""
_ADJUSTED = {
    Adjustment.BOTH: "closes and adjusted closes; figures rest on the adjusted ones",
    Adjustment.ONLY_ADJUSTED: "adjusted closes only",
    Adjustment.SPLITS: "closes as traded, with the splits; dividends are not in them",
    Adjustment.UNSAID: "as the file has them; it does not say whether they are adjusted",
}
_SHOWN_SYMBOLS = 10
_SHOWN_JUMPS = 10


class Feed(StrEnum):
    """Alpaca's feeds of bars: one exchange's trades, or all exchanges'."""

    IEX = "iex"
    SIP = "sip"


@app.callback()
def prices() -> None:
    """Price files: import, look, check; fetch from the broker."""


@app.command("import")
def import_(
    paths: Paths,
    place: Annotated[
        Path | None,
        typer.Option("--out", help="The tidy Parquet file to write; default: kept in the home for `--data FILE`."),
    ] = None,
    column: Annotated[
        list[str] | None,
        typer.Option(help="FIELD=HEADING: date, symbol, open, high, low, close, adj_close, volume, split, ignore."),
    ] = None,
    symbol: Annotated[str | None, typer.Option(help="Whose bars a file holds that does not name its symbol.")] = None,
    dates: Annotated[DateOrder | None, typer.Option(help="Order of day and month where both would do.")] = None,
    decimal: Annotated[
        DecimalMark | None, typer.Option(help="What stands before the cents where both would do.")
    ] = None,
    closed_days: Annotated[
        ClosedDays, typer.Option(help="Rows with prices of their own on days on which the exchange is closed.")
    ] = ClosedDays.ASK,
    splits: Annotated[
        SplitPrices | None, typer.Option(help="Prices before a split: as traded, or divided by it already.")
    ] = None,
    *,
    closes_only: Annotated[bool, typer.Option("--closes-only", help="Leave out open, high and low.")] = False,
    as_json: AsJson = False,
    as_csv: AsCsv = False,
) -> None:
    """Read prices in whatever form they are, say what was understood, and write them as one tidy Parquet file.

    What can be read in two ways is asked, and the question names the option that answers it. Answers are remembered:
    `--data FILE` then reads the same.
    """
    with command(as_json=as_json, as_csv=as_csv) as context:
        from alchemiser_prices.importing import import_prices  # pandas

        if place is None and len(paths) > 1:
            raise InvalidSettings("several paths make one file: say where to write it with --out")
        answers = Answers(
            columns=tuple(_said(text) for text in column or ()),
            symbol=symbol,
            dates=dates,
            decimal=decimal,
            closed_days=closed_days,
            splits=splits,
            closes_only=closes_only,
        )
        table, report = import_prices(paths, answers)
        written = place or cache.place(paths[0], cache_of(context.settings.home))
        tidy.write(written, table, report=report)
        context.emit(_as_json(report, written), lambda: _print(report, written), rows=_rows(report))


@app.command()
def show(path: One, *, as_json: AsJson = False, as_csv: AsCsv = False) -> None:
    """What was understood of a file, a folder or a tidy file; imports it if that has not been done."""
    with command(as_json=as_json, as_csv=as_csv) as context:
        place = cache.tidy_file(path, cache_of(context.settings.home))
        report = tidy.read_report(place) or _read_again(path, Answers())
        context.emit(_as_json(report, place), lambda: _print(report, place), rows=_rows(report))


@app.command()
def check(path: One, *, as_json: AsJson = False, as_csv: AsCsv = False) -> None:
    """Read the prices again and say what is odd: left out, missing, moving too far. Exit code 1 if anything is."""
    with command(as_json=as_json, as_csv=as_csv) as context:
        kept = path if tidy.is_tidy(path) else cache.place(path, cache_of(context.settings.home))
        before = tidy.read_report(kept)
        report = _read_again(path, before.answers if before and kept != path else Answers())
        odd = report.odd()

        def table() -> None:
            _print(report, None)
            out.print("Nothing odd." if not odd else f"{len(odd)} things to look at.")

        context.emit({**_as_json(report, path), "odd": list(odd)}, table, rows=[{"odd": line} for line in odd])
        if odd:
            raise typer.Exit(Exit.FAILED)


@app.command()
def fetch(
    symbols: Annotated[
        str | None,
        typer.Option(help="Symbols, with commas: SPY,QQQ. Default: those of the file, else the portfolio's."),
    ] = None,
    strategy: StrategyNames = None,
    start: Annotated[datetime, typer.Option("--from", formats=DAY, help="First day.")] = _FIRST_DAY,
    feed: Annotated[Feed | None, typer.Option(help="Default: the setting data.bars_feed.")] = None,
    place: Annotated[Path, typer.Option("--out", help="The tidy Parquet file to write or bring up to date.")] = Path(
        "prices.parquet"
    ),
    *,
    as_json: AsJson = False,
    as_csv: AsCsv = False,
) -> None:
    """Fetch adjusted daily bars from Alpaca with your keys (.env), up to the last completed session.

    Called again it goes on where it stopped, and adds what is new. Bars that the broker has adjusted anew meanwhile
    (a dividend, a split) are fetched again as a whole.
    """
    with command(as_json=as_json, as_csv=as_csv) as context:
        from alchemiser_cli.price_fetching import fetch_prices, wanted_symbols  # alpaca-py

        names = [name.strip() for name in (symbols or "").split(",") if name.strip()]
        wanted = wanted_symbols(context.settings, names, strategy or [], place)
        report, done = fetch_prices(context, wanted, start.date(), None if feed is None else feed.value, place)
        counts = Counter(done.values())
        lacking = [symbol for symbol, what in done.items() if what is Done.NOTHING]

        def table() -> None:
            _print(report, place)
            out.print(", ".join(f"{count} {what.value}" for what, count in counts.items()))

        context.emit({**_as_json(report, place), "fetched": dict(done)}, table, rows=_rows(report))
        if lacking:
            raise fail(f"the broker has no bars of {', '.join(lacking)}; the file holds the others", Exit.FAILED)


def _read_again(path: Path, answers: Answers) -> Report:
    from alchemiser_prices.importing import import_prices  # pandas

    return import_prices([path], answers)[1]


_FIELDS = ("date", "symbol", "open", "high", "low", "close", "adj_close", "volume", "split", "ignore")


def _said(text: str) -> tuple[str, str]:
    """`FIELD=HEADING` as its parts. Raises InvalidSettings."""
    field, sign, heading = text.partition("=")
    if field not in _FIELDS or not sign or not heading:
        raise InvalidSettings(f"--column is {text!r}; write FIELD=HEADING with a field of {', '.join(_FIELDS)}")
    return field, heading


def _as_json(report: Report, place: Path) -> dict[str, object]:
    return {**report.model_dump(mode="json"), "file": str(place)}


def _rows(report: Report) -> list[dict[str, object]]:
    """A line a symbol."""
    return [span.model_dump(mode="json") for span in report.symbols]


def _print(report: Report, written: Path | None) -> None:
    table = plain_table("what", "said", prose=("said",))
    for name, text in _lines(report):
        table.add_row(name, escape(text))
    table.show_header = False
    out.print(table)
    if written is not None:
        note(f"tidy file: {written}")


def _lines(report: Report) -> Sequence[tuple[str, str]]:
    """What a person reads of the report: a word and a sentence each."""
    spans = [f"{span.symbol} {span.first}…{span.last} ({span.bars})" for span in report.symbols]
    missing = [f"{span.symbol} {span.missing}" for span in report.symbols if span.missing]
    lines = [
        (
            "read",
            f"{report.source}: {'; '.join(report.forms)}" + (f", {report.files} files" if report.files > 1 else ""),
        ),
        ("symbols", f"{len(report.symbols)}: {', '.join(and_more(spans, _SHOWN_SYMBOLS))}"),
        ("sessions", f"{report.sessions}, {report.first} to {report.last}"),
        ("columns", ", ".join(report.fields)),
        ("closes", _ADJUSTED[report.adjustment]),
    ]
    lines += [("understood", line) for line in report.understood]
    lines += [
        ("left out", f"{one.count}: {one.why}" + (f" (first: {one.example})" if one.example else ""))
        for one in report.dropped
    ]
    if missing:
        lines.append(("missing", f"sessions without a bar: {', '.join(and_more(missing, _SHOWN_SYMBOLS))}"))
    lines += [("warning", line) for line in report.warnings]
    lines += [
        ("jump", f"{jump.symbol} {jump.day} {jump.move:+.1%} {jump.remark}".strip())
        for jump in report.jumps[:_SHOWN_JUMPS]
    ]
    return lines
