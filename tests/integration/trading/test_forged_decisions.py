"""A message with the right run id and snapshot hash that does not follow from its run is traded by nobody."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from alchemiser_common.messages.decision import StrategyShare, Target, TradeDecision
from alchemiser_common.messages.report import RunStatus
from support.trading_rig import SCHEDULED, Rig, exchange, quiet_market

PRICES = {"AAA": 20.0, "BBB": 50.0}
HALVES = {"AAA": 0.5, "BBB": 0.5}


def other_targets(rig: Rig) -> TradeDecision:
    """99 % in one symbol; the signals are as they were."""
    greedy = Target(symbol="AAA", weight=0.99, shares=(StrategyShare(strategy="only", weight=0.99),))
    return rig.decision(HALVES, targets=(greedy,))


def old_cycle(rig: Rig) -> TradeDecision:
    """Of two days ago, recorded then; session, last bar and deadline say today."""
    return rig.decision(
        HALVES,
        scheduled=SCHEDULED - timedelta(days=2),
        not_after=SCHEDULED + timedelta(hours=1),
        session=SCHEDULED.date(),
        as_of=SCHEDULED.date() - timedelta(days=1),
    )


def later_deadline(rig: Rig) -> TradeDecision:
    return rig.decision(HALVES, not_after=SCHEDULED + timedelta(hours=5))


@pytest.mark.parametrize("shadow", [False, True], ids=["trading", "shadow"])
@pytest.mark.parametrize(
    ("forged", "words"),
    [
        (other_targets, "targets do not follow from the signals: AAA 0.99 for 0.5, BBB 0 for 0.5"),
        (old_cycle, "the decision is for session 2020-06-03, its cycle is of 2020-06-01"),
        (later_deadline, "not_after is 2020-06-03T18:45:00+00:00; 60 minutes"),
    ],
)
def test_a_forged_decision_ends_with_its_reason_and_nothing_is_sent(
    tmp_path: Path, forged: Callable[[Rig], TradeDecision], words: str, *, shadow: bool
) -> None:
    with exchange(quiet_market(PRICES), tmp_path) as rig:
        settings = rig.settings.model_copy(update={"shadow": shadow})
        report = rig.trade(forged(rig), settings=settings)
        assert report.status in {RunStatus.FAILED, RunStatus.HALTED}, report.reason
        assert words in report.reason
        assert report.error == "DecisionRefused"
        assert rig.orders() == []
