"""A trading image is rolled back with a run in the store: this release goes on with what the next one began."""

import pytest

from alchemiser_common import keys
from alchemiser_common.messages.decision import TradeDecision
from alchemiser_common.messages.report import RunStatus
from alchemiser_common.messages.wire import decode, encode
from alchemiser_common.ports.state import Put
from support.faulty_ports import FaultyBroker, FaultyStore, Killed, killing_after
from support.next_minor import FIELD, NextMinorStore, as_next_minor
from support.trading_bench import QUARTER_HOUR, Bench
from support.trading_runs import SWITCH, assert_switched


def account_of_the_next_release(bench: Bench, decision: TradeDecision) -> None:
    """Everything that is stored already becomes what the next release would have stored: authority, data record."""
    for partition in (
        keys.account_partition("bench"),
        keys.run_partition(decision.run_id),
        keys.runs_partition("bench"),
    ):
        for record in bench.state.list(partition):
            NextMinorStore(bench.state).write(Put(record.key, record.body, record.version))


def killed_after(bench: Bench, decision: TradeDecision, call: str) -> None:
    """The next release works on the run until the first call of that name; there its process dies."""
    faults = killing_after(call)
    service = bench.service(
        state=FaultyStore(NextMinorStore(bench.state), faults),
        broker=FaultyBroker(bench.broker, faults),
        worker="next",
    )
    with pytest.raises(Killed):
        service.execute(decision, time_left=lambda: QUARTER_HOUR)


@pytest.mark.parametrize(
    "call",
    [
        "write JOURNAL",
        "write LEASE JOURNAL PLAN",
        "write LEASE INTENT#0001",
        "submit sell CCC",
        "submit buy AAA",
        "write LEASE INTENT#0003",
        "write LEASE JOURNAL REPORT",
    ],
)
def test_a_run_that_the_next_release_began_is_finished_by_this_one(bench: Bench, call: str) -> None:
    decision = bench.decision(SWITCH)
    message = as_next_minor(encode(decision))
    account_of_the_next_release(bench, decision)
    killed_after(bench, decode(message, TradeDecision), call)
    stored = bench.state.get(keys.journal_record(decision.run_id))
    assert stored is not None
    assert FIELD in stored.body, "the next release left the run"
    bench.clock.sleep(bench.settings.execution.lease_seconds + 1)
    report = bench.trade(decode(message, TradeDecision))
    assert report.status is RunStatus.COMPLETED, report.reason
    assert_switched(bench)


def test_the_next_release_may_be_deployed_again_afterwards(bench: Bench) -> None:
    """Forward, back and forward: what this release wrote in between is of a version that both know."""
    decision = bench.decision(SWITCH)
    killed_after(bench, decision, "submit sell CCC")
    bench.clock.sleep(bench.settings.execution.lease_seconds + 1)
    with pytest.raises(Killed):
        bench.trade(decision, broker=FaultyBroker(bench.broker, killing_after("submit buy")))
    bench.clock.sleep(bench.settings.execution.lease_seconds + 1)
    report = bench.trade(decision, state=NextMinorStore(bench.state))
    assert report.status is RunStatus.COMPLETED, report.reason
    assert_switched(bench)
