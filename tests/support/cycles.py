"""The whole line on the simulated exchange, in one process, at a session's decision time; and what a run left."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path

from alchemiser_cli.cycles import Cycle, cycle_at, ensure_authority, on_exchange
from alchemiser_cli.history import RunDetail, read_detail, read_run
from alchemiser_cli.simulated import embedded_exchange, open_market
from alchemiser_common.decision_time import decision_time
from alchemiser_common.settings import Settings
from alchemiser_monolith.platform import Platform

DAY = date(2020, 2, 3)
TECL_ONLY: Mapping[str, object] = {"strategies": {"allocations": {"tecl": 1.0}}}


@contextmanager
def exchange_at(
    folder: Path, day: date = DAY, *, late: timedelta = timedelta(0), changes: Mapping[str, object] | None = None
) -> Iterator[tuple[Platform, Cycle]]:
    """A platform whose exchange stands at the session's decision time, and that session's cycle."""
    settings = Settings.model_validate({"home": folder, **(changes or {})})
    market = open_market(None)
    with embedded_exchange(market, start=day, state=None) as exchange:
        due = decision_time(market.as_session(market.sessions_from(day, 1)[0]), settings.schedule)
        exchange.clock.move_to(due + late)
        platform = on_exchange(settings, {}, exchange)
        ensure_authority(settings, platform.state, platform.clock.now())
        yield platform, cycle_at(settings, due)


def ended(platform: Platform, cycle: Cycle) -> RunDetail:
    summary = read_run(platform.state, cycle.run_id)
    assert summary is not None
    return read_detail(platform.state, platform.archive, summary)
