"""Where two decisions, and the plans made of them, differ: strategy by strategy, weight by weight, step by step. Pure.

Weights are compared exactly. On equal inputs equal strategies give equal decisions, bit for bit; a tolerance would hide
a change that is small today.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import zip_longest

from alchemiser_common.messages.decision import (
    ConditionStep,
    ExplanationStep,
    RankingStep,
    Signal,
    Target,
    TradeDecision,
)
from alchemiser_common.messages.snapshot import TargetWeight
from alchemiser_common.records.parity import Difference
from alchemiser_common.records.plan import Plan

_HASH = 12
"""Digits of a content hash that are shown."""


# A strategy that only one side has is not allocated on the other one, or its signal was lost there. Allocations add up
# to the whole account: if the other side's do not, a part was lost, and that is code.
def allocation_differences(monolith: Sequence[Signal], modular: Sequence[Signal]) -> list[Difference]:
    """Parts of the account that are not the same: of strategies that both have, and of one whose part the other side
    has given to others. A strategy that lacks although its part was not given away is the decision's matter.
    """
    mine, theirs = ({signal.strategy: signal.allocation for signal in side} for side in (monolith, modular))
    found = [name for name in mine.keys() & theirs.keys() if mine[name] != theirs[name]]
    if found or math.isclose(sum(mine.values()), sum(theirs.values())):
        found += mine.keys() ^ theirs.keys()
    return [
        _difference(f"strategies.allocations {name}", _number(mine.get(name)), _number(theirs.get(name)))
        for name in sorted(found)
    ]


def decision_differences(
    monolith: TradeDecision, modular: TradeDecision, *, same_inputs: bool, ways: bool = True
) -> list[Difference]:
    """What is decided otherwise, and at which step the ways part (`ways`): on unequal inputs the first step that turns
    out otherwise, on equal ones the first that is not the same in every figure. Allocations are settings, not this.
    """
    mine, theirs = _by_strategy(monolith.signals), _by_strategy(modular.signals)
    found: list[Difference] = []
    for name in sorted(mine.keys() | theirs.keys()):
        if name not in mine or name not in theirs:
            has, others = ("present" if name in side else "" for side in (mine, theirs))
            found.append(_difference(f"strategy {name}", has, others))
        else:
            found += _signals(name, mine[name], theirs[name], same_inputs=same_inputs, ways=ways)
    if not found:
        found += _targets(monolith.targets, modular.targets)
    return found


def setting_differences(monolith: Plan, modular: Plan) -> list[Difference]:
    """Settings of trading by which the two plans were made, as far as both say so."""
    mine, theirs = ({item.name: item.value for item in plan.settings} for plan in (monolith, modular))
    if not mine or not theirs:
        return []  # from before plans said it
    return [
        _difference(name, mine.get(name, ""), theirs.get(name, ""))
        for name in sorted(mine.keys() | theirs.keys())
        if mine.get(name) != theirs.get(name)
    ]


def leg_differences(monolith: Plan, modular: Plan) -> list[Difference]:
    """Legs of other sides or quantities, if account, positions and prices were the same to both; otherwise none.

    The pipelines plan minutes apart, and the one that trades changes what the other one finds.
    """
    if (monolith.account, monolith.positions) != (modular.account, modular.positions):
        return []
    mine, theirs = ({leg.symbol: leg for leg in plan.legs} for plan in (monolith, modular))
    if any(mine[symbol].price != theirs[symbol].price for symbol in mine.keys() & theirs.keys()):
        return []
    said, others = (
        {symbol: f"{leg.side.value} {leg.quantity}" for symbol, leg in side.items()} for side in (mine, theirs)
    )
    return [
        _difference(f"plan {symbol}", said.get(symbol, ""), others.get(symbol, ""))
        for symbol in sorted(said.keys() | others.keys())
        if said.get(symbol) != others.get(symbol)
    ]


def versions_told(monolith: TradeDecision, modular: TradeDecision) -> str:
    """The builds of both if they are not the same, otherwise empty."""
    mine, theirs = (
        ", ".join(f"{item.component} {item.version} {item.git_sha[:_HASH]}" for item in decision.versions)
        for decision in (monolith, modular)
    )
    return "" if mine == theirs else f"builds: {mine or 'unknown'} and {theirs or 'unknown'}"


def _signals(name: str, mine: Signal, theirs: Signal, *, same_inputs: bool, ways: bool) -> Iterator[Difference]:
    if mine.rules and theirs.rules and mine.rules != theirs.rules:
        yield _difference(f"{name} rules", mine.rules[:_HASH], theirs.rules[:_HASH])
    if mine.status is not theirs.status:
        yield _difference(f"{name} says", mine.status.value, theirs.status.value)
    yield from _weights(f"{name} weight", mine.weights, theirs.weights)
    if ways:
        yield from _parting(name, mine.explanation.steps, theirs.explanation.steps, every_figure=same_inputs)


def _weights(of: str, mine: Sequence[TargetWeight], theirs: Sequence[TargetWeight]) -> Iterator[Difference]:
    ours, others = ({item.symbol: item.weight for item in side} for side in (mine, theirs))
    for symbol in sorted(ours.keys() | others.keys()):
        if ours.get(symbol) != others.get(symbol):
            yield _difference(f"{of} {symbol}", _number(ours.get(symbol)), _number(others.get(symbol)))


def _targets(mine: Sequence[Target], theirs: Sequence[Target]) -> Iterator[Difference]:
    yield from _weights(
        "target",
        [TargetWeight(symbol=item.symbol, weight=item.weight) for item in mine],
        [TargetWeight(symbol=item.symbol, weight=item.weight) for item in theirs],
    )


def _parting(
    name: str, mine: Sequence[ExplanationStep], theirs: Sequence[ExplanationStep], *, every_figure: bool
) -> Iterator[Difference]:
    """The first step at which the two ways part, with the figures of both; after it they are about other things."""
    for number, (one, other) in enumerate(zip_longest(mine, theirs), 1):
        if one is None or other is None or (one != other if every_figure else _outcome(one) != _outcome(other)):
            yield _difference(f"{name} step {number}", _told(one), _told(other))
            return


def _outcome(step: ExplanationStep) -> object:
    """What a step says and how it turned out, without its figures."""
    match step:
        case ConditionStep():
            return step.text, step.holds
        case RankingStep():
            return step.text, [item.name for item in step.candidates if item.chosen]


def _told(step: ExplanationStep | None) -> str:
    match step:
        case None:
            return ""
        case ConditionStep():
            return f"{step.text} is {step.holds}: {step.left!r} and {step.right!r}"
        case RankingStep():
            chosen = ", ".join(f"{item.name} {item.value!r}" for item in step.candidates if item.chosen)
            return f"{step.text}: {chosen}"


def _by_strategy(signals: Sequence[Signal]) -> Mapping[str, Signal]:
    return {signal.strategy: signal for signal in signals}


def _number(weight: float | None) -> str:
    return "" if weight is None else repr(weight)


def _difference(where: str, mine: str, theirs: str) -> Difference:
    return Difference(where=where, monolith=mine, modular=theirs)
