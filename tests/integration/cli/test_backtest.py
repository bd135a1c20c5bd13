"""What a backtest counts on, and what it and `decide` say of a file that lacks something, as a user meets them."""

import csv
import json
import math
import os
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from support.command import alchemiser
from support.plain_account import plain_account

CLOSED = {date(2024, 1, 1), date(2024, 1, 15), date(2024, 2, 19), date(2024, 3, 29)}
_ALL = [date(2024, 1, 1) + timedelta(days=offset) for offset in range(95)]
DAYS = [day for day in _ALL if day.weekday() < 5 and day not in CLOSED]
HALF = '(defsymphony "half" {:rebalance-frequency :daily} (weight-equal [(asset "AAA" nil) (asset "BBB" nil)]))'
BEST = """(defsymphony "best" {:rebalance-frequency :daily}
 (filter (moving-average-return {:window 5}) (select-top 1) [(asset "AAA" nil) (asset "BBB" nil) (asset "CCC" nil)]))
"""
type Bars = dict[str, list[float | None]]


def closes() -> Bars:
    return {
        symbol: [100 + 10 * math.sin(row / 4 + turn) + row * slope for row in range(len(DAYS))]
        for symbol, turn, slope in (("AAA", 0, 0.1), ("BBB", 2, 0.0), ("CCC", 4, 0.2))
    }


def opens(of: Bars) -> Bars:
    """Halfway between two closes, so that a fill there is no fill at either."""
    return {
        symbol: [path[0], *((a + b) / 2 if a and b else None for a, b in pairwise(path))] for symbol, path in of.items()
    }


def written(
    path: Path, close: Bars, open_: Bars | None = None, splits: Mapping[str, tuple[int, float]] | None = None
) -> Path:
    with path.open("w", newline="") as file:
        out = csv.writer(file)
        out.writerow(["date", "symbol", "close", "open", "split"])
        for row, day in enumerate(DAYS):
            for symbol, values in close.items():
                at, ratio = (splits or {}).get(symbol, (-1, 1.0))
                given = None if open_ is None else open_[symbol][row]
                if values[row] is not None:
                    out.writerow([day, symbol, values[row], given, ratio if row == at else None])
    return path


@pytest.fixture(autouse=True)
def strategies(tmp_path: Path) -> None:
    (tmp_path / "half.clj").write_text(HALF)
    (tmp_path / "best.clj").write_text(BEST)


def backtested(folder: Path, *arguments: str) -> dict[str, object]:
    done = alchemiser(folder, "backtest", "--data", "bars.csv", "--json", *arguments)
    assert done.code == 0, done.err
    answer: dict[str, object] = json.loads(done.out)
    return answer


def by_hand(close: Bars, open_: Bars, fill: str, costs: float) -> Sequence[float]:
    """Half and half, every day."""

    def rows(of: Bars) -> list[list[float]]:
        return [[float(of[symbol][row] or 0) for symbol in ("AAA", "BBB")] for row in range(len(DAYS))]

    halves = [[0.5, 0.5]] * len(DAYS)
    plain = plain_account(
        DAYS, rows(open_), rows(close), halves, every="daily", threshold=None, fill=fill, costs_bps=costs
    )
    return plain.equity


def equity(answer: Mapping[str, object]) -> list[float]:
    days = answer["days"]
    assert isinstance(days, list)
    return [day["equity"] for day in days]


def test_orders_fill_at_opens_that_the_file_has_and_at_the_next_close_where_it_has_none(tmp_path: Path) -> None:
    data = closes()
    written(tmp_path / "bars.csv", data, opens(data))
    for arguments, fill, costs in (
        ((), "next-open", 2.0),
        (("--fill", "next-close", "--costs", "10"), "next-close", 10.0),
        (("--fill", "close", "--costs", "0"), "close", 0.0),
    ):
        answer = backtested(tmp_path, "--strategy", "half.clj", *arguments)
        assert (answer["fill"], answer["costs_bps"]) == (fill, costs)
        assert equity(answer) == pytest.approx(by_hand(data, opens(data), fill, costs), rel=1e-9)
    written(tmp_path / "bars.csv", data)
    answer = backtested(tmp_path, "--strategy", "half.clj")
    assert (answer["fill"], answer["costs_bps"]) == ("next-close", 2.0)
    assert equity(answer) == pytest.approx(by_hand(data, opens(data), "next-close", 2.0), rel=1e-9)
    table = alchemiser(tmp_path, *"backtest --data bars.csv --strategy half.clj".split())
    assert "filled at the next close, costs 2 bp of what is exchanged (assumed)" in " ".join(table.out.split())
    assert "derived" not in table.err + table.out, "nothing is invented, so nothing is to be excused"
    refused = alchemiser(tmp_path, *"backtest --data bars.csv --strategy half.clj --fill next-open".split())
    assert (refused.code, "the data have no opens on these days" in refused.err) == (2, True)


def test_a_day_without_some_open_is_filled_at_its_close_and_named(tmp_path: Path) -> None:
    data, given = closes(), opens(closes())
    given["BBB"][30] = None
    written(tmp_path / "bars.csv", data, given)
    answer = backtested(tmp_path, "--strategy", "half.clj")
    expected = opens(data)
    expected["AAA"][30], expected["BBB"][30] = data["AAA"][30], data["BBB"][30]
    assert equity(answer) == pytest.approx(by_hand(data, expected, "next-open", 2.0), rel=1e-9)
    _, remark = remarks(answer)
    assert remark.startswith("on 1 day an open was lacking")
    assert str(DAYS[30]) in remark


def remarks(answer: Mapping[str, object]) -> list[str]:
    found = answer["remarks"]
    assert isinstance(found, list)
    return found


def test_costs_may_be_what_the_accounts_own_orders_cost(tmp_path: Path) -> None:
    arguments = "backtest --from 2020-01-02 --to 2020-03-02 --strategy tecl --costs from-account".split()
    nothing = alchemiser(tmp_path, *arguments)
    assert nothing.code == 2, nothing.out
    assert alchemiser(tmp_path, "run", "--json").code == 0
    legs = json.loads(alchemiser(tmp_path, "executions", "--json").out)
    values = [float(leg["quantity"]) * float(leg["price"]) for leg in legs]
    mean = sum(leg["slippage_bps"] * value for leg, value in zip(legs, values, strict=True)) / sum(values)
    done = alchemiser(tmp_path, *arguments)
    assert done.code == 0, done.err
    told = " ".join(done.out.split())
    assert f"costs {max(0.0, round(mean, 2)):g} bp" in told
    assert f"mean slippage of {len(legs)} legs" in told


@pytest.mark.parametrize("command", ["decide", "backtest", "explain"])
@pytest.mark.parametrize("as_json", [(), ("--json",)], ids=["table", "json"])
def test_a_symbol_that_the_file_lacks_is_refused_or_knowingly_left_out(
    tmp_path: Path, command: str, as_json: tuple[str, ...]
) -> None:
    data = closes()
    data["CCD"] = data.pop("CCC")
    written(tmp_path / "bars.csv", data)
    arguments = [command, "--data", "bars.csv", "--strategy", "best.clj", *as_json]
    refused = alchemiser(tmp_path, *arguments)
    assert (refused.code, refused.out) == (2, "")
    assert "the data lack CCC (nearest: CCD)" in refused.err
    assert "--without CCC" in refused.err
    done = alchemiser(tmp_path, *arguments, "--without", "ccc")
    assert done.code == 0, done.err
    said = (
        json.loads(done.out)["without"] == ["CCC"]
        if as_json
        else "left out of every strategy: CCC" in done.out + done.err
    )
    assert said
    if command == "backtest":
        assert "left out of every strategy: CCC" in (tmp_path / "backtest.html").read_text(encoding="utf-8")
    strange = alchemiser(tmp_path, *arguments, "--without", "SPY")
    assert (strange.code, "--without SPY: no strategy reads or holds it" in strange.err) == (2, True)


def test_gaps_are_carried_up_to_a_length_and_a_delisting_ends_at_the_last_price(tmp_path: Path) -> None:
    data = closes()
    whole = [float(value or 0) for value in data["BBB"]]
    data["BBB"][20:23] = [None] * 3
    written(tmp_path / "bars.csv", data)
    refused = alchemiser(tmp_path, *"backtest --data bars.csv --strategy half.clj".split())
    assert refused.code == 2
    assert f"BBB is held on {DAYS[20]} but has no price then" in refused.err
    answer = backtested(tmp_path, "--strategy", "half.clj", "--carry-gaps", "3")
    carried = closes()
    carried["BBB"][20:23] = [whole[19]] * 3
    # While a bar is carried the strategy decides on it as live does, so that the shares go on being traded.
    assert equity(answer) == pytest.approx(by_hand(carried, carried, "next-close", 2.0), rel=1e-9)
    _, remark = remarks(answer)
    assert f"up to 3 sessions): BBB {DAYS[20]}, BBB {DAYS[21]}, BBB {DAYS[22]}" in remark

    data = closes()
    data["BBB"][40:] = [None] * (len(DAYS) - 40)
    written(tmp_path / "bars.csv", data)
    answer = backtested(tmp_path, "--strategy", "half.clj", "--costs", "0")
    assert f"BBB has no bar from {DAYS[40]} on: what was held of it was sold at its last close" in remarks(answer)
    # BBB is cash at the close of day 39, AAA goes to half once more; then nothing can be decided.
    path = [float(value or 0) for value in closes()["AAA"]]
    before = by_hand(closes(), closes(), "next-close", 0.0)[39]
    after = before / 2 + before / 2 * path[40] / path[39]
    expected = [after / 2 + after / 2 * close / path[40] for close in path[40:]]
    assert equity(answer)[40:] == pytest.approx(expected, rel=1e-9)


def test_a_day_is_decided_on_as_it_looked_then(tmp_path: Path) -> None:
    """A split that lies later divides no price; there are no days after the last bar."""
    text = '(defsymphony "dear" {} (if (> (current-price "AAA") 400) [(asset "AAA" nil)] [(asset "BBB" nil)]))'
    (tmp_path / "dear.clj").write_text(text)
    data = closes()
    data["AAA"] = [499.23 if row < 50 else 129.04 for row in range(len(DAYS))]
    written(tmp_path / "bars.csv", data, splits={"AAA": (50, 4.0)})
    base = ["--data", "bars.csv", "--strategy", "dear.clj"]
    for as_of, holds in ((DAYS[49], "AAA"), (DAYS[50], "BBB")):
        answer = json.loads(alchemiser(tmp_path, "decide", *base, "--as-of", str(as_of), "--json").out)
        assert (answer["as_of"], answer["targets"]) == (str(as_of), {holds: 1.0})
    story = alchemiser(tmp_path, "explain", *base, "--as-of", str(DAYS[49]), "--json").out
    assert "499.23" in story
    late = alchemiser(tmp_path, "decide", *base, "--as-of", "2030-01-01")
    assert late.code == 2
    assert f"--as-of 2030-01-01 is after the last bar of the data, {DAYS[-1]}" in late.err


def test_a_bad_tick_is_warned_of_and_a_young_candidate_is_said_to_be_one(tmp_path: Path) -> None:
    data = closes()
    data["BBB"][50] = 100 * (data["BBB"][50] or 0)
    data["CCC"][:30] = [None] * 30
    written(tmp_path / "bars.csv", data)
    answer = backtested(tmp_path, "--strategy", "best.clj", "--from", str(DAYS[10]))
    _, young, bad = remarks(answer)
    assert young.startswith(f"1 of 3 symbols had too few bars on {DAYS[10]}")
    assert f"CCC {DAYS[35]}" in young
    assert "faults of the data" in bad
    assert f"on {DAYS[50]}" in bad
    assert f"on {DAYS[51]}" in bad
    decided = ["decide", "--data", "bars.csv", "--strategy", "best.clj", "--as-of"]
    assert "faults of the data" in alchemiser(tmp_path, *decided, str(DAYS[52])).out
    assert json.loads(alchemiser(tmp_path, *decided, str(DAYS[52]), "--json").out)["remarks"]
    assert not json.loads(alchemiser(tmp_path, *decided, str(DAYS[60]), "--json").out)["remarks"]


def test_a_backtest_stands_beside_a_benchmark_and_other_strategies(tmp_path: Path) -> None:
    data = closes()
    written(tmp_path / "bars.csv", data)
    arguments = ["--strategy", "half.clj", "--benchmark", "ccc", "--compare", "best.clj", "--csv", "days.csv"]
    answer = backtested(tmp_path, *arguments, "--from", str(DAYS[10]))
    beside = answer["benchmark"]
    assert isinstance(beside, dict)
    path = [float(value or 0) for value in data["CCC"]]
    assert beside["symbol"] == "CCC"
    assert beside["total_return"] == pytest.approx(path[-1] / path[10] - 1)
    mine, other = (np.diff(values) / values[:-1] for values in (np.array(equity(answer)), np.array(path[10:])))
    assert beside["beta"] == pytest.approx(np.cov(mine, other)[0, 1] / np.var(other, ddof=1))
    assert beside["excess"] == pytest.approx(equity(answer)[-1] - path[-1] / path[10])
    by_symbol, paid = answer["by_symbol"], answer["costs_paid"]
    assert isinstance(by_symbol, dict)
    assert isinstance(paid, float)
    assert by_symbol.keys() == {"AAA", "BBB"}
    assert sum(by_symbol.values()) - paid == pytest.approx(equity(answer)[-1] - 1)
    compared = answer["compared"]
    assert isinstance(compared, list)
    alone = backtested(tmp_path, "--strategy", "best.clj", "--from", str(DAYS[10]), "--benchmark", "ccc")
    assert compared == [alone]

    with (tmp_path / "days.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [float(row["equity"]) for row in rows] == equity(answer)
    assert float(rows[-1]["benchmark CCC"]) == pytest.approx(path[-1] / path[10])
    done = alchemiser(tmp_path, "backtest", "--data", "bars.csv", *arguments)
    for words in (
        "CCC, held",
        "Alpha",
        "Beta",
        "Correlation",
        "Capture, up / down",
        "Fall 1",
        "Side by side",
        "Calmar",
    ):
        assert words in done.out
    page = (tmp_path / "backtest.html").read_text(encoding="utf-8")
    for words in ("CCC, held", "Deepest falls", "What came from what"):
        assert words in page


def test_the_default_benchmark_is_used_where_the_file_has_it_and_another_one_must_be_there(tmp_path: Path) -> None:
    data = closes()
    written(tmp_path / "bars.csv", data)
    without = backtested(tmp_path, "--strategy", "half.clj")
    assert (without["benchmark"], remarks(without)) == (
        None,
        ["no benchmark: the data have no SPY on all of these days"],
    )
    assert remarks(backtested(tmp_path, "--strategy", "half.clj", "--benchmark", "none")) == []
    missing = alchemiser(tmp_path, *"backtest --data bars.csv --strategy half.clj --benchmark CCD".split())
    assert (missing.code, "--benchmark: the data lack CCD (nearest: CCC)" in missing.err) == (2, True)
    data["SPY"] = data["CCC"]
    written(tmp_path / "bars.csv", data)
    beside = backtested(tmp_path, "--strategy", "half.clj")["benchmark"]
    assert isinstance(beside, dict)
    assert beside["symbol"] == "SPY"


@pytest.mark.skipif("ALCHEMISER_MARKET_DATA" not in os.environ, reason="ALCHEMISER_MARKET_DATA is not set")
@pytest.mark.parametrize(
    ("every", "costs", "earned", "turned"), [("yearly", "0", 2.6727, 0.22), ("monthly", "10", 3.1172, 0.60)]
)
def test_two_funds_of_real_prices_earn_what_an_independent_reference_says(
    tmp_path: Path, every: str, costs: str, earned: float, turned: float
) -> None:
    """Half each, 2015 to 2024: traded daily by mistake, the yearly one turned its equity over 2.3 times a year."""
    text = HALF.replace("daily", every).replace("AAA", "TQQQ").replace("BBB", "TMF")
    (tmp_path / "half.clj").write_text(text)
    data = Path(os.environ["ALCHEMISER_MARKET_DATA"]) / "ohlcv_core74_2005_2026.parquet"
    span = ["--from", "2015-01-02", "--to", "2024-12-31", "--fill", "next-open", "--costs", costs]
    done = alchemiser(tmp_path, "backtest", "--data", str(data), "--strategy", "half.clj", "--json", *span)
    assert done.code == 0, done.err
    answer = json.loads(done.out)
    assert answer["total_return"] == pytest.approx(earned, abs=5e-5)
    assert answer["turnover_a_year"] == pytest.approx(turned, abs=0.01)
