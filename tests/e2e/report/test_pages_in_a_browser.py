"""The pages in a real browser: charts, figures, keys, phone, dark, print, a server; nothing foreign runs."""

import os
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import numpy as np
import pytest

from alchemiser_cli.report import backtest_page, charts, demo_page
from alchemiser_cli.report.model import BacktestReport, Delivery, DemoReport, OrderRow, SessionRow
from alchemiser_cli.report.page import assets, policy
from alchemiser_cli.report.page import page as page_of
from alchemiser_cli.report.statistics import drawdowns
from alchemiser_common.ids import Side
from alchemiser_common.messages.decision import ConditionStep, Explanation, Signal, SignalStatus
from alchemiser_common.messages.snapshot import TargetWeight
from e2e.report.browser import BROKEN_WORDS, CUT_OFF, Tab, browser, browser_path

PATH = browser_path()
pytestmark = pytest.mark.skipif(
    PATH is None and "CI" not in os.environ, reason="no Chromium or Chrome on this machine to open the pages in"
)
START, BASE = date(2025, 1, 6), date(2025, 1, 3)
HOSTILE = "<img src=x onerror=\"document.title='taken'\"><script>document.title='taken'</script>"

SIGNAL = Signal(
    strategy="leader",
    allocation=1,
    status=SignalStatus.TARGET,
    weights=(TargetWeight(symbol="SPY", weight=0.6), TargetWeight(symbol="TLT", weight=0.3)),
    explanation=Explanation(
        summary="",
        steps=(ConditionStep(text="rsi(SPY, 10) > 79", left=62.3, right=79, holds=False, margin=-16.7, fragile=True),),
    ),
)


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
        equity = 100_000.0 + 250 * index
        reasons = (SIGNAL,)
        row = SessionRow(day, equity, 10_000.0, held, orders, "completed", f"run-{index}", signals=reasons, as_of=BASE)
        rows.append(replace(row, reason="buy TLT: partial, cut from 876.688946 to 875.593402 shares: cash falls short"))
    return DemoReport(
        title=title,
        notice="The bundled market is a model.",
        source="a model",
        rows=tuple(rows),
        base=BASE,
        initial_equity=100_000.0,
        settings=("bar policy: completed",),
        delivery=Delivery(messages_delivered=48, messages=24, orders_placed=24, duplicates=0),
    )


def backtest(days: int = 500) -> BacktestReport:
    wave = np.exp(0.002 * np.arange(days) + 0.1 * np.sin(np.arange(days) / 20))
    weights = np.zeros((days, 3))
    weights[np.arange(days), np.arange(days) // 50 % 3] = 1.0
    return BacktestReport(
        title="A wave",
        strategies=(("wave", 1.0),),
        days=tuple(START + timedelta(days=index) for index in range(days)),
        equity=wave,
        weights=weights,
        symbols=("SPY", "BIL", "GLD"),
        costs_bps=5,
        fill="close",
        traded=np.zeros(days),
        remarks=("3 of 4 symbols had too few bars on 2025-01-06; they count in full since: IWM 2025-03-31",),
    )


def shown(tab: Tab, page: str, path: Path, *, width: int = 1200, dark: bool = False) -> None:
    path.write_text(page, encoding="utf-8")
    tab.errors.clear()
    tab.requests.clear()
    tab.open(path, width=width, dark=dark)
    assert tab.errors == []
    assert set(tab.requests) == {path.as_uri()}, "the page must not ask for anything but itself"


PLOTS = "[...document.querySelectorAll('.chart')].map(each => each.plot)"
OVER_DAYS = f"{PLOTS}.filter(each => each.root.parentElement.id !== 'slippage')"
EQUITY = "document.getElementById('equity').plot"
PAGE = "JSON.parse(document.getElementById('figures').textContent)"
TODAY = """{% extends "base.html" %}{% import "parts.html" as parts with context %}
{% block kind %}dashboard{% endblock %}{% block content %}{{ parts.chart(figures["drawdown"]) }}{% endblock %}"""


def texts(tab: Tab, selector: str) -> list[str]:
    found = tab.evaluate(f"[...document.querySelectorAll({selector!r})].map(each => each.textContent.trim())")
    assert isinstance(found, list)
    return found


def test_a_demo_shows_its_figures_and_sorts_its_orders(tab: Tab, tmp_path: Path) -> None:
    shown(tab, demo_page.render(demo()), tmp_path / "demo.html")
    assert tab.evaluate("document.querySelectorAll('.chart canvas').length") == 4
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
    assert tab.evaluate("document.querySelectorAll('.chart canvas').length") == 4
    assert "Sharpe ratio" in texts(tab, ".facts dt")
    assert texts(tab, "[data-scale][aria-pressed=true]") == ["Linear"]
    assert tab.evaluate(f"{EQUITY}.scales.y.distr") == 1
    tab.evaluate("document.querySelector('[data-scale=log]').click()")
    assert tab.evaluate(f"{EQUITY}.scales.y.distr") == 3
    assert texts(tab, "[data-scale][aria-pressed=true]") == ["Log"]
    assert tab.errors == []


def test_a_long_span_opens_in_log_and_can_be_switched(tab: Tab, tmp_path: Path) -> None:
    shown(tab, backtest_page.render(backtest(1500)), tmp_path / "backtest.html")
    assert tab.evaluate(f"{EQUITY}.scales.y.distr") == 3
    assert texts(tab, "[data-scale][aria-pressed=true]") == ["Log"]
    tab.evaluate("document.querySelector('[data-scale=linear]').click()")
    assert tab.evaluate(f"{EQUITY}.scales.y.distr") == 1


@pytest.mark.parametrize("width", [390, 1200])
def test_charts_share_margins_and_the_day_that_is_pointed_at(tab: Tab, tmp_path: Path, width: int) -> None:
    for number, text in enumerate((demo_page.render(demo()), backtest_page.render(backtest()))):
        shown(tab, text, tmp_path / f"page{number}.html", width=width)
        margins = tab.evaluate(f"{OVER_DAYS}.map(each => [each.over.offsetLeft, each.over.clientWidth])")
        assert isinstance(margins, list)
        assert len(margins) >= 3
        assert len({tuple(margin) for margin in margins}) == 1, margins
        over = "document.querySelector('#equity .u-over').getBoundingClientRect()"
        box = tab.evaluate(f"[{over}.x, {over}.y, {over}.width]")
        assert isinstance(box, list)
        tab.point(box[0] + box[2] * 0.4, box[1] + 20)
        pointed = texts(tab, ".readout > span:first-child")
        assert len(set(pointed)) == 1, pointed
        assert len(pointed) == len(margins)
        tab.evaluate("document.getElementById('equity').focus()")
        tab.press("Home")
        tab.press("ArrowRight")
        second = tab.evaluate(f"{PAGE}.days[1]")
        assert all(text.startswith(str(second)) for text in texts(tab, ".readout > span:first-child"))
        told = str(tab.evaluate("document.getElementById('drawdown').getAttribute('aria-valuetext')"))
        assert told.startswith(str(second)), "a screen reader hears it"
        assert "Drawdown " in told
        assert tab.errors == []


def test_every_axis_says_its_unit_and_is_marked_on_sessions_only(tab: Tab, tmp_path: Path) -> None:
    for text in (demo_page.render(demo()), backtest_page.render(backtest(1500))):
        shown(tab, text, tmp_path / "page.html")
        labels = tab.evaluate(f"{PLOTS}.flatMap(each => each.axes.map(axis => axis.label))")
        assert isinstance(labels, list)
        assert len(labels) == 8
        assert all(label.endswith(")") and "(" in label for label in labels), labels
        off = f"{OVER_DAYS}.flatMap(each => each.axes[0]._splits.filter(time => !each.data[0].includes(time)))"
        assert tab.evaluate(off) == []
        marks = tab.evaluate(f"{OVER_DAYS}.map(each => each.axes[0]._values)")
        assert isinstance(marks, list)
        assert all(len(texts) >= 2 for texts in marks), marks


def test_a_phone_does_not_scroll_sideways_and_breaks_no_word(tab: Tab, tmp_path: Path) -> None:
    for text, dark in ((demo_page.render(demo()), False), (backtest_page.render(backtest()), True)):
        shown(tab, text, tmp_path / "page.html", width=390, dark=dark)
        assert tab.evaluate("document.documentElement.scrollWidth") == 390
        ground = str(tab.evaluate("getComputedStyle(document.body).backgroundColor"))
        assert (ground == "rgb(16, 20, 25)") is dark
        tab.evaluate("document.querySelectorAll('details').forEach(each => { each.open = true; })")
        assert tab.evaluate(BROKEN_WORDS) == []
        assert tab.evaluate(CUT_OFF) == []
        narrow = "[...document.querySelectorAll('.facts .note, td:has(.why)')].map(each => each.clientWidth)"
        widths = tab.evaluate(narrow)
        assert isinstance(widths, list)
        assert min(widths) > 300, "notes have the page's width"


@pytest.mark.parametrize("width", [320, 768, 1000, 1200])
def test_nothing_is_cut_at_an_edge_on_any_screen(tab: Tab, tmp_path: Path, width: int) -> None:
    for text in (demo_page.render(demo()), backtest_page.render(backtest())):
        shown(tab, text, tmp_path / "page.html", width=width)
        assert tab.evaluate(CUT_OFF) == []
        assert tab.evaluate(BROKEN_WORDS) == []


def test_what_is_cash_like_is_neither_red_nor_loud(tab: Tab, tmp_path: Path) -> None:
    for dark in (False, True):
        shown(tab, backtest_page.render(backtest()), tmp_path / "page.html", dark=dark)
        style = "getComputedStyle([...document.querySelectorAll('.legend li')].find(each => "
        style += (
            "each.textContent.includes('BIL')).querySelector('.swatch')).backgroundColor.match(/[0-9]+/g).map(Number)"
        )
        channels = tab.evaluate(style)
        assert isinstance(channels, list)
        red, green, blue = channels
        assert max(red, green, blue) - min(red, green, blue) < 40, "grey"
        assert red <= blue


def test_a_change_of_scheme_and_a_print_redraw_the_charts(tab: Tab, tmp_path: Path) -> None:
    shown(tab, backtest_page.render(backtest()), tmp_path / "page.html")
    stroke = f"{EQUITY}.series[1]._stroke"
    light = tab.evaluate(stroke)
    tab.scheme(dark=True)
    assert tab.evaluate(f"new Promise(done => setTimeout(() => done({stroke}), 100))") not in {light, ""}
    assert tab.print().startswith(b"%PDF")
    tab.scheme(dark=False)
    assert tab.evaluate(f"new Promise(done => setTimeout(() => done({stroke}), 100))") == light
    assert tab.errors == []


@pytest.mark.parametrize("days", [0, 1, 2, 30])
def test_an_account_of_few_days_is_drawn_without_complaint(tab: Tab, tmp_path: Path, days: int) -> None:
    (tmp_path / "few.html").write_text(
        """{% extends "base.html" %}{% import "parts.html" as parts with context %}{% block kind %}few{% endblock %}
{% block content %}{% for figure in figures.values() %}{{ parts.chart(figure) }}{% endfor %}{% endblock %}"""
    )
    flat = np.full(days, 1000.0)
    traded = tuple(float(day) if day % 2 else None for day in range(days))
    figures = [
        charts.equity(flat, alt="a", caption="b", unit=charts.Unit.USD, beside=("SPY", flat)),
        charts.drawdown(flat - 1000, alt="a", caption="b"),
        charts.bars(
            [charts.Series("monolith", charts.LINE, traded)],
            charts.Axis("Filled", charts.Unit.LEGS),
            key="authority",
            title="Who traded",
            alt="a",
            caption="b",
        ),
    ]
    dates = [START + timedelta(days=day) for day in range(days)]
    text = page_of("few.html", title="Few", days=dates, figures=figures, folder=str(tmp_path))
    shown(tab, text, tmp_path / "page.html")
    tab.evaluate("document.querySelector('[data-scale=log]').click()")
    tab.evaluate("document.getElementById('drawdown').focus()")
    tab.press("ArrowLeft")
    assert tab.errors == []
    told = texts(tab, "#equity-readout")
    assert ("$1,000.00" in told[0]) is (days > 0)


def test_one_layer_can_be_seen_alone(tab: Tab, tmp_path: Path) -> None:
    shown(tab, backtest_page.render(backtest()), tmp_path / "page.html")
    assert texts(tab, "[data-lit][aria-pressed=true]") == []
    tab.evaluate("document.querySelector('[data-lit]').click()")
    assert len(texts(tab, "[data-lit][aria-pressed=true]")) == 1
    fills = "document.getElementById('weights').plot.series.slice(1).map(each => each._fill)"
    drawn = tab.evaluate(f"new Promise(done => setTimeout(() => done({fills}), 100))")
    assert isinstance(drawn, list)
    assert sum("color-mix" in fill for fill in drawn) == len(drawn) - 1
    tab.evaluate("document.querySelector('[data-lit]').click()")
    assert texts(tab, "[data-lit][aria-pressed=true]") == []


def test_a_session_leads_to_the_reasons_of_its_run(tab: Tab, tmp_path: Path) -> None:
    shown(tab, demo_page.render(demo()), tmp_path / "demo.html", width=390)
    place = "document.getElementById('why-run-7')"
    assert tab.evaluate(f"{place}.checkVisibility()") is False
    links = "[...document.querySelectorAll('#runs-title ~ .scroll a')]"
    tab.evaluate(f"{links}.find(each => each.textContent === '2025-01-13').click()")
    assert tab.evaluate(f"new Promise(done => setTimeout(() => done({place}.checkVisibility()), 100))") is True
    assert "rsi(SPY, 10) > 79" in str(tab.evaluate(f"{place}.textContent"))
    assert tab.errors == []


@contextmanager
def served(pages: dict[str, str]) -> Iterator[tuple[str, Counter[str]]]:
    """A server of the pages and of what they share; how often each was asked for."""
    asked: Counter[str] = Counter()
    shared = {f"/assets/{asset.name}": asset for asset in assets().values()}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked[self.path] += 1
            asset = shared.get(self.path)
            text = asset.text if asset else pages.get(self.path, "")
            self.send_response(200 if text else 404)
            self.send_header("Content-Type", asset.media_type if asset else "text/html; charset=utf-8")
            if asset:
                self.send_header("Cache-Control", "public, max-age=31536000, immutable")
            else:
                self.send_header("Content-Security-Policy", str(policy(served=True)))
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_server_s_pages_load_the_library_once(tab: Tab, tmp_path: Path) -> None:
    report = demo()
    days, equity = report.curve
    (tmp_path / "today.html").write_text(TODAY)
    figures = [charts.drawdown(drawdowns(equity), alt="a", caption="b")]
    today = page_of("today.html", title="Today", days=days, figures=figures, folder=str(tmp_path), assets_at="/assets/")
    with served({"/one": today, "/two": today}) as (address, asked):
        for path in ("/one", "/two"):
            tab.errors.clear()
            tab.open(address + path)
            assert tab.evaluate("document.querySelectorAll('.chart canvas').length") == 1
            assert [error for error in tab.errors if "favicon" not in error] == []
    assert {asked[f"/assets/{asset.name}"] for asset in assets().values()} == {1}


def test_hostile_texts_are_shown_and_do_nothing(tab: Tab, tmp_path: Path) -> None:
    link = "<a href='javascript:alert(1)'>SPY</a>"
    report = replace(
        demo((link, "</script><b>TLT"), title=HOSTILE), settings=(HOSTILE,), notice=HOSTILE, source=HOSTILE
    )
    shown(tab, demo_page.render(report), tmp_path / "hostile.html")
    assert tab.evaluate("document.title") == f"{HOSTILE} · demo on a simulated exchange · Alchemiser"
    assert texts(tab, "h1") == [HOSTILE]
    assert tab.evaluate("document.querySelectorAll('img, b, a[href^=javascript]').length") == 0
    assert any(link[:12] in text for text in texts(tab, ".legend li"))


def test_a_foreign_script_would_not_run(tab: Tab, tmp_path: Path) -> None:
    page = demo_page.render(demo()).replace("</footer>", "</footer><script>document.title='taken'</script>")
    path = tmp_path / "tampered.html"
    path.write_text(page, encoding="utf-8")
    tab.open(path)
    assert tab.evaluate("document.title") == "A small demo · demo on a simulated exchange · Alchemiser"
