"""Tables in the terminal: the page's figures, short, and without reading markup from data."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import numpy as np
from rich.console import Console, RenderableType

from alchemiser_cli.report import terminal
from alchemiser_cli.report.model import BacktestReport, Delivery, DemoReport, OrderRow, SessionRow
from alchemiser_common.ids import Side

START = date(2025, 1, 6)


def printed(table: RenderableType) -> str:
    console = Console(width=120)
    with console.capture() as caught:
        console.print(table)
    return caught.get()


def rows(number: int) -> tuple[SessionRow, ...]:
    order = OrderRow(START, "SPY", Side.BUY, Decimal(1), Decimal(10), Decimal(10), Decimal(2), 1, 1.0)
    held = tuple((f"S{index}", 0.1) for index in range(6))
    days = [START + timedelta(days=index) for index in range(number)]
    return tuple(SessionRow(day, 1000.0 + day.day, 0.0, held, (order,), "completed", "run") for day in days)


def test_a_long_demo_shows_its_first_and_last_sessions() -> None:
    report = DemoReport(
        "Demo", "A model [not] data.", "model", rows(20), date(2025, 1, 3), 1000.0, (), Delivery(80, 40, 20, 0)
    )
    text = printed(terminal.demo(report))
    assert "12 more" in text
    assert "2025-01-06" in text
    assert "2025-01-25" in text
    assert "2025-01-12" not in text
    assert "S0 10%, S1 10%, S2 10%, S3 10%, 2 more" in text
    assert "Duplicate orders" in text
    assert "A model [not] data." in text


def test_a_short_demo_shows_every_session_and_cash_when_nothing_is_held() -> None:
    text = printed(terminal.sessions([replace(row, weights=(), status="[red]odd") for row in rows(9)]))
    assert "more" not in text
    assert text.count("cash") == 9
    assert "[red]odd" in text


def test_a_backtest_prints_its_statistics() -> None:
    days = tuple(START + timedelta(days=index) for index in range(3))
    equity, weights = np.array([1.0, 0.9, 1.2]), np.array([[0.0], [1.0], [0.5]])
    report = BacktestReport(
        "Test",
        (("[x]", 1.0),),
        days,
        equity,
        weights,
        ("SPY",),
        5,
        "next-open",
        np.array([9.0, 0.1, 0.3]),
        notice="Past.",
    )
    text = printed(terminal.backtest(report))
    assert "[x] 100%, 2025-01-06 to 2025-01-08" in text
    assert "+20.00%" in text
    assert "2025-01-06 to 2025-01-07, back on 2025-01-08" in text
    assert "20.00%" in text, "one-way turnover; the first day only starts the curve"
    assert "next-open" in text
    assert "Past." in text
