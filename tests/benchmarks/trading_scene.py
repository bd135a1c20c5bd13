"""An exchange in memory for the trading benchmarks: files in RAM, decisions a quarter past the open."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from alchemiser_common.ports.clock import EXCHANGE_ZONE
from alchemiser_common.settings import ExecutionSettings, TradingSettings
from alchemiser_simulator import PriceHistory
from support.trading_rig import Rig, exchange, rig_settings

MOST_ORDERS = 100


def decision_time(day: date) -> datetime:
    """9:45 in New York."""
    return datetime(day.year, day.month, day.day, 9, 45, tzinfo=EXCHANGE_ZONE).astimezone(UTC)


@contextmanager
def scene(history: PriceHistory, start: datetime, *, execution: ExecutionSettings | None = None) -> Iterator[Rig]:
    """The default settings with as many orders a run as a benchmark sends."""
    memory = Path("/dev/shm")
    settings = rig_settings().model_copy(
        update={
            "trading": TradingSettings(max_orders=MOST_ORDERS),
            "execution": execution or ExecutionSettings(),
        }
    )
    with (
        TemporaryDirectory(dir=memory if memory.is_dir() else None) as folder,
        exchange(history, Path(folder), settings=settings, start=start) as rig,
    ):
        yield rig
