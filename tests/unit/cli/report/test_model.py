"""Reports that do not fit together are refused by part and value."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from math import nan

import numpy as np
import pytest

from alchemiser_cli.report.allocation import (
    BILLS,
    CASH,
    MOST_SYMBOLS,
    OTHER,
    PALETTE,
    bands,
    colours_of,
    weights_matrix,
)
from alchemiser_cli.report.errors import UnusableReport, UnusableSeries
from alchemiser_cli.report.model import BacktestReport, Delivery, DemoReport, OrderRow, SessionRow
from alchemiser_common.ids import Side

DAY = date(2025, 1, 6)
ROW = SessionRow(DAY, 100.0, 10.0, (("SPY", 0.9),), (), "completed", "run-1")
FRIDAY = date(2025, 1, 3)
DEMO = DemoReport("Demo", "", "model", (ROW,), FRIDAY, 100.0, (), Delivery(4, 2, 0, 0))
BACKTEST = BacktestReport(
    "Backtest",
    (("x", 1.0),),
    (DAY, DAY + timedelta(1)),
    np.array([1.0, 2.0]),
    np.ones((2, 1)),
    ("SPY",),
    5,
    "close",
    traded=np.zeros(2),
)

REFUSED: list[tuple[Callable[[], object], str]] = [
    (lambda: replace(ROW, equity=0.0), "session 2025-01-06: equity is 0.0"),
    (lambda: replace(ROW, weights=(("SPY", nan),)), "weight of SPY is nan"),
    (lambda: replace(ROW, weights=(("SPY", 0.1), ("SPY", 0.2))), "weights name SPY more than once"),
    (lambda: replace(DEMO, rows=()), "needs at least one session"),
    (lambda: replace(DEMO, base=DAY - timedelta(1)), "base is Sun 2025-01-05, it must be a session before 2025-01-06"),
    (lambda: replace(DEMO, base=DAY), "base is Mon 2025-01-06"),
    (lambda: replace(DEMO, rows=(ROW, ROW)), "session 2025-01-06 follows 2025-01-06"),
    (lambda: replace(DEMO, initial_equity=-1.0), "initial equity is -1.0"),
    (lambda: replace(BACKTEST, weights=np.ones((2, 2))), r"weights have shape \(2, 2\)"),
    (lambda: replace(BACKTEST, weights=np.full((2, 1), nan)), "weights must be finite"),
    (lambda: replace(BACKTEST, symbols=("SPY", "SPY"), weights=np.zeros((2, 2))), "symbols appear more than once"),
    (lambda: replace(BACKTEST, traded=np.zeros(3)), r"traded has shape \(3,\)"),
]


@pytest.mark.parametrize(("make", "words"), REFUSED, ids=[words for _, words in REFUSED])
def test_a_report_that_does_not_fit_together_is_refused(make: Callable[[], object], words: str) -> None:
    with pytest.raises(UnusableReport, match=words):
        make()


def test_a_curve_that_means_nothing_is_refused() -> None:
    with pytest.raises(UnusableSeries, match="equity of 2025-01-07 is nan"):
        replace(BACKTEST, equity=np.array([1.0, nan]))
    with pytest.raises(UnusableSeries, match="there are 2 days"):
        replace(BACKTEST, equity=np.ones(3))


def test_a_session_exchanged_the_larger_of_what_it_bought_and_sold() -> None:
    sold, bought = (
        OrderRow(DAY, "SPY", side, Decimal(quantity), Decimal(2), None, None, 1, 1.0)
        for side, quantity in ((Side.SELL, 20), (Side.BUY, 5))
    )
    assert replace(ROW, orders=(sold, bought)).traded == pytest.approx(0.4)
    assert ROW.traded == 0


def test_a_demo_starts_from_its_initial_equity_after_the_session_before() -> None:
    days, equity = replace(DEMO, initial_equity=80.0).curve
    assert days == (FRIDAY, DAY)
    assert equity.tolist() == [80.0, 100.0]


def test_weights_of_sessions_become_a_matrix_with_zeros() -> None:
    later = replace(ROW, day=DAY + timedelta(1), weights=(("TLT", 0.5), ("GLD", 0.5)))
    symbols, matrix = weights_matrix(replace(DEMO, rows=(ROW, later)))
    assert symbols == ("GLD", "SPY", "TLT")
    assert matrix.tolist() == [[0.0, 0.9, 0.0], [0.5, 0.0, 0.5]]


def test_the_smallest_holdings_share_a_band_and_bands_add_up_to_equity() -> None:
    number = MOST_SYMBOLS + 3
    row = np.linspace(1, 2, number)
    weights = np.array([row / row.sum() * 0.9, np.zeros(number)])
    layers = bands([f"S{index:02d}" for index in range(number)], weights)
    assert len(layers) == MOST_SYMBOLS + 2
    assert (layers[-2].name, layers[-2].colour, layers[-1].name) == ("Other (3)", OTHER, "Cash")
    assert layers[0].name == f"S{number - 1}"
    assert sum(layer.weights for layer in layers) == pytest.approx(np.ones(2))


def test_what_is_cash_like_lies_beside_cash_in_a_quiet_colour() -> None:
    layers = bands(["BIL", "SPY", "SGOV", "SHV", "TLT"], np.tile([0.5, 0.2, 0.1, 0.05, 0.1], (2, 1)))
    assert [layer.name for layer in layers] == ["SPY", "TLT", "BIL", "SGOV", "SHV", "Cash"]
    assert [layer.colour for layer in layers[2:]] == [BILLS[0], BILLS[1], BILLS[2], CASH]
    assert set(PALETTE).isdisjoint({*BILLS, CASH})


def test_colours_are_stable_and_never_shared() -> None:
    symbols = [f"S{index}" for index in range(len(PALETTE))]
    colours = colours_of(symbols)
    assert len(set(colours.values())) == len(PALETTE)
    assert colours == colours_of(list(reversed(symbols)))
    assert colours_of(["TECL"])["TECL"] == colours_of(["TECL", "ZZZ"])["TECL"]
