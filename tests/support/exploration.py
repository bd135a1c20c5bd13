"""Runs one decision under chosen faults until it is done, and says whether the exchange ended as without any."""

import random
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from itertools import count
from pathlib import Path

from alchemiser_common.embedded.directory_archive import DirectoryArchive
from alchemiser_common.embedded.sqlite_state import SqliteStateStore
from alchemiser_common.errors import TransientError
from alchemiser_common.ids import Pipeline
from alchemiser_common.messages.decision import TradeDecision
from alchemiser_common.messages.report import ExecutionReport, RunStatus
from alchemiser_trading.account.authority import set_authority
from alchemiser_trading.books.book_store import StoredBooks, compare_books
from alchemiser_trading.journal.journal import Journal
from alchemiser_trading.service import DecisionService
from support.faulty_ports import Fault, Faults, FaultyArchive, FaultyBroker, FaultyStore, Killed
from support.interleaving import Interleaving
from support.trading_rig import QUARTER_HOUR, SCHEDULED, Rig, exchange, quiet_market
from support.trading_runs import SWITCH, SWITCHED, assert_no_open_orders

PRICES = {"AAA": 100.0, "BBB": 50.0, "CCC": 20.0}
HELD = Decimal("1000.123456789")
DELIVERIES = 12

type Stage = Rig


@contextmanager
def stage(folder: Path) -> Iterator[Callable[[], Rig]]:
    """An exchange, and a function that starts everything over on it."""
    numbers = count()
    with exchange(quiet_market(PRICES), folder) as first:

        def fresh() -> Rig:
            number = next(numbers)
            shutil.rmtree(folder / f"run-{number - 1}", ignore_errors=True)
            first.control.reset(start=SCHEDULED)
            first.control.set_holding("CCC", HELD)
            first.clock.restart(SCHEDULED)
            state = SqliteStateStore(folder / f"run-{number}" / "state.sqlite")
            archive = DirectoryArchive(folder / f"run-{number}" / "archive")
            set_authority(state, "bench", Pipeline.MODULAR, who="test", reason="start", now=SCHEDULED)
            return replace(first, state=state, archive=archive)

        yield fresh


@dataclass(frozen=True, slots=True)
class Story:
    """Faults by delivery, each at a numbered call of that delivery's process."""

    deliveries: Sequence[Mapping[int, Fault]]


def process(rig: Rig, faults: Faults, worker: str = "bench") -> DecisionService:
    """A process whose every call passes by `faults`."""
    return rig.service(
        broker=FaultyBroker(rig.broker, faults),
        state=FaultyStore(rig.state, faults),
        archive=FaultyArchive(rig.archive, faults),
        worker=worker,
    )


def play(rig: Rig, story: Story) -> tuple[ExecutionReport, int]:
    """Deliver until done, then once more; the first final report, and the number of deliveries it took."""
    decision = rig.decision(SWITCH)
    for delivery in range(DELIVERIES):
        chosen = story.deliveries[delivery] if delivery < len(story.deliveries) else {}
        service = process(rig, Faults(dict(chosen)), worker=f"delivery-{delivery}")
        try:
            report = service.execute(decision, time_left=lambda: QUARTER_HOUR)
        except (TransientError, Killed):
            rig.clock.sleep(rig.settings.execution.lease_seconds + 1)
            continue
        before = len(rig.orders())
        again = rig.trade(decision)
        assert len(rig.orders()) == before, "a delivery after the end placed an order"
        assert again.status is report.status
        return report, delivery + 1
    raise AssertionError(f"{DELIVERIES} deliveries did not end the run")


def check(rig: Rig, report: ExecutionReport) -> str:
    """What the run came to: `completed` as without faults, or a named halt. Raises AssertionError otherwise."""
    traded = rig.traded()
    for leg, quantity in traded.items():
        assert quantity <= SWITCHED.get(leg, Decimal(0)), f"{leg} traded {quantity}, more than intended"
    ids = [order.client_order_id for order in rig.orders()]
    assert len(ids) == len(set(ids)), "a client order id was used twice"
    truth = rig.truth()
    assert truth.cash >= truth.equity * Decimal("0.009"), f"the reserve was spent: {truth.cash} USD left"
    if report.status is RunStatus.HALTED:
        assert report.reason, "a halt must say why"
        return "halted"
    assert report.status is RunStatus.COMPLETED, f"{report.status.value}: {report.reason}"
    assert traded == SWITCHED, f"traded {traded}"
    assert_no_open_orders(rig)
    assert compare_books(rig.state, "bench", rig.broker.holdings().positions) == (), "books and broker differ"
    assert StoredBooks.load(rig.state, "bench").books, "no books were kept"
    return "completed"


def calls_without_faults(rig: Rig) -> list[str]:
    """Names of the I/O calls of a run that meets no fault."""
    faults = Faults()
    report = process(rig, faults).execute(rig.decision(SWITCH), time_left=lambda: QUARTER_HOUR)
    assert report.status is RunStatus.COMPLETED, report.reason
    return faults.names


def random_story(seed: int, calls: int) -> Story:
    """Up to four faults over up to four deliveries."""
    chance = random.Random(seed)
    deliveries: list[dict[int, Fault]] = [{} for _ in range(4)]
    for _ in range(chance.randint(1, 4)):
        deliveries[chance.randrange(4)][chance.randrange(calls)] = chance.choice(list(Fault))
    return Story(deliveries)


def race(rig: Rig, seed: int, pipelines: Sequence[Pipeline]) -> tuple[str, int]:
    """One worker a pipeline named, each with deliveries of that pipeline's decision, interleaved by the seed.

    Gives what the run of the pipeline with authority came to, and how often everyone stood still.
    """
    leases = timedelta(seconds=rig.settings.execution.lease_seconds + 1)
    interleaving = Interleaving(rig.clock, seed, long_pause=leases)
    for number, pipeline in enumerate(pipelines):
        name = f"{pipeline.value}-{number}"
        interleaving.add(name, _worker(rig, interleaving, name, rig.decision(SWITCH, pipeline=pipeline)))
    interleaving.run()
    if interleaving.errors:
        raise interleaving.errors[0]
    rig.clock.sleep(leases.total_seconds())
    report = rig.trade(rig.decision(SWITCH))
    for pipeline in set(pipelines) - {Pipeline.MODULAR}:
        other = Journal.load(rig.state, rig.decision(SWITCH, pipeline=pipeline).run_id)
        assert other is None or other.plan() is None, "a pipeline without authority made a plan"
    return check(rig, report), interleaving.pauses


def _worker(rig: Rig, interleaving: Interleaving, name: str, decision: TradeDecision) -> Callable[[], None]:
    clock = interleaving.clock_of(name)
    faults = Faults(on_call=interleaving.point(name))
    service = rig.service(
        broker=FaultyBroker(rig.broker, faults),
        state=FaultyStore(rig.state, faults),
        archive=FaultyArchive(rig.archive, faults),
        worker=name,
        clock=clock,
    )

    def work() -> None:
        for _ in range(4):
            try:
                service.execute(decision, time_left=lambda: QUARTER_HOUR)
            except TransientError:
                clock.sleep(20)
            else:
                return

    return work
