"""A trading image is rolled back with a run in the store: this release goes on with what the next one began."""

import pytest

from alchemiser_common import keys
from alchemiser_common.messages.decision import TradeDecision
from alchemiser_common.messages.report import RunStatus
from alchemiser_common.messages.wire import decode, encode
from alchemiser_common.ports.state import Put
from support.faulty_ports import FaultyBroker, FaultyStore, Killed, killing_after
from support.next_minor import FIELD, NextMinorStore, as_next_minor
from support.trading_rig import QUARTER_HOUR, Rig
from support.trading_runs import SWITCH, assert_switched


def account_of_the_next_release(rig: Rig, decision: TradeDecision) -> None:
    """Everything that is stored already becomes what the next release would have stored: authority, data record."""
    for partition in (
        keys.account_partition("bench"),
        keys.run_partition(decision.run_id),
        keys.runs_partition("bench"),
    ):
        for record in rig.state.list(partition):
            NextMinorStore(rig.state).write(Put(record.key, record.body, record.version))


def killed_after(rig: Rig, decision: TradeDecision, call: str) -> None:
    """The next release works on the run until the first call of that name; there its process dies."""
    faults = killing_after(call)
    service = rig.service(
        state=FaultyStore(NextMinorStore(rig.state), faults),
        broker=FaultyBroker(rig.broker, faults),
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
        "write LEASE TARGETS#",
        "write LEASE JOURNAL REPORT",
    ],
)
def test_a_run_that_the_next_release_began_is_finished_by_this_one(rig: Rig, call: str) -> None:
    decision = rig.decision(SWITCH)
    message = as_next_minor(encode(decision))
    account_of_the_next_release(rig, decision)
    killed_after(rig, decode(message, TradeDecision), call)
    stored = rig.state.get(keys.journal_record(decision.run_id))
    assert stored is not None
    assert FIELD in stored.body, "the next release left the run"
    rig.clock.sleep(rig.settings.execution.lease_seconds + 1)
    report = rig.trade(decode(message, TradeDecision))
    assert report.status is RunStatus.COMPLETED, report.reason
    assert_switched(rig)


def test_the_next_release_may_be_deployed_again_afterwards(rig: Rig) -> None:
    """Forward, back and forward: what this release wrote in between is of a version that both know."""
    decision = rig.decision(SWITCH)
    killed_after(rig, decision, "submit sell CCC")
    rig.clock.sleep(rig.settings.execution.lease_seconds + 1)
    with pytest.raises(Killed):
        rig.trade(decision, broker=FaultyBroker(rig.broker, killing_after("submit buy")))
    rig.clock.sleep(rig.settings.execution.lease_seconds + 1)
    report = rig.trade(decision, state=NextMinorStore(rig.state))
    assert report.status is RunStatus.COMPLETED, report.reason
    assert_switched(rig)
