"""Runs as stored: reads state and archive, puts one run's pieces side by side, changes nothing.

What the pieces mean, the read model says.
"""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from alchemiser_cli.stored_lists import newest
from alchemiser_common import keys
from alchemiser_common.errors import InvalidSettings, StateCorrupt
from alchemiser_common.ids import Pipeline, run_id
from alchemiser_common.messages.base import Message, VersionedModel
from alchemiser_common.messages.decision import TradeDecision
from alchemiser_common.messages.report import ExecutionReport
from alchemiser_common.messages.snapshot import MarketSnapshot
from alchemiser_common.messages.wire import ARCHIVED_LIMIT, decode
from alchemiser_common.ports.archive import Archive
from alchemiser_common.ports.state import Key, StateStore, load, load_all
from alchemiser_common.records.dry_walk import DryWalk
from alchemiser_common.records.journal import Intent, JournalHead
from alchemiser_common.records.notice import ToldRun
from alchemiser_common.records.parity import Parity
from alchemiser_common.records.plan import Plan
from alchemiser_common.records.run import RunEntry, RunRecord
from alchemiser_readmodel.prices_beside import Execution, execution_of
from alchemiser_readmodel.runs import RunDetail, RunSummary, times_of
from alchemiser_readmodel.verdicts import newest_first
from alchemiser_readmodel.waterfall import RunTimes

LATEST = "last"


def list_runs(state: StateStore, account_alias: str, *, limit: int | None = None) -> list[RunSummary]:
    """An account's runs, newest cycle first."""
    entries = load_all(state, keys.runs_partition(account_alias), RunEntry, limit=limit, descending=True)
    return [_listed(state, entry.value) for entry in entries]


def runs_before(state: StateStore, account_alias: str, *, before: str = "", limit: int) -> list[tuple[str, RunSummary]]:
    """At most `limit` of an account's runs, newest cycle first, each with the place in the list that `before` takes."""
    entries = newest(state, keys.runs_partition(account_alias), RunEntry, limit=limit, before=before)
    return [(place, _listed(state, entry)) for place, entry in entries]


def list_parities(state: StateStore, account_alias: str, runs: Sequence[RunSummary]) -> list[Parity]:
    """The verdicts on these runs' cycles, and on those since the oldest of which no run was heard, newest first."""
    cycles = dict.fromkeys(run.cycle_id for run in runs)
    stored = (parity for cycle in cycles if (parity := parity_of(state, cycle)) is not None)
    silent = load_all(state, keys.account_partition(account_alias), Parity, prefix=keys.SILENT_PREFIX)
    return newest_first((*stored, *(item.value for item in silent)), runs)


def read_run(state: StateStore, run: UUID) -> RunSummary | None:
    """A run by its whole id, or None if nothing is stored about it."""
    record, head = one_of(state, keys.data_record(run), RunRecord), one_of(state, keys.journal_record(run), JournalHead)
    known = head or record
    if known is None:
        return None
    report = one_of(state, keys.report_record(run), ExecutionReport) if head is not None else None
    return RunSummary(run, known.cycle_id, record, head, report)


def ended_run(state: StateStore, run: UUID) -> RunSummary:
    """A run that has just been run. Raises StateCorrupt if nothing is stored about it."""
    summary = read_run(state, run)
    if summary is None:
        raise StateCorrupt(f"run {run} left no record")
    return summary


def _listed(state: StateStore, entry: RunEntry) -> RunSummary:
    return read_run(state, entry.run_id) or RunSummary(entry.run_id, entry.cycle_id, None, None, None)


def find_run(state: StateStore, account_alias: str, name: str) -> RunSummary:
    """The run whose id begins with `name`, or the latest. Raises InvalidSettings if that is no one run."""
    entries = [item.value for item in load_all(state, keys.runs_partition(account_alias), RunEntry, descending=True)]
    if not entries:
        raise InvalidSettings(f"account {account_alias} has no runs in this home yet; `alchemiser run` makes one")
    found = [entry for entry in entries if name == LATEST or str(entry.run_id).startswith(name.lower())]
    if not found:
        raise InvalidSettings(
            f"no run of account {account_alias} has an id that begins with {name!r}; see `alchemiser runs`"
        )
    if len(found) > 1 and name != LATEST:
        raise InvalidSettings(f"{len(found)} runs have ids that begin with {name!r}; give more of it")
    return _listed(state, found[0])


def read_detail(state: StateStore, archive: Archive, summary: RunSummary) -> RunDetail:
    """A run with its snapshot, decision, plan and intents, as far as it has them."""
    snapshot = None
    if summary.record is not None and summary.record.snapshot_key is not None:
        snapshot = _archived(archive, summary.record.snapshot_key, MarketSnapshot)
    decision = None
    if snapshot is not None:
        decision = decision_of(archive, summary.run_id, snapshot.session.day)
    plan = one_of(state, keys.plan_record(summary.run_id), Plan)
    intents = load_all(state, keys.run_partition(summary.run_id), Intent, prefix=keys.INTENT_PREFIX)
    walk = one_of(state, keys.dry_walk_record(summary.run_id), DryWalk)
    return RunDetail(summary, snapshot, decision, plan, [item.value for item in intents], walk)


def run_times(state: StateStore, run: RunSummary) -> RunTimes | None:
    """What of a run has times, by the state alone; None if nothing is stored but that it began."""
    intents = load_all(state, keys.run_partition(run.run_id), Intent, prefix=keys.INTENT_PREFIX)
    return times_of(run, [item.value for item in intents])


def told_of(state: StateStore, account_alias: str, run: UUID) -> list[ToldRun]:
    """What people were told of the run, in the order of their kinds."""
    first = keys.told_run(account_alias, run, "")
    return [item.value for item in load_all(state, first.partition, ToldRun, prefix=first.sort)]


def parity_of(state: StateStore, cycle_id: str) -> Parity | None:
    """The verdict on a cycle, None if it has none."""
    return one_of(state, keys.parity_record(run_id(cycle_id, Pipeline.MODULAR)), Parity)


def decision_of(archive: Archive, run: UUID, session: date) -> TradeDecision | None:
    """What a run of that session executed, None if the archive has it not. Raises StoreUnavailable, InvalidMessage."""
    return _archived(archive, keys.decision_object(session, run), TradeDecision)


def executions_of(state: StateStore, cycle_id: str) -> tuple[Execution, Execution]:
    """What the orders of a cycle came to, the monolith's and the modular pipeline's."""

    def side(pipeline: Pipeline) -> Execution:
        run = run_id(cycle_id, pipeline)
        report = one_of(state, keys.report_record(run), ExecutionReport)
        return execution_of(report, one_of(state, keys.dry_walk_record(run), DryWalk))

    return side(Pipeline.MONOLITH), side(Pipeline.MODULAR)


def one_of[M: VersionedModel](state: StateStore, key: Key, model: type[M]) -> M | None:
    """The record at the key, None if there is none. Raises StateCorrupt."""
    known = load(state, key, model)
    return None if known is None else known.value


def _archived[M: Message](archive: Archive, key: str, kind: type[M]) -> M | None:
    body = archive.get(key)
    return None if body is None else decode(body, kind, limit=ARCHIVED_LIMIT)


def summary_json(run: RunSummary) -> dict[str, object]:
    """A run's line for `--json`."""
    return {
        "run_id": str(run.run_id),
        "cycle_id": run.cycle_id,
        "pipeline": run.pipeline,
        "status": run.status,
        "reason": run.reason,
        "notes": list(run.notes),
        "orders_placed": run.report.orders_placed if run.report is not None else None,
    }


def detail_json(run: RunDetail) -> dict[str, object]:
    """Everything about a run for `--json`."""
    parts = {
        "decision": run.decision,
        "plan": run.plan,
        "report": run.summary.report,
        "dry_walk": run.dry_walk,
    }
    return {
        **summary_json(run.summary),
        **{name: part.model_dump(mode="json") if part is not None else None for name, part in parts.items()},
        "intents": [intent.model_dump(mode="json") for intent in run.intents],
    }
