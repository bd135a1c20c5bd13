"""Sessions of a market's file, and of the real exchange before it."""

from datetime import date

import pytest

from alchemiser_cli.simulated import Market
from alchemiser_simulator import sample_history
from alchemiser_simulator.market.sessions import SessionCalendar


@pytest.mark.parametrize(
    ("day", "before"),
    [
        (date(2020, 2, 3), date(2020, 1, 31)),  # a Monday
        (date(2015, 12, 31), date(2015, 12, 30)),  # the file's first
        (date(2020, 4, 13), date(2020, 4, 9)),  # after Good Friday
    ],
)
def test_the_session_before_a_day_is_one(day: date, before: date) -> None:
    history = sample_history()
    market = Market(history, SessionCalendar(history.dates), "")
    assert market.session_before(day) == before
