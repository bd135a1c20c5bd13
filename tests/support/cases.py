"""Captured cases, and what each stage gives today for what it was given then.

A stage is called as Lambda calls it, through its handler, with real stores; its broker says what the case has recorded.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

from alchemiser_cli.cases.case import Case
from alchemiser_cli.cases.files import read_case
from alchemiser_cli.cases.recorded_market import last_closes, planned_from
from alchemiser_common import keys
from alchemiser_common.embedded.archived_events import ArchivedEvents
from alchemiser_common.embedded.directory_archive import DirectoryArchive
from alchemiser_common.embedded.memory_queue import MemoryQueue
from alchemiser_common.embedded.sqlite_state import SqliteStateStore
from alchemiser_common.errors import TradingHalted
from alchemiser_common.lambda_events import sqs_event
from alchemiser_common.messages.base import Message
from alchemiser_common.messages.decision import TradeDecision
from alchemiser_common.messages.report import ExecutionReport, RunStatus, StageFailure
from alchemiser_common.messages.snapshot import MarketSnapshot
from alchemiser_common.messages.wire import decode, encode
from alchemiser_common.ports.queue import Delivery
from alchemiser_common.ports.state import ABSENT, load, put
from alchemiser_common.records.books import Lot, StrategyBook
from alchemiser_common.records.plan import Plan
from alchemiser_common.records.run import RunRecord
from alchemiser_common.records.targets import StoredTargets
from alchemiser_common.records.trading_state import TradingState
from alchemiser_common.records.universe import Universe
from alchemiser_common.settings import Settings
from alchemiser_data.handler import DataFunction
from alchemiser_data.provider import UnifiedDataProvider
from alchemiser_data.service import DataService
from alchemiser_strategy.bootstrap import enabled_strategies
from alchemiser_strategy.handler import StrategyFunction
from alchemiser_strategy.service import StrategyService
from alchemiser_trading.account.authority import set_authority
from alchemiser_trading.account.trading_state import set_trading_state
from alchemiser_trading.bootstrap import Connection, trading_service
from alchemiser_trading.handler import TradingFunction
from support.clock import ManualClock
from support.recorded_broker import RecordedBroker

SENT = datetime(2020, 1, 1, tzinfo=UTC)
"""When a message went into a queue, of which nothing depends."""
FOLDER = Path(__file__).parents[1] / "fixtures" / "cases"
_QUARTER_HOUR = timedelta(minutes=15)


def names() -> list[str]:
    """Every case among the fixtures."""
    return sorted(folder.name for folder in FOLDER.iterdir() if folder.is_dir())


@cache
def captured(name: str) -> Case:
    """A case among the fixtures."""
    return read_case(FOLDER / name)


def bars_recorded(case: Case) -> bool:
    """Whether the data stage can be asked again: bars that were refused are not kept, of one symbol or of all."""
    if case.snapshot is None:
        return case.about.status == RunStatus.SKIPPED.value
    kept = {*case.snapshot.bars.symbols}
    return all(gap.symbol in kept or gap.rule == "present" for gap in case.snapshot.missing)


def replayed_data(case: Case, folder: Path) -> tuple[RunRecord, MarketSnapshot | None]:
    """What the data function records and sends for the case's trigger."""
    snapshot = case.snapshot
    moment = case.trigger.scheduled_at if snapshot is None else snapshot.provenance.read_at
    account, positions = (None, ()) if snapshot is None else (snapshot.account, snapshot.positions)
    broker = RecordedBroker(case, moment, account, positions, last_closes(case.snapshot))
    clock, settings = ManualClock(moment), _settings(case)
    state, archive = SqliteStateStore(folder / "state.db"), DirectoryArchive(folder / "archive")
    for jump in case.broker.jumps if case.broker is not None else ():
        archive.put(keys.corporate_actions_object(jump.symbol, jump.day), jump.model_dump_json().encode())
    _seed_targets(state, case)
    universe = Universe(needed=snapshot.universe) if snapshot is not None else Universe.of({"SPY": 1})
    provider = UnifiedDataProvider(broker, clock, lambda: universe, settings.data, archive)
    queue = MemoryQueue("MarketDataQueue", clock, visibility=_QUARTER_HOUR)
    service = DataService(provider, state, archive, clock, settings, case.about.pipeline)
    DataFunction(service, queue).handle(case.trigger.model_dump(mode="json"))
    record = load(state, keys.data_record(case.about.run_id), RunRecord)
    assert record is not None
    sent = queue.receive()
    return record.value, decode(sent[0].body, MarketSnapshot) if sent else None


def replayed_decision(case: Case) -> TradeDecision | StageFailure:
    """What the strategy function sends for the case's snapshot."""
    assert case.snapshot is not None
    clock = ManualClock(case.trigger.scheduled_at)
    queue = MemoryQueue("TradeDecisionQueue", clock, visibility=_QUARTER_HOUR)
    manager = enabled_strategies(case.about.settings.strategies, {})
    StrategyFunction(StrategyService(manager, clock), queue).handle(_event(case.snapshot))
    (sent,) = queue.receive()
    answer = decode(sent.body, TradeDecision, StageFailure)
    assert isinstance(answer, TradeDecision | StageFailure)
    return answer


def replayed_trading(
    case: Case, message: TradeDecision | StageFailure, folder: Path
) -> tuple[Plan | None, ExecutionReport]:
    """The plan and report of the trading function for what the strategy function sent.

    Of a case with a plan a shadow's: it plans from the same account at the same moment, and sends nothing.
    """
    assert case.report is not None
    plan = case.plan
    moment = case.report.trace[-1].finished if plan is None else plan.made_at
    account = plan.account if plan is not None else case.snapshot.account if case.snapshot is not None else None
    known = () if plan is None else planned_from(case, plan).prices
    prices = {item.symbol: item.price for item in known}
    broker = RecordedBroker(case, moment, account, () if plan is None else plan.positions, prices)
    clock, settings = ManualClock(moment), _settings(case, shadow=plan is not None)
    state, archive = SqliteStateStore(folder / "state.db"), DirectoryArchive(folder / "archive")
    _seed_trading(state, case, moment)
    service = trading_service(
        Connection(broker, None if settings.shadow else broker),
        state=state,
        archive=archive,
        events=ArchivedEvents(archive),
        clock=clock,
        settings=settings,
    )
    TradingFunction(service).handle(_event(message), lambda: _QUARTER_HOUR)
    made = load(state, keys.plan_record(case.about.run_id), Plan)
    report = load(state, keys.report_record(case.about.run_id), ExecutionReport)
    assert report is not None
    return None if made is None else made.value, report.value


def _settings(case: Case, *, shadow: bool = False) -> Settings:
    own, about = case.about.settings, case.about
    return Settings(
        account_alias=about.cycle_id.partition(":")[0],
        environment=about.environment,
        pipeline=about.pipeline,
        shadow=shadow,
        schedule=own.schedule,
        data=own.data,
        strategies=own.strategies,
        trading=own.trading,
        execution=own.execution,
    )


def _event(message: Message) -> dict[str, object]:
    delivery = Delivery("recorded", "recorded", encode(message), message.account_alias, SENT, 1)
    return dict(sqs_event(delivery, "arn:aws:sqs:us-east-1:000000000000:Queue.fifo"))


def _seed_targets(state: SqliteStateStore, case: Case) -> None:
    for targets in case.snapshot.previous_targets if case.snapshot is not None else ():
        key = keys.strategy_targets(case.about.cycle_id.partition(":")[0], targets.strategy)
        state.write(put(key, StoredTargets.of(targets), ABSENT))


def _seed_trading(state: SqliteStateStore, case: Case, moment: datetime) -> None:
    """What the state store had when the decision came: the run's record, targets, books of those who hold, switches."""
    assert case.record is not None
    alias = case.record.account_alias
    state.write(put(keys.data_record(case.about.run_id), case.record, ABSENT))
    _seed_targets(state, case)
    for book in _books(case.plan) if case.plan is not None else ():
        state.write(put(keys.strategy_book(alias, book.strategy), book, ABSENT))
    set_authority(state, alias, case.about.pipeline, who="test", reason="as then", now=moment)
    if case.report is not None and case.report.error == TradingHalted.__name__:
        set_trading_state(state, alias, TradingState.HALTED, who="test", reason="as then", now=moment)


def _books(plan: Plan) -> Sequence[StrategyBook]:
    """Of the strategies that hold; what the others have is not recorded, and no plan depends on it."""
    prices = {position.symbol: position.average_entry_price for position in plan.positions}
    return [
        StrategyBook(
            strategy=held.strategy,
            lots=tuple(
                Lot(symbol=item.symbol, quantity=item.quantity, price=prices[item.symbol], opened=plan.session)
                for item in held.shares
            ),
        )
        for held in plan.holdings
    ]
