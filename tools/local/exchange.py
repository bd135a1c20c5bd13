"""The simulator as a container's process: listens on every interface, its time flows, its books are in a file."""

from datetime import UTC, datetime, time
from pathlib import Path

from alchemiser_simulator import ClockMode, SimulatorConfig, read_history, sample_history, serve
from alchemiser_simulator.market.sessions import SessionCalendar

SHADOW_TOKEN = "a-token-that-only-reads"  # noqa: S105  (of this exchange alone)
"""The key of the pipeline that only plans."""
_FIRST_DAY = "2020-02-03"
"""Where simulated time begins on the bundled market: shortly before its most eventful weeks."""
_WARM_UP = 300


def serve_exchange(
    *, host: str, port: int, speed: float, data: Path | None, start: datetime | None, state: Path | None
) -> None:
    """Serve until interrupted. A remembered clock wins over `start`. Raises HistoryError, ConfigError, StateError."""
    history = sample_history() if data is None else read_history(data)
    begin = start
    if begin is None:
        sessions = SessionCalendar(history.dates).sessions
        first = (
            datetime.fromisoformat(_FIRST_DAY).date()
            if data is None
            else sessions[min(_WARM_UP, len(sessions) - 1)].day
        )
        begin = datetime.combine(first, time(13), UTC)
    config = SimulatorConfig(
        history=history,
        start=begin,
        state=state,
        clock=ClockMode.FLOWING,
        speed=speed,
        reading_tokens=frozenset({SHADOW_TOKEN}),
    )
    serve(config, host=host, port=port)
