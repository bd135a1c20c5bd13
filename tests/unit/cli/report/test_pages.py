"""Pages as text: self-contained, escaped, free of secrets and paths, valid for plotly, and fast to make."""

import json
import re
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import numpy as np
import plotly.graph_objects as go
import pytest
from plotly.offline import get_plotlyjs

from alchemiser_cli.report import backtest_page, demo_page
from alchemiser_cli.report.model import BacktestReport, Delivery, DemoReport, OrderRow, SessionRow
from alchemiser_cli.report.page import script_json
from alchemiser_common.ids import Side

START = date(2025, 1, 6)
HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "{{ 7 * 7 }}",
    "</script>",
    "a&b",
    "\ud800\x00",
)


def demo(symbol: str = "SPY", sessions: int = 5, text: str = "plain") -> DemoReport:
    rows = []
    for index in range(sessions):
        day = START + timedelta(days=index)
        order = OrderRow(day, symbol, Side.BUY, Decimal("1.5"), Decimal(10), Decimal(10), Decimal(index - 2), 1, 3.0)
        unmeasured = replace(order, arrival_mid=None, slippage_bps=None)
        held = ((symbol, 0.5),)
        row = SessionRow(day, 1000.0 + index, 500.0, held, (order, unmeasured), text, text, reason=text, notes=(text,))
        rows.append(row)
    return DemoReport(text, text, text, tuple(rows), 1000.0, (text,), Delivery(20, 10, 10, 0), seconds=1.0)


def backtest(symbol: str = "SPY", text: str = "plain", days: int = 300) -> BacktestReport:
    return BacktestReport(
        title=text,
        strategies=((text, 1.0),),
        days=tuple(START + timedelta(days=index) for index in range(days)),
        equity=np.linspace(1, 2, days),
        weights=np.tile([0.5, 0.2], (days, 1)),
        symbols=(symbol, "TLT"),
        costs_bps=5,
        fill=text,
        source=text,
        notice=text,
        traded=np.zeros(days),
        remarks=(text,),
    )


def own_part(page: str) -> str:
    """The page without plotly.js."""
    library = str(get_plotlyjs())
    assert page.count(library) == 1, "plotly.js is inlined once"
    return page.replace(library, "")


def data(page: str) -> dict[str, dict[str, dict[str, object]]]:
    found = re.search(r'<script type="application/json" id="figures">(.*?)</script>', page, re.DOTALL)
    assert found is not None
    return dict(json.loads(found[1]))


PAGES = [demo_page.render(demo()), backtest_page.render(backtest())]


@pytest.mark.parametrize("page", PAGES, ids=["demo", "backtest"])
def test_a_page_stands_alone(page: str) -> None:
    own = own_part(page)
    assert not re.search(r"https?://|src=|<link|@import|url\(", own)
    assert "default-src 'none'" in own
    assert own.count("<h1>") == 1
    assert own.count('role="img" aria-label="') == own.count("<figcaption>") == len(data(page)["figures"])
    assert 'scope="col"' in own


@pytest.mark.parametrize("page", PAGES, ids=["demo", "backtest"])
def test_every_figure_is_what_plotly_understands(page: str) -> None:
    for figure in data(page)["figures"].values():
        assert isinstance(figure, dict)
        go.Figure(data=figure["traces"], layout=figure["layout"])


@pytest.mark.parametrize("text", HOSTILE)
def test_texts_from_data_stay_texts(text: str) -> None:
    plain = (own_part(PAGES[0]), own_part(PAGES[1]))
    hostile = (own_part(demo_page.render(demo(text, text=text))), own_part(backtest_page.render(backtest(text, text))))
    for before, after in zip(plain, hostile, strict=True):
        assert after.encode()
        assert len(re.findall(r"<\w+", after)) == len(re.findall(r"<\w+", before)), "no element more or less"
        assert "49" not in re.findall(r"<h1>(.*?)</h1>", after)


def test_secrets_and_paths_do_not_reach_a_page() -> None:
    secret, path = "PKABCDEFGHIJ12345678", "/home/someone/private/panel.parquet"
    text = f"{secret} from {path}"
    for page in (demo_page.render(demo(path, text=text)), backtest_page.render(backtest(path, text))):
        assert secret not in page
        assert "/home/someone" not in page
        assert "panel.parquet" in page


def test_long_demos_list_their_latest_orders_and_say_how_many_there_were() -> None:
    page = own_part(demo_page.render(demo(sessions=150)))
    assert "The latest 200 of 300 orders." in page
    assert page.count('<span class="side buy">') == 200


def test_a_demo_without_orders_has_no_slippage() -> None:
    report = demo()
    quiet = replace(report, rows=tuple(replace(row, orders=(), weights=()) for row in report.rows))
    page = demo_page.render(quiet)
    assert list(data(page)["figures"]) == ["equity", "weights"]
    assert "No order was placed." in page


def test_a_duplicate_order_is_marked() -> None:
    report = demo()
    bad = replace(report, delivery=replace(report.delivery, duplicates=1))
    assert '<strong class="bad">1</strong> was placed a second time' in demo_page.render(bad)


def test_numbers_that_json_cannot_hold_are_refused() -> None:
    with pytest.raises(ValueError, match="JSON"):
        script_json([float("nan")])


def test_the_same_report_gives_the_same_page() -> None:
    assert demo_page.render(demo()) == PAGES[0]
