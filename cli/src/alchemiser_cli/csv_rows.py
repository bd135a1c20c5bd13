"""Rows as CSV text: the same values as in JSON, a line each."""

import csv
import io
import json
from collections.abc import Iterable, Mapping

from alchemiser_common.text import printable


def csv_text(rows: Iterable[Mapping[str, object]]) -> str:
    """The keys as the first line, then a line a row; empty if there is none. Lists and tables are written as JSON.

    What is not seen in a text is written as an escape, so that a row is one line.
    """
    found = list(rows)
    names = list(dict.fromkeys(name for row in found for name in row))
    text = io.StringIO()
    lines = csv.writer(text, lineterminator="\n")
    if names:
        lines.writerow(names)
    lines.writerows([_cell(row.get(name)) for name in names] for row in found)
    return text.getvalue()


def _cell(value: object) -> str:
    if value is None:
        return ""
    return printable(value if isinstance(value, str) else json.dumps(value))
