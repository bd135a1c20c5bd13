"""What a stage decided last and has stored of it: the snapshot to try builds on, and what they decide otherwise."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from alchemiser_cli.stored_runs import list_runs
from alchemiser_common import keys
from alchemiser_common.messages.decision import Signal, SignalStatus, TradeDecision
from alchemiser_common.messages.snapshot import MarketSnapshot, StrategyTargets
from alchemiser_common.messages.wire import ARCHIVED_LIMIT, decode
from alchemiser_common.ports.archive import Archive
from alchemiser_common.ports.state import StateStore, load_all
from alchemiser_common.probes import StrategyInPlay
from alchemiser_common.records.targets import StoredTargets

_RUNS = 40
"""Newest runs among which one with a snapshot is looked for: weekends and skipped days have none."""


@dataclass(frozen=True, slots=True)
class LastRun:
    """The newest run that has a snapshot in the archive, and what was decided on it, if that is archived."""

    key: str
    body: bytes
    """The snapshot as it is archived: another version would write it otherwise, and its hash would be another."""
    snapshot: MarketSnapshot
    decision: TradeDecision | None


def read_last_run(store: StateStore, archive: Archive, account_alias: str) -> LastRun | None:
    """The stage's last run with a snapshot; None if it never had one. Raises StoreUnavailable."""
    for run in list_runs(store, account_alias, limit=_RUNS):
        key = run.record.snapshot_key if run.record is not None else None
        body = None if key is None else archive.get(key)
        if key is None or body is None:
            continue
        snapshot = decode(body, MarketSnapshot, limit=ARCHIVED_LIMIT)
        decided = archive.get(keys.decision_object(snapshot.session.day, run.run_id))
        return LastRun(key, body, snapshot, None if decided is None else decode(decided, TradeDecision))
    return None


def stored_targets(store: StateStore, account_alias: str) -> Sequence[StrategyTargets]:
    """What each strategy last wanted to hold."""
    stored = load_all(store, keys.account_partition(account_alias), StoredTargets, prefix=keys.TARGETS_PREFIX)
    return [item.value.targets() for item in stored]


def changed_rules(strategies: Iterable[StrategyInPlay], stored: Iterable[StrategyTargets]) -> list[str]:
    """A sentence for each strategy that will not go on from its stored targets. A strategy without any begins anew."""
    live, found = {item.strategy: item for item in strategies}, []
    for targets in stored:
        now = live.get(targets.strategy)
        if now is None:
            if targets.weights:
                found.append(f"strategy {targets.strategy} is not allocated any more: its shares go at the next run")
        elif targets.rules and now.rules != targets.rules:
            found.append(
                f"strategy {targets.strategy} decides by other rules ({now.rules[:12]}) than behind its stored targets "
                f"({targets.rules[:12]}): it will be rebalanced at the next run"
            )
    return found


def targets_of(decision: TradeDecision) -> list[StrategyTargets]:
    """What each strategy of a decision wants to hold."""
    return [
        StrategyTargets(
            strategy=signal.strategy,
            decided_for=decision.session,
            weights=signal.weights,
            rules=signal.rules,
            allocation=signal.allocation,
        )
        for signal in decision.signals
    ]


def told(decision: TradeDecision, last: TradeDecision | None) -> list[str]:
    """A decision by strategy, each with what differs from the last one."""
    before = {} if last is None else {signal.strategy: signal for signal in last.signals}
    lines = [_line(signal, before.get(signal.strategy), known=last is not None) for signal in decision.signals]
    gone = sorted(set(before) - {signal.strategy for signal in decision.signals})
    return [*lines, *(f"{name}: not allocated any more" for name in gone)]


def _line(signal: Signal, before: Signal | None, *, known: bool) -> str:
    said = f"{signal.strategy} ({signal.allocation:.2%}, rules {signal.rules[:12]}): {_weights(signal)}"
    if not known:
        return said
    if before is None:
        return f"{said}; new"
    differs = []
    if before.rules != signal.rules:
        differs.append(f"rules were {before.rules[:12] or 'not recorded'}")
    if before.allocation != signal.allocation:
        differs.append(f"allocation was {before.allocation:.2%}")
    if _weights(before) != _weights(signal):
        differs.append(f"last decided: {_weights(before)}")
    return f"{said}; {', '.join(differs) or 'as last decided'}"


def _weights(signal: Signal) -> str:
    weights = ", ".join(f"{item.symbol} {item.weight:.2%}" for item in signal.weights) or "cash"
    return weights if signal.status is SignalStatus.TARGET else f"{signal.status.value} {weights}"
