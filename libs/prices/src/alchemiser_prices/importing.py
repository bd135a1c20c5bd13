"""Files of prices become one tidy table, and a report of what was understood.

In: paths (file, folder, zip) and what a person answered. Out: the table that `tidy.write` writes, and a Report. Nothing
is read on a guess: UnusablePrices names what is wrong, AmbiguousPrices asks.
"""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from alchemiser_prices import checks, tidy
from alchemiser_prices.errors import AmbiguousPrices, UnusablePrices
from alchemiser_prices.files import files_in
from alchemiser_prices.layouts import Part, read_part
from alchemiser_prices.report import Adjustment, Answers, Dropped, Report, SymbolSpan
from alchemiser_prices.tables import Table, read_table

_MOST_JUMPS = 20
NO_ANSWERS = Answers()


def import_prices(paths: Sequence[Path], answers: Answers = NO_ANSWERS) -> tuple["pa.Table", Report]:
    """The tidy table of files and folders, and what was understood of them. Raises UnusablePrices, AmbiguousPrices."""
    try:
        return _import(paths, answers)
    except AmbiguousPrices as question:
        given = " ".join(str(path) for path in paths)
        raise AmbiguousPrices(
            f"{question}. What `alchemiser prices import {given}` is told is remembered for these files"
        ) from None


def _import(paths: Sequence[Path], answers: Answers) -> tuple["pa.Table", Report]:
    tables, empty = _tables(paths, answers)
    _refuse_unknown_headings(tables, answers)
    if answers.symbol is not None and len(tables) > 1:
        raise UnusablePrices(f"--symbol names one symbol, and there are {len(tables)} files; import one by one")
    parts = [read_part(table, answers, among_others=len(tables) > 1) for table in tables]
    rows = pd.concat([part.rows.assign(file=at) for at, part in enumerate(parts)], ignore_index=True)
    notes = checks.Notes(dropped=_together(parts), understood=_understood(parts))
    if any(table.lean for table in tables):
        notes.warnings.append("LEAN's daily files are not adjusted: closes fall at each split and dividend")
    if empty:
        notes.warnings.append(f"{len(empty)} empty files, first {empty[0]}")
    files, lines = rows["file"].to_numpy(), rows["row"].to_numpy()

    def place(at: int) -> str:
        part = parts[int(files[at])]
        return f"{part.name}, {part.table.place(int(lines[at]))}"

    rows = checks.once(checks.with_prices(rows, place, notes), place, notes)
    days = rows["date"]
    sessions = checks.exchange_days(days.min().date(), days.max().date())
    rows = checks.on_sessions(rows, sessions, place, answers, notes)
    checks.refuse_sparse(rows, sessions, place)
    rows = checks.settle_bars(rows, place, answers, notes)
    rows = rows.sort_values(["symbol", "date"], kind="stable")
    rows, adjustment = checks.settle_closes(rows, place, notes)
    rows = checks.settle_splits(rows, answers, notes)
    if adjustment is Adjustment.UNSAID and "split" in rows:
        adjustment = Adjustment.SPLITS
    jumps = checks.jumps(rows)
    kept = [name for name in tidy.NUMBERS if name in rows and rows[name].notna().any()]
    report = Report(
        source=" ".join(str(path) for path in paths),
        forms=_forms(parts),
        files=len(parts),
        symbols=_spans(rows, sessions),
        sessions=int(rows["date"].nunique()),
        first=rows["date"].min().date(),
        last=rows["date"].max().date(),
        fields=tuple(kept),
        adjustment=adjustment,
        understood=tuple(notes.understood),
        dropped=tuple(notes.dropped),
        warnings=tuple(notes.warnings),
        jumps=tuple(jumps[:_MOST_JUMPS]),
        answers=answers,
    )
    columns = {"date": rows["date"].to_numpy("datetime64[D]"), "symbol": rows["symbol"].to_list()}
    return tidy.table_of({**columns, **{name: rows[name].to_numpy(np.float64) for name in kept}}), report


def _tables(paths: Sequence[Path], answers: Answers) -> tuple[list[Table], list[str]]:
    """The tables below the paths, and the names of files without anything in them."""
    dates = next((heading for field, heading in answers.columns if field == "date"), None)
    tables, empty = [], []
    for found in (found for path in paths for found in files_in(path)):
        table = read_table(found, dates)
        if table is None or table.cells.empty:
            empty.append(found.name)
        else:
            tables.append(table)
    if not tables:
        raise UnusablePrices(f"{empty[0]}: holds no rows; export at least one session")
    return tables, empty


def _understood(parts: Sequence[Part]) -> list[str]:
    """Each choice once, with how many files it was made for."""
    counts = Counter(line for part in parts for line in dict.fromkeys(part.understood))
    return [line if len(parts) == 1 else f"{line} ({count} of {len(parts)} files)" for line, count in counts.items()]


def _together(parts: Sequence[Part]) -> list[Dropped]:
    """What was left out of each file, by reason, with the first example."""
    found: dict[str, Dropped] = {}
    for one in (one for part in parts for one in part.dropped):
        before = found.get(one.why)
        found[one.why] = one if before is None else before.model_copy(update={"count": before.count + one.count})
    return list(found.values())


def _refuse_unknown_headings(tables: Sequence[Table], answers: Answers) -> None:
    headings = {heading[0] for table in tables for heading in table.headings}
    for _, heading in answers.columns:
        if heading not in headings:
            raise UnusablePrices(
                f"--column names {heading!r}, which no file has; there are {', '.join(sorted(headings))}"
            )


def _forms(parts: Sequence[Part]) -> tuple[str, ...]:
    """Each form once; of a folder of many symbols the form that its files have."""
    if len(parts) == 1:
        return (parts[0].form,)
    return tuple(
        dict.fromkeys(
            f"{part.form.split(', bars of')[0]}, a file a symbol" if ", bars of" in part.form else part.form
            for part in parts
        )
    )


def _spans(rows: "pd.DataFrame", sessions: "pd.DatetimeIndex") -> tuple[SymbolSpan, ...]:
    found = rows.groupby("symbol", sort=True)["date"].agg(["count", "min", "max"])
    spans = []
    for symbol, (count, first, last) in zip(found.index, found.itertuples(index=False, name=None), strict=True):
        due = int(sessions.searchsorted(last, side="right") - sessions.searchsorted(first))
        spans.append(SymbolSpan(symbol=symbol, bars=count, first=first.date(), last=last.date(), missing=due - count))
    return tuple(spans)
