"""`alchemiser run --shadow`: both pipelines on one account of one exchange, one trader, and a verdict."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from alchemiser_cli import side_by_side
from alchemiser_common.ports.clock import Clock
from alchemiser_common.settings import Settings
from alchemiser_monolith.platform import Platform, open_platform
from alchemiser_simulator import SimulatorConfig, SimulatorServer, sample_history
from support.command import Result, alchemiser

TECL = {"ALCHEMISER_STRATEGIES__ALLOCATIONS": '{"tecl":1.0}'}
DECISION_TIME = datetime(2020, 2, 3, 14, 45, tzinfo=UTC)
SATURDAY = datetime(2020, 2, 8, 15, tzinfo=UTC)


@contextmanager
def exchange(now: datetime = DECISION_TIME) -> Iterator[tuple[SimulatorServer, dict[str, str]]]:
    """One that stands there, and the settings that name it."""
    with SimulatorServer(SimulatorConfig(history=sample_history(), start=now)) as server:
        named = {"ALCHEMISER_BROKER__TRADING_URL": server.url, "ALCHEMISER_BROKER__DATA_URL": server.url}
        yield server, TECL | named


def run(folder: Path, *arguments: str, extra: Mapping[str, str] = TECL) -> tuple[Result, dict[str, Any]]:
    done = alchemiser(folder, "run", *arguments, "--json", extra=extra)
    assert "Traceback" not in done.err
    assert done.out, done.err
    answer: dict[str, Any] = json.loads(done.out)
    return done, answer


@pytest.mark.parametrize(("shadow", "trader"), [("modular", "monolith"), ("monolith", "modular")])
def test_one_trades_the_other_only_plans_and_the_verdict_is_the_stored_one(
    tmp_path: Path, shadow: str, trader: str
) -> None:
    with exchange() as (server, named):
        done, answer = run(tmp_path, "--shadow", shadow, extra=named)
        assert (done.code, answer["status"], answer["shadow"]["run"]["status"]) == (0, "completed", "shadowed")
        assert f"{trader} pipeline, {shadow} as its shadow" in done.err
        listed = json.loads(alchemiser(tmp_path, "runs", "--json", extra=named).out)
        assert {item["pipeline"]: item["orders_placed"] for item in listed} == {
            trader: answer["orders_placed_now"],
            shadow: 0,
        }
        intended = json.loads(alchemiser(tmp_path, "show", answer["run_id"], "--json", extra=named).out)["intents"]
        with server.control as control:
            sent = {order.client_order_id for order in control.state().orders}
        assert sent == {intent["client_order_id"] for intent in intended}, "no order is the shadow's"
        assert json.loads(alchemiser(tmp_path, "parity", "--json", extra=named).out) == [answer["parity"]]
        assert answer["parity"]["verdict"] == "identical"
        assert_prices_beside(tmp_path, named, answer, shadow)
        again = alchemiser(tmp_path, "run", "--shadow", shadow, extra=named)
        assert (again.code, "0 orders placed now" in again.out) == (0, True), again.out
        assert f"{trader} traded; {shadow} was its shadow: shadowed" in again.out
        assert "parity: identical" in again.out


def assert_prices_beside(folder: Path, named: dict[str, str], answer: dict[str, Any], shadow: str) -> None:
    """What the shadow's orders would have come to stands beside the trader's fills, and nowhere else."""
    cycle = answer["parity"]["cycle_id"]
    prices = json.loads(alchemiser(folder, "parity", "--cycle", cycle, "--json", extra=named).out)["prices"]
    assert prices["simulated"] == [shadow]
    assert prices["symbols"]
    for item in prices["symbols"]:
        assert abs(item["modular_worse_bps"]) < 100, "the same walk, minutes apart"
    shown = alchemiser(folder, "parity", "--cycle", cycle, extra=named).out
    assert f"{shadow}: simulated on quotes from" in " ".join(shown.split())
    beside = alchemiser(folder, "show", answer["shadow"]["run"]["run_id"][:8], extra=named).out
    assert "simulated, nothing of it was sent" in " ".join(beside.split())
    executed = json.loads(alchemiser(folder, "executions", "--json", extra=named).out)
    assert len(executed) == len(prices["symbols"]), "the trader's alone"


def test_a_difference_is_named_and_ends_with_exit_code_1(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def other_portfolio(settings: Settings, variables: Mapping[str, str], clock: Clock) -> Platform:
        strategies = settings.strategies.model_copy(update={"allocations": {"tecl": 0.5, "klm": 0.5}})
        return open_platform(settings.model_copy(update={"strategies": strategies}), variables, clock)

    monkeypatch.setattr(side_by_side, "open_platform", other_portfolio)
    with exchange() as (_, named):
        done = alchemiser(tmp_path, "run", "--shadow", "modular", extra=named)
        assert done.code == 1, done.out + done.err
        told = "parity: different, by settings: other settings; strategies.allocations klm: nothing and 0.5; "
        assert f"{told}strategies.allocations tecl: 1.0 and 0.5; " in done.out


def test_a_shadow_that_fails_keeps_nobody_from_trading_and_is_no_agreement(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(settings: Settings, variables: Mapping[str, str], clock: Clock) -> Platform:
        raise RuntimeError("a bug of the candidate")

    monkeypatch.setattr(side_by_side, "open_platform", broken)
    with exchange() as (_, named):
        done = alchemiser(tmp_path, "run", "--shadow", "modular", extra=named)
    assert done.code == 1
    assert "orders placed." in done.out
    assert "0 orders placed" not in done.out
    assert "the shadow failed: RuntimeError: a bug of the candidate" in done.out
    assert "parity: no verdict" in done.out
    assert "Traceback" not in done.out + done.err


def test_where_nothing_is_due_both_say_so_and_that_is_well(tmp_path: Path) -> None:
    with exchange(SATURDAY) as (_, named):
        done = alchemiser(tmp_path, "run", "--shadow", "modular", extra=named)
    assert (done.code, "there was nothing to decide, and both say so" in done.out) == (0, True), done.out + done.err


@pytest.mark.parametrize(
    ("arguments", "extra", "words"),
    [
        (["--shadow", "monolith"], {}, "account demo is traded by monolith"),
        (["--shadow", "modular", "--pipeline", "modular"], {}, "a pipeline is not its own shadow"),
        (["--shadow", "modular"], {"ALCHEMISER_SHADOW": "true"}, "the setting shadow is on"),
        (["--shadow", "both"], {}, "both"),
    ],
)
def test_what_would_leave_the_cycle_without_its_trader_is_refused_before_either_runs(
    tmp_path: Path, arguments: list[str], extra: dict[str, str], words: str
) -> None:
    with exchange() as (_, named):
        given = alchemiser(tmp_path, "authority", "--set", "monolith", "--reason", "first", extra=LIVE)
        assert given.code == 0, given.err
        refused = alchemiser(tmp_path, "run", *arguments, extra=named | extra)
        assert (refused.code, words in refused.err) == (2, True), refused.err
        assert alchemiser(tmp_path, "runs", "--json", extra=named).out.strip() == "[]"


LIVE = {"ALCHEMISER_ENVIRONMENT": "live", "ALCHEMISER_ACCOUNT_ALIAS": "demo"}
"""Where authority is given before the first run; the store does not know for which environment."""
