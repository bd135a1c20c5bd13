"""Snapshots that are larger than a queue message: by reference where that is switched on, refused where it is not."""

from datetime import timedelta

import numpy as np

from alchemiser_cli.history import read_detail, read_run
from alchemiser_cli.simulated import Market, open_market
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


UNIVERSE = {
    "ALCHEMISER_DATA__UNIVERSE": str(list(SYMBOL_NAMES)).replace("'", '"'),
    "ALCHEMISER_DATA__LOOKBACK": str(DAYS),
    "ALCHEMISER_DATA__HISTORY_DAYS": "1060",
}


def test_290_symbols_of_700_bars_travel_by_reference_and_are_decided_on(aws: Aws) -> None:
    market = large_market()
    day = market.calendar.sessions[-2].day
    with deployment(aws, UNIVERSE | {"ALCHEMISER_DATA__CLAIM_CHECK": "true"}, market=market, day=day) as deployed:
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


def test_switched_off_it_is_refused_with_its_size_before_anything_is_archived_or_sent(aws: Aws) -> None:
    market = large_market()
    with deployment(aws, UNIVERSE, market=market, day=market.calendar.sessions[-2].day) as deployed:
        answer = deployed.entry("data")(deployed.trigger.model_dump(mode="json"), QuarterHour())
        assert deployed.adapters.market_data_queue().receive() == []
        assert deployed.adapters.archive().keys("") == []
    assert answer["status"] == RunStatus.FAILED.value
    assert str(answer["reason"]).startswith("MarketSnapshot is ")
    assert "a queue message holds 1,048,576; data.claim_check = true" in str(answer["reason"])
