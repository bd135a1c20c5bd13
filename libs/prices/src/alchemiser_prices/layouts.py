"""Headings say which column is what, of which symbol: one row a session and symbol comes out.

In: a Table and what a person answered. Out: a Part: dates, symbols and float64 columns, each row with its place. What
is no form that is known here is refused by name; nothing is guessed from numbers.
"""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from alchemiser_common.text import named
from alchemiser_prices.cells import days_of, decimal_mark, may_be_numbers, numbers_of
from alchemiser_prices.errors import AmbiguousPrices, UnusablePrices
from alchemiser_prices.report import Answers, DecimalMark, Dropped
from alchemiser_prices.spellings import (
    ADJUSTED_PRICES,
    Field,
    field_of,
    fields_of,
    looks_adjusted,
    looks_like_symbol,
    plain,
    rank,
    symbol_of,
    symbol_of_stem,
)
from alchemiser_prices.tables import Table

NUMBERS = (Field.OPEN, Field.HIGH, Field.LOW, Field.CLOSE, Field.ADJ_CLOSE, Field.VOLUME, Field.SPLIT)
_PRICES = (Field.OPEN, Field.HIGH, Field.LOW, Field.CLOSE, Field.ADJ_CLOSE)
_CLOSES = (Field.CLOSE, Field.ADJ_CLOSE)
_SHOWN = 5
_LEAN_SCALE = 10_000.0

type Columns = dict[Field, int]


@dataclass(frozen=True, slots=True)
class Part:
    """What one file holds. `rows` has the columns date, symbol, row, timed and those of NUMBERS that are there."""

    name: str
    form: str
    rows: "pd.DataFrame"
    table: Table
    understood: tuple[str, ...] = ()
    dropped: tuple[Dropped, ...] = ()


@dataclass(frozen=True, slots=True)
class _Layout:
    """Where in the table what is."""

    form: str
    date: int
    blocks: tuple[tuple[str | None, Columns], ...]
    """For each symbol its columns; the symbol is None where `symbol` is the column of symbols."""
    symbol: int | None = None
    understood: tuple[str, ...] = ()


def read_part(table: Table, answers: Answers, *, among_others: bool) -> Part:
    """The rows of a table. Raises UnusablePrices, AmbiguousPrices."""
    layout = _layout(table, answers, among_others=among_others)
    cells = table.cells
    dates = days_of(cells[layout.date], table.name, answers.dates)
    known, dropped = _dated(table, layout, dates.days)
    mark = _mark(table, layout, known, answers)

    def where(column: int) -> "_Place":
        return _Place(table, column)

    blocks = []
    for symbol, columns in layout.blocks:
        found: dict[str, object] = {"date": dates.days[known], "timed": dates.timed[known], "row": cells.index[known]}
        found["symbol"] = _symbols(table, layout.symbol, known) if layout.symbol is not None else symbol
        for field, column in columns.items():
            numbers = numbers_of(cells[column][known], mark, where(column))
            found[field.value] = numbers / _LEAN_SCALE if table.lean and field in _PRICES else numbers
        blocks.append(pd.DataFrame(found))
    rows = pd.concat(blocks, ignore_index=True)
    return Part(table.name, layout.form, rows, table, (*layout.understood, *dates.understood), tuple(dropped))


@dataclass(frozen=True, slots=True)
class _Place:
    """Names a cell of a column."""

    table: Table
    column: int

    def __call__(self, index: Hashable) -> str:
        heading = " ".join(part for part in self.table.headings[self.column] if part)
        return f"{self.table.name}: column {heading!r}, {self.table.place(int(str(index)))}"


def _mark(table: Table, layout: _Layout, known: "pd.Series[bool]", answers: Answers) -> DecimalMark:
    columns = [
        table.cells[column][known]
        for _, fields in layout.blocks
        for field, column in fields.items()
        if field in _PRICES
    ]
    return decimal_mark(columns, table.name, commas_separate="commas" in table.form, given=answers.decimal)


def _dated(table: Table, layout: _Layout, days: "pd.Series[pd.Timestamp]") -> tuple["pd.Series[bool]", list[Dropped]]:
    """Which rows have a date; the others are empty, or lines after the last row. Raises UnusablePrices."""
    known = days.notna()
    if known.all():
        return known, []
    texts = table.cells.map(lambda cell: "" if cell is None or cell is pd.NA else str(cell).strip())
    empty = (texts.isin(["", "nan", "NaT", "None"])).all(axis=1)
    odd = known.index[~known & ~empty]
    last = known[known].index.max() if known.any() else -1
    inside = [at for at in odd if at < last]
    if inside or not known.any():
        at = inside[0] if inside else odd[0] if len(odd) else 0
        cell = texts[layout.date].iloc[at] if len(texts) else ""
        if not len(texts):
            raise UnusablePrices(f"{table.name}: holds no rows; export at least one session")
        where = f"{_Place(table, layout.date)(at)}"
        if not cell:
            raise UnusablePrices(f"{where} is empty; give every row a date")
        raise UnusablePrices(f"{where}: {cell!r} is not a date; write dates as 2021-03-31")
    found = []
    for at in odd:
        if any(cell.replace(".", "").replace(",", "").isdigit() for cell in texts.loc[at].iloc[2:]):
            raise UnusablePrices(f"{_Place(table, layout.date)(at)}: {texts[layout.date][at]!r} is not a date")
    if len(odd):
        text = " ".join(texts.loc[odd[0]]).strip()
        found.append(Dropped(count=len(odd), why="lines after the last row", example=f"{table.name}: {text[:60]}"))
    return known, found


def _symbols(table: Table, column: int, known: "pd.Series[bool]") -> "pd.Series[str]":
    cells = table.cells[column][known]
    texts = cells.astype("object").map(lambda cell: "" if cell is None or cell is pd.NA else str(cell).strip())
    if (texts.isin(["", "nan"]) & cells.isna()).any() or (texts == "").any():
        at = texts.index[(texts == "") | cells.isna()][0]
        raise UnusablePrices(f"{_Place(table, column)(at)} is empty; give every row a symbol")
    spelled = {text: symbol_of(text) for text in texts.unique()}
    odd = [text for text in spelled if not looks_like_symbol(text)]
    if odd:
        heading = " ".join(table.headings[column])
        raise AmbiguousPrices(
            f"{table.name}: column {heading!r} holds {named([repr(text) for text in odd], _SHOWN)}: no symbols. Say "
            "which column has the symbols with --column symbol=HEADING"
        )
    return texts.map(spelled)


def _layout(table: Table, answers: Answers, *, among_others: bool) -> _Layout:
    two = any(len(heading) == 2 for heading in table.headings)
    if two:
        return _two_levels(table)
    names = [heading[0] for heading in table.headings]
    fields = _fields(names, answers)
    date = _best(names, fields, Field.DATE)
    if date is None:
        raise AmbiguousPrices(f"{table.headed('no column of dates')}; say which it is with --column date=HEADING")
    symbol = _best(names, fields, Field.SYMBOL)
    chosen = {field: at for field in NUMBERS if (at := _best(names, fields, field)) is not None}
    unknown = [at for at, name in enumerate(names) if fields[name] is None and at != date]
    if not any(field in chosen for field in _CLOSES):
        return _without_close(table, names, fields, date, symbol, unknown)
    _ask_about_adjusted(table, [names[at] for at in unknown])
    chosen = _raw_or_adjusted(names, chosen)
    used = {date, *chosen.values(), *(() if symbol is None else (symbol,))}
    left = [name for at, name in enumerate(names) if at not in used]
    understood = [f"not used: {named(left, _SHOWN)}"] if left else []
    if symbol is not None:
        form = f"{table.form}, one row a day and symbol ({names[symbol]!r})"
        return _Layout(form, date, ((None, chosen),), symbol, tuple(understood))
    _refuse_several(table, date, names, unknown)
    one = _only_symbol(table, answers, among_others=among_others)
    return _Layout(f"{table.form}, bars of {one}", date, ((one, chosen),), None, tuple(understood))


def _fields(names: Sequence[str], answers: Answers) -> dict[str, Field | None]:
    """What each heading is; what a person said counts most."""
    fields = fields_of(list(names))
    for field, heading in answers.columns:
        if heading in fields:
            fields[heading] = Field(field)
            if field != Field.IGNORE:
                others = [name for name in names if fields[name] is not None and fields[name] == field]
                fields.update(dict.fromkeys((name for name in others if name != heading), Field.IGNORE))
    return fields


def _best(names: Sequence[str], fields: Mapping[str, Field | None], field: Field) -> int | None:
    found = [at for at, name in enumerate(names) if fields[name] is field]
    return min(found, key=lambda at: rank(names[at])) if found else None


def _raw_or_adjusted(names: Sequence[str], chosen: Columns) -> Columns:
    """Where only adjusted closes are there, opens, highs, lows and volumes are the adjusted ones, too."""
    if Field.CLOSE in chosen:
        return chosen
    places = {plain(name): at for at, name in enumerate(names)}
    stand_ins = {
        field: places[spelling] for field, known in ADJUSTED_PRICES.items() for spelling in known if spelling in places
    }
    return {**chosen, **stand_ins}


def _ask_about_adjusted(table: Table, unknown: Sequence[str]) -> None:
    places = {heading[0]: at for at, heading in enumerate(table.headings)}
    odd = [name for name in unknown if looks_adjusted(name) and may_be_numbers(table.cells[places[name]])]
    if odd:
        raise AmbiguousPrices(
            f"{table.name}: is column {odd[0]!r} the close adjusted for splits and dividends? Answer with "
            f"--column adj_close={odd[0]!r}, or leave it out with --column ignore={odd[0]!r}"
        )


def _refuse_several(table: Table, date: int, names: Sequence[str], unknown: Sequence[int]) -> None:
    """A file without a column of symbols whose days repeat is one of several symbols, or not daily."""
    days = table.cells[date].astype(str)
    if not days.duplicated().any():
        return
    for at in unknown:
        column = table.cells[at]
        words = not pd.api.types.is_numeric_dtype(column.dtype) and column.astype(str).map(looks_like_symbol).all()
        if words and not pd.DataFrame({"day": days, "name": column.astype(str)}).duplicated().any():
            raise AmbiguousPrices(
                f"{table.name}: days occur more than once; is {names[at]!r} the column of symbols? Answer with "
                f"--column symbol={names[at]!r}"
            )


def _only_symbol(table: Table, answers: Answers, *, among_others: bool) -> str:
    if answers.symbol is not None and not among_others:
        return symbol_of(answers.symbol)
    found = symbol_of_stem(table.stem, among_others=among_others)
    if found is None:
        raise AmbiguousPrices(
            f"{table.name}: holds the bars of one symbol and no column says of which; answer with --symbol SYMBOL, or "
            "name the file after it (SPY.csv)"
        )
    return found


def _without_close(
    table: Table,
    names: Sequence[str],
    fields: Mapping[str, Field | None],
    date: int,
    symbol: int | None,
    unknown: Sequence[int],
) -> _Layout:
    """A column of closes a symbol, or fields of a symbol in each heading; anything else lacks a close."""
    columns = [at for at in range(len(names)) if at != date and fields[names[at]] is not Field.IGNORE]
    if symbol is None and (flat := _flattened(names, columns)):
        return _Layout(f"{table.form}, field and symbol in each heading", date, tuple(flat.items()))
    if not unknown or symbol is not None:
        raise UnusablePrices(f"{table.headed('no column of closes')}; say which it is with --column close=HEADING")
    odd = [names[at] for at in columns if not looks_like_symbol(names[at])]
    if odd:
        raise AmbiguousPrices(
            f"{table.headed('neither a column of closes nor only symbols')}: "
            f"{named([repr(name) for name in odd], _SHOWN)} may be: name the closes with --column close=HEADING, or "
            "leave a column out with --column ignore=HEADING"
        )
    spelled = [symbol_of(names[at]) for at in columns]
    _refuse_twice(table, spelled)
    blocks = tuple((name, {Field.CLOSE: at}) for name, at in zip(spelled, columns, strict=True))
    return _Layout(f"{table.form}, a column of closes a symbol", date, blocks)


def _flattened(names: Sequence[str], columns: Sequence[int]) -> dict[str | None, Columns] | None:
    """`Close_SPY`, `SPY Adj Close`, …: symbol and field of every column; None if one of them is not so."""
    found: dict[str | None, dict[Field, int]] = {}
    for at in columns:
        split = _field_and_symbol(names[at])
        if split is None:
            return None
        field, symbol = split
        if field in found.setdefault(symbol, {}):
            return None
        found[symbol][field] = at
    usable = {
        symbol: {field: at for field, at in fields.items() if field in NUMBERS} for symbol, fields in found.items()
    }
    closed = all(any(field in fields for field in _CLOSES) for fields in usable.values())
    return dict(usable) if usable and closed else None


def _field_and_symbol(name: str) -> tuple[Field, str] | None:
    """The longest field at either end, with a symbol as the rest: `SPY Adj Close` is not the close of `SPY Adj`."""
    found: list[tuple[int, Field, str]] = []
    for at in (at for at, sign in enumerate(name) if sign in "_ .|:-/"):
        for word, rest in ((name[:at], name[at + 1 :]), (name[at + 1 :], name[:at])):
            field = field_of(word)
            if field is not None and field not in {Field.DATE, Field.SYMBOL} and looks_like_symbol(rest):
                found.append((len(word), field, symbol_of(rest)))
    if not found or field_of(name) is not None:
        return None
    _, field, symbol = max(found, key=lambda one: one[0])
    return field, symbol


def _two_levels(table: Table) -> _Layout:
    """Fields on one level, symbols on the other, in either order."""
    first = [heading[0] for heading in table.headings]
    second = [heading[1] for heading in table.headings]
    dates = [at for at, (one, two) in enumerate(table.headings) if field_of(one) is Field.DATE and not two]
    if not dates:
        raise UnusablePrices(f"{table.headed('no column of dates')}; export the table with its dates")
    rest = [at for at in range(len(first)) if at != dates[0]]
    fields, symbols = (first, second) if _all_fields(first, rest) else (second, first)
    if not _all_fields(fields, rest):
        raise UnusablePrices(f"{table.headed('no level of headings with closes and other known fields')}")
    if not any(symbols[at] for at in rest):
        raise UnusablePrices(f"{table.headed('no symbols')}; name them in the second line of headings")
    blocks: dict[str | None, dict[Field, int]] = {}
    for at in rest:
        field = field_of(fields[at])
        if field is not None and field in NUMBERS:
            of = blocks.setdefault(symbol_of(symbols[at]), {})
            if field in of:
                raise UnusablePrices(f"{table.name}: {symbols[at]} has two columns {fields[at]!r}; keep one of them")
            of[field] = at
    lacking = [str(symbol) for symbol, columns in blocks.items() if not any(field in columns for field in _CLOSES)]
    if lacking:
        raise UnusablePrices(f"{table.name}: no closes of {named(lacking, _SHOWN)}; export them too")
    return _Layout(f"{table.form}, headings of fields and symbols", dates[0], tuple(blocks.items()))


def _all_fields(level: Sequence[str], columns: Sequence[int]) -> bool:
    known = [field_of(level[at]) for at in columns]
    return all(field is not None for field in known) and any(field in _CLOSES for field in known)


def _refuse_twice(table: Table, symbols: Sequence[str]) -> None:
    twice = sorted({symbol for symbol in symbols if symbols.count(symbol) > 1})
    if twice:
        raise UnusablePrices(f"{table.name}: {twice[0]} has {symbols.count(twice[0])} columns; keep one of them")
