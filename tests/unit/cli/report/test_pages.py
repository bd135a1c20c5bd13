"""Pages as text: self-contained, escaped, free of secrets and paths, light, and with units."""

import json
import re
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from hashlib import sha256
from typing import Any

import numpy as np
import pytest

from alchemiser_cli.report import backtest_page, charts, demo_page
from alchemiser_cli.report.model import BacktestReport, Delivery, DemoReport, OrderRow, SessionRow
from alchemiser_cli.report.page import assets, policy, script_json
from alchemiser_cli.report.page import page as page_of
from alchemiser_cli.report.statistics import MonthlyYear
from alchemiser_cli.report.tables import month_table
from alchemiser_common.ids import Side
from alchemiser_common.messages.decision import (
    Candidate,
    ConditionStep,
    Explanation,
    RankingStep,
    Signal,
    SignalStatus,
    UnknownReading,
)
from alchemiser_common.messages.snapshot import TargetWeight

START, BASE = date(2025, 1, 6), date(2025, 1, 3)
WEIGHTS = (TargetWeight(symbol="SPY", weight=0.5),)
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
        row = SessionRow(
            day,
            1000.0 + index,
            500.0,
            held,
            (order, unmeasured),
            text,
            f"run-{index}",
            reason=text,
            notes=(text,),
            signals=(signal(text),) if index else (),
            as_of=day - timedelta(days=1),
        )
        rows.append(row)
    return DemoReport(text, text, text, tuple(rows), BASE, 1000.0, (text,), Delivery(20, 10, 10, 0), seconds=1.0)


def signal(text: str = "plain") -> Signal:
    steps = (
        ConditionStep(text=text, left=62.31, right=79, holds=False, margin=-16.69, fragile=True, turned_by=text),
        RankingStep(text=text, candidates=(Candidate(name=text, value=None, chosen=True),)),
    )
    gap = UnknownReading(symbol="SPY", indicator=text, bars_had=3, bars_needed=10)
    explanation = Explanation(summary=text, steps=steps, unknown=(gap,), unsettled=(gap,), otherwise=WEIGHTS)
    return Signal(strategy="leader", allocation=1, status=SignalStatus.TARGET, weights=WEIGHTS, explanation=explanation)


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
    """The page without what all pages share."""
    for asset in assets().values():
        assert page.count(asset.text) == 1, f"{asset.name} is in it once"
        page = page.replace(asset.text, "")
    return page


def data(page: str) -> dict[str, Any]:
    found = re.search(r'<script type="application/json" id="figures">(.*?)</script>', page, re.DOTALL)
    assert found is not None
    return dict(json.loads(found[1]))


PAGES = [demo_page.render(demo()), backtest_page.render(backtest())]


@pytest.mark.parametrize("page", PAGES, ids=["demo", "backtest"])
def test_a_page_stands_alone(page: str) -> None:
    own = own_part(page)
    assert not re.search(r"https?://|src=|<link|@import|url\(", own)
    assert not re.search(r"@import|url\(", assets()["style"].text)
    assert "default-src 'none'" in own
    assert " style=" not in own, "the policy allows no style but the page's own"
    assert "unsafe" not in policy(served=False) + policy(served=True)
    assert len(page.encode()) < 250_000
    assert own.count("<h1>") == 1
    assert own.count('role="img" aria-label="') == own.count("<figcaption>") == len(data(page)["figures"])
    assert 'scope="col"' in own


@pytest.mark.parametrize("page", PAGES, ids=["demo", "backtest"])
def test_every_axis_has_its_unit_and_every_series_a_value_for_each_place(page: str) -> None:
    days = data(page)["days"]
    for key, figure in data(page)["figures"].items():
        for axis in (figure["x"], figure["y"]):
            assert re.fullmatch(r".+ \(.+\)", axis["text"]), key
            assert axis["unit"] in axis["text"], key
        places = len(figure["places"] or days)
        assert {len(series["values"]) for series in figure["series"]} == {places}, key


def test_the_vendored_library_is_what_was_reviewed() -> None:
    """docs/decisions/0024 says how to take another version."""
    assert sha256(assets()["library"].text.encode()).hexdigest() == (
        "19c8d4c6ad88929a79f4ae49d6f7161566dfd0ba3d15cc495e974f787eb78f1f"
    )


def test_a_server_loads_what_is_shared_once() -> None:
    small = page_of("backtest.html", assets_at="/assets/", **parts())
    assert len(small.encode()) < 20_000
    for asset in assets().values():
        assert asset.text not in small
        assert re.search(
            f'(href|src)="/assets/{re.escape(asset.name)}" integrity="{re.escape(asset.integrity)}"', small
        )
    assert "script-src 'self'" in small


def parts() -> dict[str, Any]:
    """What a backtest's template takes, of the shortest backtest."""
    report = backtest(days=3)
    figure = charts.drawdown(report.equity - 3, alt="", caption="")
    return {
        "title": "x",
        "days": report.days,
        "figures": [replace(figure, key=key) for key in ("equity", "drawdown", "weights")],
        "report": report,
        "tiles": (),
        "facts": (),
        "tables": (),
        "months": month_table([]),
    }


def test_long_spans_open_in_log_scale() -> None:
    for days, opens in ((charts.LONG, charts.Scale.LINEAR), (charts.LONG + 1, charts.Scale.LOG)):
        assert charts.equity(np.ones(days), alt="", caption="", unit=charts.Unit.USD).scale is opens


def test_months_are_coloured_by_what_is_much_for_the_strategy() -> None:
    quiet = month_table([MonthlyYear(2024, (0.001, -0.002, 0.004, *(None,) * 9), 0.0)])
    wild = month_table([MonthlyYear(2024, (0.1, -0.2, 0.4, *(None,) * 9), 0.0)])
    assert [quiet.heat(value) for value in (0.0, 0.001, 0.004)] == [
        wild.heat(100 * value) for value in (0.0, 0.001, 0.004)
    ]
    assert wild.heat(-0.4) == 10
    assert 0.2 < wild.full < 0.4, "one odd month does not bleach the others"


def test_each_session_leads_to_its_reasons() -> None:
    whole = PAGES[0]
    runs = re.findall('href="#why-(.*?)"', whole)
    assert runs == [f"run-{index}" for index in (4, 3, 2, 1, 0)]
    assert [whole.count(f'id="why-{run}"') for run in runs] == [1] * 5
    reasons = whole.split('id="why-run-4"')[1].split("</details>")[0]
    for words in ("leader", "62.31 vs 79", "fragile: plain turns it", "(chosen)", "needs 10", "would have become"):
        assert words in reasons
    assert "It came to no decision: plain" in whole.split('id="why-run-0"')[1].split("</details>")[0]


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
    assert "The latest 200 of 300 legs." in page
    assert page.count('<span class="side buy">') == 200


def test_a_demo_without_orders_has_no_slippage() -> None:
    report = demo()
    quiet = replace(report, rows=tuple(replace(row, orders=(), weights=()) for row in report.rows))
    page = demo_page.render(quiet)
    assert list(data(page)["figures"]) == ["equity", "drawdown", "weights"]
    assert "Nothing was traded." in page


def test_a_duplicate_order_is_marked() -> None:
    report = demo()
    bad = replace(report, delivery=replace(report.delivery, duplicates=1))
    assert '<strong class="bad">1</strong> was placed a second time' in demo_page.render(bad)


def test_numbers_that_json_cannot_hold_are_refused() -> None:
    with pytest.raises(ValueError, match="JSON"):
        script_json([float("nan")])


def test_the_same_report_gives_the_same_page() -> None:
    assert demo_page.render(demo()) == PAGES[0]
