"""Tables on terminals of every width, in pipes and as CSV: a cell is whole or not there."""

import csv
import io
import json
from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.text import Text

from alchemiser_cli.console import SafeConsole, plain_table
from alchemiser_cli.csv_rows import csv_text

HEADINGS = ("day", "symbol", "price", "value", "why")
LEAST = ("why", "symbol")
WORDS = "the market has run hot and nothing is bought"


def shown(width: int | None, rows: Sequence[tuple[str, ...]]) -> str:
    text = io.StringIO()
    console = SafeConsole(file=text, width=width, _environ={})
    table = plain_table(*HEADINGS, least=LEAST, prose=("why",))
    for row in rows:
        table.add_row(*row)
    console.print(table)
    return text.getvalue()


@given(
    st.integers(12, 140),
    st.lists(st.tuples(st.decimals(0, 10**12, places=4), st.decimals(0, 10**12, places=2)), min_size=1, max_size=4),
)
def test_a_number_is_whole_or_its_column_is_not_there(width: int, figures: list[tuple[object, object]]) -> None:
    rows = [("2026-11-27", "SPY", f"{price:,}", f"{value:,}", WORDS) for price, value in figures]
    text = shown(width, rows)
    cells = text.split()
    assert "…" not in text
    assert all(len(line) <= width for line in text.splitlines())
    missing = [name for name in HEADINGS if name not in text.splitlines()[0].split()]
    assert "day" not in missing, "what a line is about always stays"
    for column, name in enumerate(HEADINGS[:4]):
        if name not in missing:
            assert all(row[column] in cells for row in rows), name
    if missing:
        assert "not shown on" in text
        assert missing == [name for name in HEADINGS if name in missing]
        order = (*LEAST, "value", "price")
        assert set(missing) == set(order[: len(missing)]), "the least comes off first"
    if "why" not in missing:
        assert all(word in cells for word in WORDS.split())


def test_one_column_that_does_not_fit_goes_on_in_the_next_line() -> None:
    text = io.StringIO()
    table = plain_table("run")
    table.add_row("8feea0c8-b02b-5987-b071-0738019b9210")
    SafeConsole(file=text, width=10, _environ={}).print(table)
    assert "".join(text.getvalue().split()) == "run8feea0c8-b02b-5987-b071-0738019b9210"


def test_a_pipe_is_as_wide_as_what_is_written_into_it() -> None:
    text = shown(None, [("2026-11-27", "SPY", "1.0000", "2.00", WORDS * 20)])
    assert len(text.splitlines()) == 2
    assert "not shown" not in text


def test_no_colour_is_sent_where_none_is_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    def sent(**variables: str) -> str:
        text = io.StringIO()
        SafeConsole(file=text, force_terminal=True, _environ=variables).print(Text("halted", style="red"))
        return text.getvalue()

    monkeypatch.setenv("TERM", "xterm")
    assert "\x1b[31m" in sent(TERM="xterm")
    assert "\x1b[3" not in sent(TERM="xterm", NO_COLOR="1")


def test_csv_holds_every_value_in_full_on_one_line_a_row() -> None:
    rows: list[Mapping[str, object]] = [
        {"symbol": 'A"B', "price": 1 / 3, "reason": "two\nlines, \x1b[31mred", "notes": ["a", "b"]},
        {"symbol": "C", "price": None, "held": True},
    ]
    text = csv_text(rows)
    assert len(text.splitlines()) == 3
    first, second = csv.DictReader(io.StringIO(text))
    assert (first["symbol"], float(first["price"])) == ('A"B', 1 / 3)
    assert first["reason"] == "two\\nlines, \\x1b[31mred"
    assert json.loads(first["notes"]) == ["a", "b"]
    assert (second["price"], second["held"], second["notes"]) == ("", "true", "")
    assert csv_text([]) == ""
