"""What a deployment says of strategies: whose rules have changed, what was decided and what differs from last time."""

from datetime import date

from alchemiser_cli.stage.last_decision import changed_rules, told
from alchemiser_common.messages.decision import Explanation, Signal, SignalStatus
from alchemiser_common.messages.snapshot import StrategyTargets, TargetWeight
from alchemiser_common.probes import StrategyInPlay
from support.messages import make_decision

DAY = date(2020, 6, 3)
ONE, OTHER = "1" * 64, "2" * 64


def targets(strategy: str, rules: str, *symbols: str) -> StrategyTargets:
    weights = tuple(TargetWeight(symbol=symbol, weight=1 / len(symbols)) for symbol in symbols)
    return StrategyTargets(strategy=strategy, decided_for=DAY, weights=weights, rules=rules)


def signal(strategy: str, rules: str, *symbols: str, status: SignalStatus = SignalStatus.TARGET) -> Signal:
    weights = targets(strategy, rules, *symbols).weights
    explanation = Explanation(summary="a test")
    return Signal(
        strategy=strategy, allocation=0.5, status=status, weights=weights, explanation=explanation, rules=rules
    )


def test_other_rules_and_a_strategy_that_is_gone_are_announced_and_nothing_else() -> None:
    live = [StrategyInPlay(strategy=name, allocation=0.25, rules=ONE) for name in ("same", "edited", "new", "old")]
    stored = [
        targets("same", ONE, "SPY"),
        targets("edited", OTHER, "SPY"),
        targets("old", "", "SPY"),
        targets("gone", ONE, "SPY"),
        targets("gone-in-cash", ONE),
    ]
    edited, gone = changed_rules(live, stored)
    assert edited == (
        "strategy edited decides by other rules (111111111111) than behind its stored targets (222222222222): it will "
        "be rebalanced at the next run"
    )
    assert gone == "strategy gone is not allocated any more: its shares go at the next run"


def test_a_decision_is_told_by_strategy_with_what_differs_from_the_last_one() -> None:
    last = make_decision().model_copy(
        update={"signals": (signal("a", ONE, "SPY"), signal("b", OTHER, "SPY"), signal("gone", ONE))}
    )
    held = signal("c", ONE, "SPY", status=SignalStatus.HOLD)
    now = last.model_copy(update={"signals": (signal("a", ONE, "SPY"), signal("b", ONE, "QQQ", "TLT"), held)})
    assert told(now, last) == [
        "a (50.00%, rules 111111111111): SPY 100.00%; as last decided",
        "b (50.00%, rules 111111111111): QQQ 50.00%, TLT 50.00%; rules were 222222222222, last decided: SPY 100.00%",
        "c (50.00%, rules 111111111111): hold SPY 100.00%; new",
        "gone: not allocated any more",
    ]
    assert told(now, None)[0] == "a (50.00%, rules 111111111111): SPY 100.00%"
