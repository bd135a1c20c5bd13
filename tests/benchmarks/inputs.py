"""What a decision is made from: the default portfolio and a valid snapshot around any bars."""

from datetime import UTC, datetime, time, timedelta

from alchemiser_common.messages.bars import DailyBars
from alchemiser_common.messages.snapshot import BarPolicy, MarketSession, MarketSnapshot
from alchemiser_common.settings import StrategySettings
from alchemiser_strategy.bars import Bars
from alchemiser_strategy.manager import MultiStrategyManager
from alchemiser_strategy.registry import build_portfolio
from support.messages import make_snapshot

SYMBOLS, DAYS = 49, 252


def default_portfolio() -> MultiStrategyManager:
    """The strategies that are on by default, with their allocations."""
    return build_portfolio(StrategySettings().allocations)


def snapshot_of(bars: Bars) -> MarketSnapshot:
    """A run on the session after the bars' last one."""
    last = bars.dates[-1]
    day = last + timedelta(days=1)
    session = MarketSession(
        day=day,
        opens=datetime.combine(day, time(13, 30), UTC),
        closes=datetime.combine(day, time(20, 0), UTC),
        previous_day=last,
    )
    return make_snapshot(
        session=session,
        bar_policy=BarPolicy.COMPLETED,
        bars=DailyBars.from_closes(bars.dates, bars.symbols, bars.closes),
        previous_targets=(),
        positions=(),
    )
