"""Weights (days by symbols) as the few bands a stacked chart can show: the largest, "Other" and cash, coloured."""

from collections.abc import Sequence
from dataclasses import dataclass
from zlib import crc32

import numpy as np

from alchemiser_cli.report.model import DemoReport
from alchemiser_cli.report.statistics import Floats

MOST_SYMBOLS = 12
PALETTE = tuple(f"s{number}" for number in range(12))
"""Names of colours (page.css)."""
BILLS = ("bill0", "bill1", "bill2")
OTHER, CASH = "other", "cash"
CASH_LIKE = frozenset(
    {
        *("BIL", "BILS", "BILZ", "BOXX", "CLIP", "CLTL", "GBIL", "ICSH", "SGOV", "SHV", "TBIL", "TBLL", "TFLO"),
        *("USFR", "VBIL", "WEEK", "XBIL", "XHLF"),
    }
)
"""Funds of bills and of what is as short: to hold one is to wait, so it is as quiet as cash."""


@dataclass(frozen=True, slots=True, eq=False)
class Band:
    """One layer: a symbol, the rest or cash; `weights` (days,) are fractions of equity."""

    name: str
    weights: Floats
    colour: str


def bands(symbols: Sequence[str], weights: Floats) -> tuple[Band, ...]:
    """The symbols of the largest mean weight first, "Other" if there are more, then what is cash-like, and "Cash"."""
    order = sorted(range(len(symbols)), key=lambda index: (-float(weights[:, index].mean()), symbols[index]))
    held = [index for index in order if weights[:, index].any()]
    waiting = [index for index in held if symbols[index] in CASH_LIKE]
    risky = [index for index in held if index not in waiting]
    shown, rest = risky[:MOST_SYMBOLS], risky[MOST_SYMBOLS:]
    colours = colours_of([symbols[index] for index in (*shown, *waiting)])
    layers = [Band(symbols[index], weights[:, index], colours[symbols[index]]) for index in shown]
    if rest:
        layers.append(Band(f"Other ({len(rest)})", weights[:, rest].sum(axis=1), OTHER))
    layers += [Band(symbols[index], weights[:, index], colours[symbols[index]]) for index in waiting]
    cash = np.clip(1 - weights.sum(axis=1), 0.0, None)
    if (cash > 5e-5).any():
        layers.append(Band("Cash", cash, CASH))
    return tuple(layers)


def colours_of(symbols: Sequence[str]) -> dict[str, str]:
    """A colour's name each, never twice among `symbols` up to the palette; what is cash-like takes a quiet one.

    A symbol mostly keeps its own on every page.
    """
    taken: dict[str, int] = {}
    for symbol in sorted(symbol for symbol in symbols if symbol not in CASH_LIKE):
        wanted = crc32(symbol.encode("utf-8", "surrogatepass")) % len(PALETTE)
        used = set(taken.values())
        probes = ((wanted + step) % len(PALETTE) for step in range(len(PALETTE)))
        taken[symbol] = next((probe for probe in probes if probe not in used), wanted)
    waiting = sorted(symbol for symbol in symbols if symbol in CASH_LIKE)
    quiet = {symbol: BILLS[index % len(BILLS)] for index, symbol in enumerate(waiting)}
    return {symbol: PALETTE[index] for symbol, index in taken.items()} | quiet


def weights_matrix(report: DemoReport) -> tuple[tuple[str, ...], Floats]:
    """A demo's symbols, sorted, and their weights (sessions, symbols)."""
    symbols = tuple(sorted({symbol for row in report.rows for symbol, _ in row.weights}))
    column = {symbol: index for index, symbol in enumerate(symbols)}
    matrix = np.zeros((len(report.rows), len(symbols)))
    for line, row in enumerate(report.rows):
        for symbol, weight in row.weights:
            matrix[line, column[symbol]] = weight
    return symbols, matrix
