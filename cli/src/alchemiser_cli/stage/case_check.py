"""A captured case put to a staged function: what it answers today, beside what was recorded. Nothing comes of it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from alchemiser_cli.cases.case import Case
from alchemiser_cli.cases.recorded_market import planned_from
from alchemiser_cli.stage.invoker import Invoker
from alchemiser_cli.stage.smoke import asked_decision, asked_plan, asked_snapshot
from alchemiser_common.errors import InvalidSettings
from alchemiser_common.messages.decision import TradeDecision
from alchemiser_common.messages.snapshot import MarketSnapshot
from alchemiser_common.messages.wire import ARCHIVED_LIMIT, decode, encode
from alchemiser_common.ports.clock import EXCHANGE_ZONE
from alchemiser_common.probes import INLINE_LIMIT, ProbeFailure, SnapshotAnswer
from alchemiser_common.records.plan import Plan
from alchemiser_common.records.universe import by_symbol
from alchemiser_common.text import and_more
from alchemiser_monolith.snapshot_differences import bar_differences
from alchemiser_strategy.bootstrap import enabled_strategies

_MOST_NAMED = 8
_NOT_COMPARED = (
    "account and positions are those of now; a price is adjusted for every dividend and split since the case"
)


@dataclass(frozen=True, slots=True)
class Answered:
    """Both answers in lines that can be laid side by side, and what differs; nothing if they are the same."""

    recorded: Sequence[str]
    answered: Sequence[str]
    differences: Sequence[str]
    note: str = ""
    """What was not compared, and why."""


def check_data(function: Invoker, case: Case) -> Answered:
    """The bars that the function reads today for the case's session, against those that it read then; of a run that
    came to no snapshot, whether it comes to none for the same reason.

    Raises InvalidSettings for a case that does not say what was read, SmokeFailed or StoreUnavailable.
    """
    then = case.snapshot
    day = case.trigger.scheduled_at.astimezone(EXCHANGE_ZONE).date() if then is None else then.session.day
    said = asked_snapshot(function, _universe(case), day)
    if isinstance(said, SnapshotAnswer) and said.snapshot is None:
        raise InvalidSettings(f"the snapshot is larger than an answer: it is archived under {said.archive_key}")
    now = said if isinstance(said, ProbeFailure) else decode(said.snapshot or "", MarketSnapshot, limit=ARCHIVED_LIMIT)
    recorded = (f"no snapshot: {case.about.reason}",) if then is None else _bars(then)
    answered = (f"no snapshot: {now.reason}",) if isinstance(now, ProbeFailure) else _bars(now)
    if then is None or isinstance(now, ProbeFailure):
        same = recorded == answered
        return Answered(recorded, answered, () if same else _differing(recorded[:1], answered[:1]))
    named = [
        f"{item.where}: {item.monolith or 'nothing'} then, {item.modular or 'nothing'} now"
        for item in bar_differences(then, now)
    ]
    return Answered(recorded, answered, tuple(and_more(named, _MOST_NAMED)), _NOT_COMPARED)


def _universe(case: Case) -> Mapping[str, int]:
    """What the run asked for. Raises InvalidSettings if the case does not say it."""
    if case.snapshot is not None:
        return by_symbol(case.snapshot.universe)
    try:
        return enabled_strategies(case.about.settings.strategies, {}).universe
    except InvalidSettings as error:
        raise InvalidSettings(
            f"the case has no snapshot, and so does not say what was read for strategies that do not ship: {error}"
        ) from error


def check_strategy(function: Invoker, case: Case) -> Answered:
    """What the function decides on the case's snapshot. Raises as `check_data`."""
    if case.snapshot is None:
        raise InvalidSettings(f"the case has no snapshot to decide on: {case.about.reason}")
    body = encode(case.snapshot, limit=ARCHIVED_LIMIT)
    if len(body) > INLINE_LIMIT:
        raise InvalidSettings(f"the snapshot has {len(body):,} bytes; an invocation takes {INLINE_LIMIT:,}")
    answer = asked_decision(function, {"snapshot": body})
    now = _decided(answer) if isinstance(answer, TradeDecision) else (f"no decision: {answer.error}: {answer.reason}",)
    then = _decided(case.decision) if case.decision is not None else (f"no decision: {case.about.reason}",)
    if not isinstance(answer, TradeDecision) or case.decision is None:
        refused = not isinstance(answer, TradeDecision) and case.decision is None
        return Answered(then, now, () if refused else ("one decided, the other one did not",))
    lines = tuple(and_more(_differing(then, now), _MOST_NAMED))
    same = answer.content_hash() == case.decision.content_hash()
    return Answered(then, now, () if same else lines or ("the explanations differ",))


def check_trading(function: Invoker, case: Case) -> Answered:
    """What the function plans for the case's decision from the account as it was. Raises as `check_data`."""
    if case.decision is None or case.plan is None:
        raise InvalidSettings(f"the case has no plan to compare with: {case.about.reason}")
    made_from = planned_from(case, case.plan)
    event = {"decision": encode(case.decision), "made_from": made_from.model_dump_json()}
    now, then = _planned(asked_plan(function, event)), _planned(case.plan)
    return Answered(then, now, tuple(and_more(_differing(then, now), _MOST_NAMED)))


CHECKS: Mapping[str, Callable[[Invoker, Case], Answered]] = {
    "data": check_data,
    "strategy": check_strategy,
    "trading": check_trading,
}
"""By service."""


def _bars(snapshot: MarketSnapshot) -> Sequence[str]:
    """Of each symbol how many bars, and the last close."""
    table = snapshot.bars
    counts = (~np.isnan(table.closes)).sum(axis=0).tolist()
    last = table.closes[-1].tolist()
    lines = [f"{name}: {count} bars, {close:g}" for name, count, close in zip(table.symbols, counts, last, strict=True)]
    return (*lines, *(f"{gap.symbol}: {gap.rule}, {gap.detail}" for gap in snapshot.missing))


def _decided(decision: TradeDecision) -> Sequence[str]:
    """Targets, then what each strategy says and by which rules."""
    targets = [f"{target.symbol} {target.weight:.6f}" for target in decision.targets]
    signals = [
        f"{signal.strategy} ({signal.allocation:.2%}, rules {signal.rules[:12]}): {signal.explanation.summary}"
        for signal in decision.signals
    ]
    return (*targets, *signals)


def _planned(plan: Plan) -> Sequence[str]:
    legs = [f"{leg.side.value} {leg.quantity} {leg.symbol} at {leg.price}" for leg in plan.legs]
    return (*legs, *(f"{leg.side.value} {leg.symbol} left out: {leg.reason}" for leg in plan.skipped))


def _differing(then: Sequence[str], now: Sequence[str]) -> Sequence[str]:
    gone = [f"only then: {line}" for line in then if line not in now]
    return (*gone, *(f"only now: {line}" for line in now if line not in then))
