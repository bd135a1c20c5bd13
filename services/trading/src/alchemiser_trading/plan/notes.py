"""What a person should know of a decision that is traded, one line a strategy and subject. Pure."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal

from alchemiser_common.messages.decision import RankingStep, Signal, SignalStatus, TradeDecision, UnknownReading
from alchemiser_common.messages.snapshot import StrategyTargets
from alchemiser_common.ports.broker import OtherHolding
from alchemiser_common.records.plan import Plan
from alchemiser_common.text import and_more
from alchemiser_trading.plan.holdings import wanted_by

_MOST_NAMED = 3
_MOST_OTHERS = 10
_NOTEWORTHY = Decimal("0.995")
"""A hold leaves the others a little less or more than their share on any day."""


def notes_of(
    decision: TradeDecision,
    plan: Plan,
    earlier: Mapping[str, StrategyTargets],
    others: Sequence[OtherHolding] = (),
) -> tuple[str, ...]:
    """Notes on a decision and the plan made from it.

    `earlier` is what each strategy last decided, `others` what the account holds beside what is managed.
    """
    lines: list[str] = []
    empty = {holding.strategy for holding in plan.holdings if holding.weights and not holding.shares}
    for signal in decision.signals:
        lines += _changes(signal, earlier.get(signal.strategy))
        if signal.strategy in empty:
            lines.append(f"{signal.strategy}: it holds, but no shares are booked for it; its weights are traded")
        lines += _unknown(signal)
        if signal.explanation.unsettled:
            lines.append(f"{signal.strategy}: {_named(_unsettled(signal.explanation.unsettled))}")
    scale = wanted_by(plan).scale
    if scale < _NOTEWORTHY:
        lines.append(f"what other strategies keep leaves those with targets {scale:.4f} of them")
    lines += and_more([_other(item) for item in others], _MOST_OTHERS)
    return tuple(lines)


def _other(item: OtherHolding) -> str:
    worth = "of unknown value" if item.market_value is None else f"worth {item.market_value} USD"
    quantity = "" if item.quantity is None else f"{item.quantity} "
    return f"{quantity}{item.symbol or 'a holding without a name'} {worth} is left alone: {item.kind}, {item.detail}"


def _changes(signal: Signal, before: StrategyTargets | None) -> Iterator[str]:
    """What a person has changed since the strategy last decided, as far as was recorded then."""
    if before is None:
        return
    when = f"on {before.decided_for}, when it last decided"
    if before.rules and signal.rules and before.rules != signal.rules:
        yield f"{signal.strategy}: its rules are others than {when}"
    if before.allocation is not None and before.allocation != signal.allocation:
        yield f"{signal.strategy}: it has {signal.allocation:.4g} of the account, {before.allocation:.4g} {when}"


def _unknown(signal: Signal) -> Iterator[str]:
    """What lacks data. A strategy that is unknown as a whole left nothing out: it kept its shares, or went to cash."""
    readings = signal.explanation.unknown
    if not readings:
        return
    if signal.status is SignalStatus.UNKNOWN:
        does = "keeps what it has" if signal.weights else "goes to cash"
        yield f"{signal.strategy}: unknown, {does}: {_named(_readings(readings))}"
    elif signal.status is SignalStatus.TARGET or _left_out(signal):
        yield f"{signal.strategy}: {_named(f'{item.symbol} left out, {_bars(item)}' for item in readings)}"
    else:
        yield f"{signal.strategy}: its target is unknown, it holds: {_named(_readings(readings))}"


def _left_out(signal: Signal) -> bool:
    """Whether some ranking went on without a candidate."""
    rankings = [step for step in signal.explanation.steps if isinstance(step, RankingStep)]
    return any(candidate.value is None for step in rankings for candidate in step.candidates)


def _readings(readings: Iterable[UnknownReading]) -> Iterator[str]:
    return (f"{item.indicator} of {item.symbol} has {item.bars_had} of {item.bars_needed} bars" for item in readings)


def _unsettled(readings: Iterable[UnknownReading]) -> Iterator[str]:
    return (
        f"{item.indicator} of {item.symbol} is unsettled, {item.bars_had} of {item.bars_needed} bars"
        for item in readings
    )


def _bars(item: UnknownReading) -> str:
    return f"{item.indicator} has {item.bars_had} of {item.bars_needed} bars"


def _named(items: Iterable[str]) -> str:
    return "; ".join(and_more(list(items), _MOST_NAMED))
