"""A table that never cuts a cell: on a narrow terminal it has fewer columns, and says which."""

from collections.abc import Iterable, Sequence

from rich.console import Console, ConsoleOptions, RenderResult
from rich.measure import Measurement
from rich.table import Column, Table
from rich.text import Text

_READABLE = 20
"""Characters that a column of words needs at least."""
_SPACE = 2
"""Characters beside a cell."""
_ENDLESS = 1_000_000


class FittingTable(Table):
    """Without lines. `least` are the headings to do without first, `prose` those whose cells may wrap.

    The first column always stays; where even that does not fit, its cells go on in the next line.
    """

    def __init__(self, headings: Sequence[str], least: Iterable[str] = (), prose: Iterable[str] = ()) -> None:
        super().__init__(box=None, header_style="bold")
        self._least, self._prose = tuple(least), frozenset(prose)
        for heading in headings:
            self.add_column(heading, no_wrap=heading not in self._prose, overflow="fold")

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """As rich's, of the columns that fit."""
        left_out = self._left_out(console, options)
        if not left_out and len(self.columns) > 1:
            yield from super().__rich_console__(console, options)
            return
        kept = [column for column in self.columns if column.header not in left_out]
        yield self._of(kept)
        if left_out:
            names = ", ".join(left_out)
            yield Text(f"not shown on {options.max_width} columns: {names}", style="dim")

    def _of(self, columns: Sequence[Column]) -> Table:
        """The same with these columns only; a single one may go on in the next line."""
        shown = Table(
            title=self.title,
            title_justify=self.title_justify,
            box=None,
            header_style="bold",
            show_header=self.show_header,
            pad_edge=self.pad_edge,
        )
        for column in columns:
            shown.add_column(
                column.header,
                style=column.style,
                justify=column.justify,
                no_wrap=column.no_wrap and len(columns) > 1,
                overflow="fold",
            )
        for row, cells in zip(self.rows, zip(*(column.cells for column in columns), strict=True), strict=True):
            shown.add_row(*cells, style=row.style)
        return shown

    def _left_out(self, console: Console, options: ConsoleOptions) -> list[str]:
        """The headings to do without, in their order."""
        needed = {str(column.header): self._needed(console, options, column) for column in self.columns}
        others = [name for name in reversed(list(needed)[1:]) if name not in self._least]
        for heading in (*self._least, *others):
            if sum(needed.values()) <= options.max_width:
                break
            del needed[heading]
        return [str(column.header) for column in self.columns if column.header not in needed]

    def _needed(self, console: Console, options: ConsoleOptions, column: Column) -> int:
        """Characters with the space beside them."""
        endless = options.update_width(_ENDLESS)
        widest = max(Measurement.get(console, endless, cell).maximum for cell in (column.header, *column.cells))
        return _SPACE + (min(widest, _READABLE) if column.header in self._prose else widest)
