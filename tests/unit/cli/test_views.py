"""A run on the terminal: what was decided, and what a person should know of it."""

from dataclasses import replace
from decimal import Decimal

from rich.console import Console

from alchemiser_cli.stored_runs import summary_json
from alchemiser_cli.views import plan_table, run_view
from alchemiser_common.messages.decision import SignalStatus
from alchemiser_readmodel.runs import RunDetail, RunSummary
from support.messages import CYCLE, RUN, make_decision, make_report
from support.plans import book, decided, planned_for, signal
from support.stored_records import make_plan_record


def printed(what: object) -> str:
    console = Console(width=200)
    with console.capture() as shown:
        console.print(what)
    return shown.get()


def test_a_run_shows_what_its_report_notes_and_what_a_signal_lacks() -> None:
    summary = RunSummary(RUN, CYCLE, None, None, make_report(notes=("tecl: AIRO left out, rsi(10) has 4 of 11 bars",)))
    text = printed(run_view(RunDetail(summary, None, make_decision(), None, [])))
    assert "note: tecl: AIRO left out, rsi(10) has 4 of 11 bars" in text
    assert "unsettled: rsi(9) of BSV has 20 bars, settles with 125" in text
    assert summary_json(summary)["notes"] == ["tecl: AIRO left out, rsi(10) has 4 of 11 bars"]


def test_a_run_that_has_not_ended_shows_what_its_plan_notes() -> None:
    plan = make_plan_record()
    open_run = RunDetail(RunSummary(RUN, CYCLE, None, None, None), None, None, plan, [])
    assert f"note: {plan.notes[0]}" in printed(run_view(open_run))
    ended = replace(open_run, summary=RunSummary(RUN, CYCLE, None, None, make_report(notes=())))
    assert "note:" not in printed(run_view(ended)), "the report has the last word"


def test_a_plan_names_what_strategies_keep() -> None:
    shares = {f"S{number}": "1.5" for number in range(7)}
    said = decided(signal("h", 1.0, {"S0": 1.0}, SignalStatus.HOLD), signal("cash", 0.1, {}, SignalStatus.HOLD))
    plan = planned_for(said, [book("h", **shares)], cash="0", prices=dict.fromkeys(shares, "10"))
    text = printed(plan_table(plan))
    assert "h holds 1.5 S0, 1.5 S1, 1.5 S2, 1.5 S3, 1.5 S4 and 2 more" in text
    assert "nothing to trade: the account holds what is wanted" in text
    assert "cash holds" not in text
    assert plan.account.equity == Decimal(105)
