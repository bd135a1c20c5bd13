"""What state store and archive hold of one run, put together as a case; nothing is changed, nothing replaced yet."""

from collections.abc import Sequence

from pydantic import ValidationError

from alchemiser_cli.cases.case import About, BrokerAnswers, Case, CaseSettings
from alchemiser_cli.stored_runs import read_detail
from alchemiser_common import keys
from alchemiser_common.errors import InvalidSettings
from alchemiser_common.ids import Pipeline, run_id, scheduled_time
from alchemiser_common.messages.report import RunStatus
from alchemiser_common.messages.snapshot import MarketSnapshot
from alchemiser_common.messages.trigger import CycleTrigger
from alchemiser_common.messages.versions import read_json
from alchemiser_common.ports.archive import Archive
from alchemiser_common.ports.state import StateStore, load
from alchemiser_common.records.books import BookedOrder, FollowedAccount
from alchemiser_common.records.corporate_actions import JumpFacts
from alchemiser_common.records.loose import LooseOrder, LooseOrders
from alchemiser_common.records.parity import Parity
from alchemiser_common.settings import Settings, StrategySettings, TradingSettings
from alchemiser_readmodel.runs import RunDetail, RunSummary

_TRADING = "trading."


def gather(state: StateStore, archive: Archive, summary: RunSummary, settings: Settings) -> Case:
    """The run's parts. `settings` are those that it ran under, as far as is known.

    Raises InvalidSettings if nothing of the run was kept, or its parts do not belong together; InvalidMessage or
    StateCorrupt for what cannot be read.
    """
    detail = read_detail(state, archive, summary)
    _require_something(detail)
    answers = BrokerAnswers(
        booked=_booked(state, settings.account_alias, summary),
        loose=_loose(state, settings.account_alias, summary),
        jumps=_jumps(archive, detail.snapshot),
    )
    parity = load(state, keys.parity_record(run_id(summary.cycle_id, Pipeline.MODULAR)), Parity)
    head = summary.head
    return Case(
        about=About(
            run_id=summary.run_id,
            cycle_id=summary.cycle_id,
            pipeline=Pipeline(summary.pipeline),
            status=summary.status,
            reason=summary.reason,
            environment=settings.environment,
            settings=_settings(settings, detail),
        ),
        trigger=CycleTrigger(scheduled_at=scheduled_time(summary.cycle_id)),
        record=summary.record,
        snapshot=detail.snapshot,
        decision=detail.decision,
        journal=head,
        plan=detail.plan,
        intents=tuple(detail.intents),
        report=summary.report,
        broker=None if answers.empty else answers,
        parity=None if parity is None else parity.value,
    )


def _require_something(run: RunDetail) -> None:
    """Raises InvalidSettings, with where the run stands, unless there is an end or at least a snapshot."""
    summary = run.summary
    ended = summary.report is not None or (
        summary.record is not None and summary.record.status in {RunStatus.SKIPPED, RunStatus.FAILED}
    )
    if run.snapshot is not None or ended:
        return
    gone = summary.record is not None and summary.record.snapshot_key is not None
    why = "its snapshot is not in the archive any more" if gone else "no snapshot, no decision and no report is kept"
    raise InvalidSettings(
        f"nothing of run {summary.run_id} can be captured: it is {summary.status}, and {why}; "
        "`alchemiser runs` lists the others"
    )


def _settings(settings: Settings, run: RunDetail) -> CaseSettings:
    allocations = settings.strategies.allocations
    if run.decision is not None:
        allocations = {signal.strategy: signal.allocation for signal in run.decision.signals}
    return CaseSettings(
        schedule=settings.schedule,
        data=settings.data,
        strategies=StrategySettings(allocations=allocations, on_unknown=settings.strategies.on_unknown),
        trading=_trading(run) or settings.trading,
        execution=settings.execution,
    )


def _trading(run: RunDetail) -> TradingSettings | None:
    """Those that the plan was made by, if it says all of them as this version knows them."""
    named = () if run.plan is None else run.plan.settings
    found = {item.name.removeprefix(_TRADING): item.value for item in named if item.name.startswith(_TRADING)}
    try:
        values = {name: None if value == str(None) else value for name, value in found.items()}
        return TradingSettings.model_validate(values) if found else None
    except ValidationError:
        return None


def _booked(state: StateStore, alias: str, run: RunSummary) -> Sequence[BookedOrder]:
    followed = load(state, keys.followed_account(alias), FollowedAccount)
    runs = () if followed is None else followed.value.runs
    return tuple(order for booked in runs if booked.run_id == run.run_id for order in booked.orders)


def _loose(state: StateStore, alias: str, run: RunSummary) -> Sequence[LooseOrder]:
    loose = load(state, keys.loose_orders(alias, run.run_id), LooseOrders)
    return () if loose is None else loose.value.orders


def _jumps(archive: Archive, snapshot: MarketSnapshot | None) -> Sequence[JumpFacts]:
    """The archived answers on symbols and days of the snapshot."""
    if snapshot is None:
        return ()
    symbols = {*snapshot.bars.symbols, *(gap.symbol for gap in snapshot.missing)}
    asked = {keys.corporate_actions_object(symbol, day) for symbol in symbols for day in snapshot.bars.dates}
    known = sorted(asked.intersection(archive.keys(keys.CORPORATE_ACTIONS_PREFIX)))
    bodies = [body for key in known if (body := archive.get(key)) is not None]
    return tuple(read_json(JumpFacts, body) for body in bodies)
