"""Writes symphonies that look like the real ones: deep, long, and ten times as long as what they say.

python tests/benchmarks/symphony_generator.py --seed 1 --like-big --symbols-from closes.parquet -o big.clj
The same seed and symbols give the same text on any machine.
"""

import argparse
import random
import sys
from collections.abc import Iterator, Sequence
from dataclasses import astuple, dataclass
from pathlib import Path

type Form = str | tuple["Form", ...]
"""A token, or a bracketed form whose first item is its opening bracket."""

_CLOSER = {"(": ")", "[": "]", "{": "}"}
_WIDTH = 80
_WORDS = ("Alpha", "Trend", "Nasdaq", "Momentum", "Treasury", "Volatility", "Energy", "Growth", "Bull", "Bear", "Gold")
_RANKINGS = (
    "rsi",
    "moving-average-return",
    "moving-average-return",
    "cumulative-return",
    "stdev-return",
    "max-drawdown",
)
_LEVELS: dict[str, tuple[str, ...]] = {
    "rsi": ("30", "31", "50", "60", "70", "75", "79", "80"),
    "cumulative-return": ("-12", "-5", "-1", "0", "1", "5.5", "8"),
    "moving-average-return": ("-0.1", "0", "0.05", "0.2"),
    "stdev-return": ("0.5", "1", "1.5", "3"),
    "max-drawdown": ("2", "5", "6", "12"),
}
"""Metrics in percent with the numbers that they are compared with."""
_SIGNALS = ("rsi", "rsi", "rsi", *_LEVELS, "price", "price")
_WINDOWS = (3, 5, 6, 10, 10, 10, 14, 20, 21, 45, 60, 90, 200)


@dataclass(frozen=True)
class Shape:
    """How much of what a symphony states. `ranked` of the `filters` rank portfolios; depth is in brackets."""

    ifs: int
    filters: int
    ranked: int
    groups: int
    depth: int
    symbols: int

    def scaled(self, by: float) -> "Shape":
        """A symphony of about `by` times this one's length."""
        ifs, filters, ranked, groups, symbols = (
            max(1, round(by * count)) for count in (self.ifs, self.filters, self.ranked, self.groups, self.symbols)
        )
        depth = max(14, round(self.depth * min(1.0, by**0.5)))
        return Shape(ifs, max(filters, ranked + 1), ranked, groups, depth, max(4, min(symbols, self.symbols)))


@dataclass(frozen=True)
class Manner:
    """What a symphony does besides its shape; by default it goes back to its target every day."""

    rebalance: str = ":rebalance-frequency :daily"
    guests: tuple[str, ...] = ()
    """Symbols that may be young or gone: only candidates of rankings, each beside at least two others."""
    long_windows: tuple[int, ...] = ()
    """Windows, in sessions, of what has no memory beyond them, besides the usual ones."""
    recursive_windows: tuple[int, ...] = _WINDOWS
    """Windows of what remembers: each takes fourteen times its length of bars to settle."""


LIKE_BIG = Shape(ifs=1000, filters=250, ranked=120, groups=660, depth=190, symbols=290)
BIG_BYTES = 2_000_000


@dataclass
class _Count:
    ifs: int = 0
    filters: int = 0
    ranked: int = 0
    groups: int = 0

    def plus(self, other: "_Count", times: int = 1) -> "_Count":
        return _Count(*(mine + times * theirs for mine, theirs in zip(astuple(self), astuple(other), strict=True)))


class SymphonyGenerator:
    """One symphony: a library of small parts, then a deep trunk of ifs whose branches repeat them."""

    def __init__(self, seed: int, shape: Shape, symbols: Sequence[str], manner: Manner | None = None) -> None:
        if len(symbols) < 4:
            raise ValueError("a symphony needs at least 4 symbols")
        self._random, self._shape = random.Random(seed), shape
        self._symbols = self._order(symbols)[: shape.symbols]
        self._manner = manner or Manner()
        self._position = {symbol: at for at, symbol in enumerate((*self._symbols, *self._manner.guests))}
        self._counts: dict[Form, _Count] = {}
        self._depths: dict[Form, int] = {}
        self._conditions = [self._condition() for _ in range(max(3, round(shape.ifs / 14)))]

    def text(self) -> str:
        """The symphony as text."""
        options: Form = ("{", ":asset-class", '"EQUITIES"', *self._manner.rebalance.split())
        return "".join(_printed(("(", "defsymphony", '"Generated"', options, self._trunk()), 0)) + "\n"

    # --- chance: only random() is used, whose sequence is the same everywhere

    def _below(self, limit: int) -> int:
        return int(self._random.random() * limit)

    def _pick[T](self, items: Sequence[T]) -> T:
        return items[self._below(len(items))]

    def _order[T](self, items: Sequence[T]) -> list[T]:
        keys = [self._random.random() for _ in items]
        return [items[at] for at in sorted(range(len(items)), key=keys.__getitem__)]

    # --- parts

    def _window(self, *, recursive: bool = False) -> Form:
        windows = self._manner.recursive_windows if recursive else (*_WINDOWS, *self._manner.long_windows)
        return ("{", ":window", str(self._pick(windows)))

    def _condition(self) -> Form:
        """A metric against a number or another symbol's, or a price against its average."""
        sign, kind = self._pick((">", "<", ">", "<", ">=", "<=")), self._pick(_SIGNALS)
        symbol, other = (f'"{self._pick(self._symbols[:25])}"' for _ in range(2))
        if kind == "price":
            average = self._pick(("moving-average-price", "exponential-moving-average-price"))
            window = self._window(recursive=average != "moving-average-price")
            return ("(", sign, ("(", "current-price", symbol), ("(", average, symbol, window))
        window = self._window(recursive=kind == "rsi")
        right: Form = self._pick(_LEVELS[kind]) if self._below(4) else ("(", kind, other, window)
        return ("(", sign, ("(", kind, symbol, window), right)

    def _asset(self, symbol: str) -> Form:
        at = self._position[symbol]
        label = f'"{_WORDS[at % 11]} {_WORDS[at // 11 % 11]} Shares {at} ETF"' if at % 9 else "nil"
        return ("(", "asset", f'"{symbol}"', label)

    def _any_asset(self) -> Form:
        return self._asset(self._pick(self._symbols))

    def _if(self, then: Form, otherwise: Form) -> Form:
        return ("(", "if", self._pick(self._conditions), ("[", then), ("[", otherwise))

    def _filter(self, children: Sequence[Form], keep: int) -> Form:
        end = "select-top" if self._below(3) else "select-bottom"
        measure = self._pick(_RANKINGS)
        short = measure == "rsi" or _of_portfolios(children)
        ranking: Form = ("(", measure, self._window(recursive=short))
        return ("(", "filter", ranking, ("(", end, str(keep)), ("[", *children))

    def _equal(self, *children: Form) -> Form:
        return ("(", "weight-equal", ("[", *children))

    def _group(self, child: Form) -> Form:
        return (
            "(",
            "group",
            f'"{self._pick(_WORDS)} {self._pick(_WORDS)} v{self._below(4)}"',
            ("[", self._equal(child)),
        )

    def _mix(self) -> Form:
        children = [self._any_asset() for _ in range(2 + self._below(3))]
        match self._below(3):
            case 0:
                return self._equal(*children)
            case 1:
                raw = [self._pick((0.2, 0.25, 0.5, 1)) for _ in children]
                percent = [round(100 * weight / sum(raw)) for weight in raw[:-1]]
                weights = [*percent, 100 - sum(percent)]
                parts = [part for weight, child in zip(weights, children, strict=True) for part in (str(weight), child)]
                return ("(", "weight-specified", *parts)
            case _:
                return ("(", "weight-inverse-volatility", str(self._pick(_WINDOWS)), ("[", *children))

    def _library(self, lists: list[list[str]]) -> list[Form]:
        """Parts that the trunk repeats; together with the long list they name every symbol."""
        scale = self._shape.ifs / LIKE_BIG.ifs
        filters = [self._filter([self._asset(s) for s in names], 1 + self._below(3)) for names in lists]
        mixes = [self._mix() for _ in range(max(1, round(8 * scale)))]
        leaves = [*filters, *mixes, *(self._any_asset() for _ in range(8))]
        choices: list[Form] = []
        for _ in range(max(1, round(22 * scale))):
            choices.append(self._if(self._pick(leaves), self._pick([*leaves, *choices[-4:]])))
        ranked = []
        for _ in range(max(1, round(14 * scale))):
            children = [self._pick([*choices, *choices, *filters, *mixes]) for _ in range(2 + self._below(3))]
            ranked.append(self._filter([self._group(child) for child in children], 1))
        ladders = []
        for _ in range(max(1, round(5 * scale))):
            rung = self._any_asset()
            for _ in range(4 + self._below(5)):
                rung = self._if(self._pick([*leaves, self._pick(ranked)]), self._equal(rung))
            ladders.append(rung)
        return [*filters, *mixes, *choices, *ranked, *ladders]

    def _candidate_lists(self, number: int) -> tuple[list[list[str]], list[str]]:
        """Lists of a few symbols that no other list has, and one long list with what remains."""
        rest, lists = self._order(self._symbols), []
        for left in range(number, 0, -1):
            size = max(2, len(rest) // (left + 8))
            lists.append((rest[:size] + self._symbols)[:size])
            rest = rest[size:]
        for at, guest in enumerate(self._manner.guests):
            lists[at % len(lists)].append(guest)
        return lists, rest or self._symbols

    # --- the whole

    def _trunk(self) -> Form:
        """Nested ifs down to the wanted depth. Branches take parts until every count is reached exactly."""
        rungs = max(1, (self._shape.depth - 4) // 4)
        branches: list[list[Form]] = [[self._any_asset()] for _ in range(rungs)]
        lists, long_list = self._candidate_lists(max(1, round(24 * self._shape.ifs / LIKE_BIG.ifs)))
        branches[0].append(self._filter([self._asset(symbol) for symbol in long_list], 5))
        wanted = _Count(self._shape.ifs - rungs, self._shape.filters - 1, self._shape.ranked, self._shape.groups)
        for part, at in self._placed(self._library(lists), rungs, wanted):
            branches[at].append(part)
        trunk = self._any_asset()
        for branch in reversed(branches):
            trunk = self._equal(self._if(self._equal(*branch), trunk))
        return trunk

    def _placed(self, library: list[Form], rungs: int, wanted: _Count) -> Iterator[tuple[Form, int]]:
        """Parts with the rung that each hangs on: all of the library once, then repeats, then what is missing."""
        refused = 0
        queue = self._order(library)
        while refused < 60:
            part = queue.pop() if queue else self._pick(library)
            left = wanted.plus(self._count(part), -1)
            at = self._rung_for(part, rungs)
            if at is None or min(left.ifs, left.ranked, left.groups - left.ranked, left.filters - left.ranked) < 0:
                refused += 1
                continue
            wanted = left
            yield part, at
        pair = [self._group(self._any_asset()), self._any_asset()]
        units = (
            (wanted.ranked, self._filter(pair, 1)),
            (wanted.filters - wanted.ranked, self._filter([self._any_asset() for _ in range(6)], 2)),
            (wanted.ifs, self._if(self._any_asset(), self._any_asset())),
            (wanted.groups - wanted.ranked, self._group(self._any_asset())),
        )
        for missing, part in units:
            for _ in range(missing):
                at = self._rung_for(part, rungs)
                yield part, 0 if at is None else at

    def _rung_for(self, part: Form, rungs: int) -> int | None:
        """A rung deep enough to be interesting and high enough for the part to end above the wanted depth."""
        room = (self._shape.depth - 8 - self._depth(part)) // 4
        return None if room < 1 else self._below(min(room, rungs))

    def _count(self, form: Form) -> _Count:
        if isinstance(form, str):
            return _Count()
        known = self._counts.get(form)
        if known is None:
            total = _Count()
            for item in form[1:]:
                total = total.plus(self._count(item))
            head = form[1] if form[0] == "(" else ""
            ranks = head == "filter" and _of_portfolios(form[4][1:])
            own = _Count(int(head == "if"), int(head == "filter"), int(ranks), int(head == "group"))
            known = self._counts[form] = total.plus(own)
        return known

    def _depth(self, form: Form) -> int:
        if isinstance(form, str):
            return 0
        known = self._depths.get(form)
        if known is None:
            known = self._depths[form] = 1 + max((self._depth(item) for item in form[1:]), default=0)
        return known


def _of_portfolios(candidates: Sequence[Form]) -> bool:
    return any(child[1] != "asset" for child in candidates)


def _printed(form: Form, column: int) -> Iterator[str]:
    """A form as the real files lay it out: on one line if it fits, otherwise one item a line, one column further in."""
    flat = _flat(form, _WIDTH - column)
    if isinstance(form, str) or flat is not None:
        yield str(form) if flat is None else flat
        return
    opener = str(form[0])
    yield opener
    for at, item in enumerate(form[1:]):
        if at:
            yield "\n" + " " * (column + 1)
        yield from _printed(item, column + 1)
    yield _CLOSER[opener]


def _flat(form: Form, room: int) -> str | None:
    """A form on one line, or None if it takes more room than there is."""
    if isinstance(form, str):
        return form if len(form) <= room else None
    parts: list[str] = []
    room -= 2
    for item in form[1:]:
        part = _flat(item, room)
        if part is None:
            return None
        room -= len(part) + 1
        parts.append(part)
    opener = str(form[0])
    pairs = [" ".join(parts[at : at + 2]) for at in range(0, len(parts), 2)] if opener == "{" else [" ".join(parts)]
    return opener + ", ".join(pairs) + _CLOSER[opener]


def symphony_of_size(size: int, seed: int, symbols: Sequence[str], manner: Manner | None = None) -> str:
    """A symphony of about `size` bytes, with the proportions of the big one."""
    by, best = size / BIG_BYTES, ""
    for _ in range(12):
        text = SymphonyGenerator(seed, LIKE_BIG.scaled(by), symbols, manner).text()
        best = min(best, text, key=lambda made: abs(len(made) - size))
        if abs(len(best) - size) < 0.05 * size:
            break
        by *= (size / len(text)) ** 0.7
    return best


def like_big(seed: int, symbols: Sequence[str]) -> str:
    """About 2 MB: 1,000 ifs, 250 filters of which 120 rank portfolios, 660 groups, 190 brackets deep, 290 symbols."""
    return SymphonyGenerator(seed, LIKE_BIG, symbols).text()


def read_symbols(where: str) -> list[str]:
    """Symbols from a Parquet file (a `symbol` column, or one column a symbol), a text file or a list with commas."""
    if where.endswith(".parquet"):
        import pyarrow.parquet as pq

        columns = pq.read_schema(where).names
        if "symbol" in columns:
            column = pq.read_table(where, columns=["symbol"])["symbol"].to_pylist()
            return sorted({str(symbol) for symbol in column})
        return [name for name in columns if name.lower() not in {"date", "__index_level_0__"}]
    text = Path(where).read_text("utf-8") if Path(where).is_file() else where
    return list(dict.fromkeys(text.replace(",", " ").split()))


def main(arguments: Sequence[str] | None = None) -> None:
    """The command line; see the top of the file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=1)
    size = parser.add_mutually_exclusive_group(required=True)
    size.add_argument("--like-big", action="store_true", help="the measured shape of a large real one, about 2 MB")
    size.add_argument("--size", type=int, help="bytes, about; 1000 to 3000000")
    parser.add_argument("--symbols-from", required=True, help="a Parquet file, a text file, or symbols with commas")
    parser.add_argument("-o", "--output", type=Path, required=True)
    given = parser.parse_args(arguments)
    symbols = read_symbols(given.symbols_from)
    text = like_big(given.seed, symbols) if given.like_big else symphony_of_size(given.size, given.seed, symbols)
    given.output.write_text(text, "utf-8")
    lines = text.count("\n")
    sys.stdout.write(f"{given.output}: {len(text)} bytes, {lines} lines\n")


if __name__ == "__main__":
    main()
