"""The pages in a real browser: charts drawn, figures shown, nothing fetched, no complaint, and no foreign script."""

import os
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest

from alchemiser_cli.report import backtest_page, demo_page
from alchemiser_cli.report.model import BacktestReport, Delivery, DemoReport, OrderRow, SessionRow
from alchemiser_common.ids import Side
from e2e.report.browser import Tab, browser, browser_path

PATH = browser_path()
pytestmark = pytest.mark.skipif(
    PATH is None and "CI" not in os.environ, reason="no Chromium or Chrome on this machine to open the pages in"
)
START = date(2025, 1, 6)
HOSTILE = "<img src=x onerror=\"document.title='taken'\"><script>document.title='taken'</script>"


@pytest.fixture(scope="module")
def tab() -> Iterator[Tab]:
    assert PATH is not None
    with browser(PATH) as opened:
        yield opened


def demo(symbols: tuple[str, str] = ("SPY", "TLT"), title: str = "A small demo") -> DemoReport:
    rows = []
    for index in range(12):
        day = START + timedelta(days=index)
        orders = tuple(
            OrderRow(day, symbol, side, Decimal(10 + index), Decimal("100.05"), Decimal(100), Decimal(5), 2, 7.5)
            for symbol, side in zip(symbols, Side, strict=True)
        )
        held = ((symbols[0], 0.6), (symbols[1], 0.3))
        rows.append(SessionRow(day, 100_000.0 + 250 * index, 10_000.0, held, orders, "completed", f"run-{index}"))
    return DemoReport(
        title=title,
        notice="The bundled market is a model.",
        source="a model",
        rows=tuple(rows),
        initial_equity=100_000.0,
        settings=("bar policy: completed",),
        delivery=Delivery(messages_delivered=48, messages=24, orders_placed=24, duplicates=0),
    )


def backtest() -> BacktestReport:
    days = tuple(START + timedelta(days=index) for index in range(500))
    wave = np.exp(0.002 * np.arange(500) + 0.1 * np.sin(np.arange(500) / 20))
    weights = np.zeros((500, 3))
    weights[np.arange(500), np.arange(500) // 50 % 3] = 1.0
    return BacktestReport(
        title="A wave",
        strategies=(("wave", 1.0),),
        days=days,
        equity=10_000 * wave,
        weights=weights,
        symbols=("SPY", "TLT", "GLD"),
        costs_bps=5,
        fill="close",
        traded=np.zeros(500),
    )


def shown(tab: Tab, page: str, path: Path, *, width: int = 1200, dark: bool = False) -> None:
    path.write_text(page, encoding="utf-8")
    tab.errors.clear()
    tab.requests.clear()
    tab.open(path, width=width, dark=dark)
    assert tab.errors == []
    assert set(tab.requests) == {path.as_uri()}, "the page must not ask for anything but itself"


def texts(tab: Tab, selector: str) -> list[str]:
    found = tab.evaluate(f"[...document.querySelectorAll({selector!r})].map(each => each.textContent.trim())")
    assert isinstance(found, list)
    return found


def test_a_demo_shows_its_figures_and_sorts_its_orders(tab: Tab, tmp_path: Path) -> None:
    shown(tab, demo_page.render(demo()), tmp_path / "demo.html")
    assert tab.evaluate("document.querySelectorAll('.js-plotly-plot .main-svg').length > 4")
    assert tab.evaluate("document.querySelectorAll('.js-plotly-plot').length") == 4
    tiles = dict(zip(texts(tab, ".tile .label"), texts(tab, ".tile .value"), strict=True))
    assert tiles["Equity"] == "$102,750.00"
    assert tiles["Return"] == "+2.75%"
    assert tiles["Duplicate orders"] == "0"
    first = "document.querySelector('#orders-title ~ .scroll tbody tr').cells[3].textContent"
    assert tab.evaluate(first) == "21"
    tab.evaluate("document.querySelector('#orders-title ~ .scroll thead').rows[0].cells[3].firstElementChild.click()")
    assert tab.evaluate(first) == "10"
    assert tab.evaluate("document.querySelector('th[aria-sort]').getAttribute('aria-sort')") == "ascending"


def test_a_backtest_shows_its_statistics_and_a_log_axis_on_demand(tab: Tab, tmp_path: Path) -> None:
    shown(tab, backtest_page.render(backtest()), tmp_path / "backtest.html")
    assert tab.evaluate("document.querySelectorAll('.js-plotly-plot').length") == 3, (
        "equity, rolling Sharpe ratio, weights"
    )
    assert "Sharpe ratio" in texts(tab, ".facts th")
    tab.evaluate("document.querySelector('[data-scale=log]').click()")
    assert tab.evaluate("document.getElementById('equity').layout.yaxis.type") == "log"
    assert texts(tab, "[aria-pressed=true]") == ["Log"]
    assert tab.errors == []


def test_a_phone_does_not_scroll_sideways_and_the_dark_scheme_is_followed(tab: Tab, tmp_path: Path) -> None:
    for page, dark in ((demo_page.render(demo()), False), (backtest_page.render(backtest()), True)):
        shown(tab, page, tmp_path / "page.html", width=390, dark=dark)
        assert tab.evaluate("document.documentElement.scrollWidth") == 390
        ground = str(tab.evaluate("getComputedStyle(document.body).backgroundColor"))
        assert (ground == "rgb(16, 20, 25)") is dark


def test_hostile_texts_are_shown_and_do_nothing(tab: Tab, tmp_path: Path) -> None:
    link = "<a href='javascript:alert(1)'>SPY</a>"
    report = replace(
        demo((link, "</script><b>TLT"), title=HOSTILE), settings=(HOSTILE,), notice=HOSTILE, source=HOSTILE
    )
    shown(tab, demo_page.render(report), tmp_path / "hostile.html")
    assert tab.evaluate("document.title") == f"{HOSTILE} · Alchemiser"
    assert texts(tab, "h1") == [HOSTILE]
    assert tab.evaluate("document.querySelectorAll('img, b, a:not(.skip), svg a').length") == 0
    assert any(link[:12] in text for text in texts(tab, ".legend li"))


def test_a_foreign_script_would_not_run(tab: Tab, tmp_path: Path) -> None:
    page = demo_page.render(demo()).replace("</footer>", "</footer><script>document.title='taken'</script>")
    path = tmp_path / "tampered.html"
    path.write_text(page, encoding="utf-8")
    tab.open(path)
    assert tab.evaluate("document.title") == "A small demo · Alchemiser"
