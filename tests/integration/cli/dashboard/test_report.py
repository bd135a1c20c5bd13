"""`alchemiser report`: one file that holds what the dashboard's pages show."""

import json
import re
from decimal import Decimal
from pathlib import Path

import pytest

from alchemiser_cli.stored_runs import list_runs
from support.command import alchemiser
from support.hostile import plant
from support.traded_home import EXTRA, source, traded_home


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return traded_home(tmp_path_factory.mktemp("workspace"))


def test_it_is_one_file_with_today_performance_and_runs(home: Path, tmp_path: Path) -> None:
    file = tmp_path / "new" / "report.html"
    result = alchemiser(home, "report", "--out", str(file), extra=EXTRA)
    assert result.code == 0, result.err
    assert file.as_uri() in result.out
    page = file.read_text("utf-8")
    earned = Decimal(json.loads(alchemiser(home, "performance", "--json", extra=EXTRA).out)["profit"])
    assert page.count(f"+${earned:,.2f}") >= 3, "of today, of the range, of the account"
    for run in list_runs(source(home).open_state(), "demo"):
        assert str(run.run_id)[:8] in page
    assert "current-price(SPY)" in page
    assert not re.search(r"(src|href)=\"(?!#)", page), "nothing to load, nowhere to go"
    assert str(home) not in page


def test_a_range_a_benchmark_and_what_is_wrong_with_them(home: Path, tmp_path: Path) -> None:
    file = tmp_path / "report.html"
    assert alchemiser(home, "report", "--out", str(file), "--from", "2020-02-05", extra=EXTRA).code == 0
    assert '"days":["2020-02-04","2020-02-05"]' in file.read_text("utf-8")
    result = alchemiser(home, "report", "--out", str(tmp_path), extra=EXTRA)
    assert (result.code, "--out" in result.err) == (2, True)
    result = alchemiser(tmp_path, "report", "--out", str(file))
    assert (result.code, "nothing was ever run" in result.err) == (2, True)


def test_hostile_texts_stay_texts(home: Path, tmp_path: Path) -> None:
    plant(source(home).open_state(), "demo")
    file = tmp_path / "report.html"
    assert alchemiser(home, "report", "--out", str(file), extra=EXTRA).code == 0
    page = file.read_text("utf-8")
    assert "<img" not in page
    assert "<script>document" not in page
