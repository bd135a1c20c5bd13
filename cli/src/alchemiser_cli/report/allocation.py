"""Weights (days by symbols) as the few bands a stacked chart can show: the largest, "Other" and cash, coloured."""

from collections.abc import Sequence
from dataclasses import dataclass
from zlib import crc32

import numpy as np

from alchemiser_cli.report.model import DemoReport
from alchemiser_cli.report.statistics import Floats

MOST_SYMBOLS = 12
PALETTE = (
    "#3b7dd8",
    "#d9713c",
    "#2f9e77",
    "#8a6bd1",
    "#b98412",
    "#d0587e",
    "#2b9bb8",
    "#7f9a35",
    "#b55fc0",
    "#a1754f",
    "#5f6fe0",
    "#c4504a",
)
OTHER, CASH = "#838b98", "#b9c0ca"


@dataclass(frozen=True, slots=True, eq=False)
class Band:
    """One layer: a symbol, the rest or cash; `weights` (days,) are fractions of equity."""

    name: str
    weights: Floats
    colour: str


def bands(symbols: Sequence[str], weights: Floats) -> tuple[Band, ...]:
    """The symbols of the largest mean weight first, then "Other" and "Cash" where there are any."""
    order = sorted(range(len(symbols)), key=lambda index: (-float(weights[:, index].mean()), symbols[index]))
    held = [index for index in order if weights[:, index].any()]
    shown, rest = held[:MOST_SYMBOLS], held[MOST_SYMBOLS:]
    colours = colours_of([symbols[index] for index in shown])
    layers = [Band(symbols[index], weights[:, index], colours[symbols[index]]) for index in shown]
    if rest:
        layers.append(Band(f"Other ({len(rest)})", weights[:, rest].sum(axis=1), OTHER))
    cash = np.clip(1 - weights.sum(axis=1), 0.0, None)
    if (cash > 5e-5).any():
        layers.append(Band("Cash", cash, CASH))
    return tuple(layers)


def colours_of(symbols: Sequence[str]) -> dict[str, str]:
    """A colour each, never twice among `symbols` (up to the palette): a symbol mostly keeps its own on every page."""
    taken: dict[str, int] = {}
    for symbol in sorted(symbols):
        wanted = crc32(symbol.encode("utf-8", "surrogatepass")) % len(PALETTE)
        used = set(taken.values())
        probes = ((wanted + step) % len(PALETTE) for step in range(len(PALETTE)))
        taken[symbol] = next((probe for probe in probes if probe not in used), wanted)
    return {symbol: PALETTE[index] for symbol, index in taken.items()}


def weights_matrix(report: DemoReport) -> tuple[tuple[str, ...], Floats]:
    """A demo's symbols, sorted, and their weights (sessions, symbols)."""
    symbols = tuple(sorted({symbol for row in report.rows for symbol, _ in row.weights}))
    column = {symbol: index for index, symbol in enumerate(symbols)}
    matrix = np.zeros((len(report.rows), len(symbols)))
    for line, row in enumerate(report.rows):
        for symbol, weight in row.weights:
            matrix[line, column[symbol]] = weight
    return symbols, matrix
