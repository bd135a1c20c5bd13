"""Snapshots that are larger than a queue message: they travel by reference, and no monolith needs one."""

from datetime import timedelta
from pathlib import Path

import numpy as np

from alchemiser_cli.simulated import Market, open_market
from alchemiser_cli.stored_runs import read_detail, read_run
from alchemiser_common.ids import Pipeline
from alchemiser_common.messages.reference import SnapshotReference
from alchemiser_common.messages.report import RunStatus
from alchemiser_common.messages.wire import MESSAGE_LIMIT, decode
from alchemiser_simulator import PriceHistory
from alchemiser_simulator.market.sessions import SessionCalendar
from support.aws import Aws
from support.functions import QuarterHour, deployment, poll

SYMBOLS, DAYS = 290, 700
NEEDED = ("BIL", "BSV", "KMLM", "SPXL", "SPY", "SQQQ", "TECL", "TQQQ", "UVXY", "XLK")
SYMBOL_NAMES = sorted({*NEEDED, *(f"ZZ{at:03d}" for at in range(SYMBOLS - len(NEEDED)))})


def large_market() -> Market:
    """Random walks at full precision on the sample's last sessions, preceded by weekdays."""
    sessions = [session.day for session in open_market(None).calendar.sessions]
    last = sessions[-1]
    days = [last - timedelta(days=back) for back in range(1100)]
    dates = tuple(sorted(day for day in days if day.weekday() < 5))[-(DAYS + 5) :]
    steps = np.random.default_rng(7).normal(0, 0.01, (len(dates), SYMBOLS))
    history = PriceHistory(dates, tuple(SYMBOL_NAMES), 50 * np.exp(np.cumsum(steps, axis=0)))
    return Market(history, SessionCalendar(history.dates), "")


UNIVERSE = dict.fromkeys(SYMBOL_NAMES, DAYS)


def test_290_symbols_of_700_bars_travel_by_reference_and_are_decided_on(aws: Aws) -> None:
    market = large_market()
    day = market.calendar.sessions[-2].day
    with deployment(aws, market=market, day=day, universe=UNIVERSE) as deployed:
        deployed.give_authority(Pipeline.MODULAR)
        adapters = deployed.adapters
        answer = deployed.entry("data")(deployed.trigger.model_dump(mode="json"), QuarterHour())
        assert answer["status"] == RunStatus.PUBLISHED.value, answer
        (message,) = adapters.market_data_queue().receive()
        adapters.market_data_queue().release(message)
        reference = decode(message.body, SnapshotReference)
        poll(adapters.market_data_queue(), lambda event: deployed.entry("strategy")(event, QuarterHour()))
        poll(adapters.trade_decision_queue(), lambda event: deployed.entry("trading")(event, QuarterHour()))
        summary = read_run(adapters.state(), deployed.run(Pipeline.MODULAR))
        assert summary is not None
        run = read_detail(adapters.state(), adapters.archive(), summary)
    assert len(message.body) < 1_000
    assert reference.size > MESSAGE_LIMIT
    assert run.snapshot is not None
    assert run.snapshot.bars.closes.shape[0] >= DAYS - 5
    assert run.snapshot.bars.closes.shape[1] == SYMBOLS
    assert run.decision is not None
    assert run.decision.snapshot_hash == run.snapshot.content_hash()
    assert run.summary.status == RunStatus.COMPLETED.value, run.summary.reason


def test_the_monolith_decides_on_a_snapshot_that_no_queue_could_carry(aws: Aws, tmp_path: Path) -> None:
    """A ranking of every symbol: the monolith reads for itself what its strategies need."""
    leaves = " ".join(f'(asset "{symbol}")' for symbol in SYMBOL_NAMES)
    ranking = f"(filter (cumulative-return {{:window {DAYS - 1}}}) (select-top 1) [{leaves}])"
    (tmp_path / "wide.clj").write_text(f'(defsymphony "wide" {{}} {ranking})', "utf-8")
    own = {
        "ALCHEMISER_STRATEGIES__FOLDER": str(tmp_path),
        "ALCHEMISER_STRATEGIES__ALLOCATIONS": '{"wide":1.0}',
    }
    market = large_market()
    with deployment(aws, own, market=market, day=market.calendar.sessions[-2].day) as deployed:
        deployed.give_authority(Pipeline.MONOLITH)
        answer = deployed.entry("monolith")(deployed.trigger.model_dump(mode="json"), QuarterHour())
        adapters = deployed.adapters
        (key,) = adapters.archive().keys("snapshots/")
        body = adapters.archive().get(key)
    assert answer["status"] == RunStatus.COMPLETED.value, answer
    assert body is not None
    assert len(body) > MESSAGE_LIMIT
