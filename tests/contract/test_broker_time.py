"""The broker's calendar and clock: a day in doubt is no closed day, and a reading comes with its round trip."""

from datetime import date, datetime, timedelta

import pytest

from alchemiser_common.errors import BrokerUnavailable
from alchemiser_common.ports.clock import EXCHANGE_ZONE
from support.alpaca_elements import DAY, days
from support.answered_broker import NOON, Answer, Asked, always, answered, as_json
from support.clock import ManualClock


def test_hours_that_cannot_be_matter_to_who_asks_for_them() -> None:
    session = always(days()).session_on(DAY)
    assert session is not None
    assert (session.previous_day, session.opens) == (
        date(2020, 6, 2),
        datetime(2020, 6, 3, 9, 30, tzinfo=EXCHANGE_ZONE),
    )
    for hours in ({"open": "16:00", "close": "09:30"}, {"open": None}, {"close": "25:00"}, {"open": 930}):
        with pytest.raises(BrokerUnavailable, match="the hours of 2020-06-03 cannot be"):
            always(days(**hours)).session_on(DAY)
    assert always(days()).sessions(date(2020, 6, 1), DAY) == [date(2020, 6, day) for day in (1, 2, 3)]


def test_a_calendar_that_is_in_doubt_is_no_closed_day() -> None:
    for undated in ({"date": None}, None, {"date": "2020-06-31"}):
        with pytest.raises(BrokerUnavailable, match="calendar"):
            always([*days()[:2], undated]).session_on(DAY)
    with pytest.raises(BrokerUnavailable, match="different hours"):
        always([*days(), {"date": "2020-06-03", "open": "09:30", "close": "13:00"}]).session_on(DAY)
    again = always([*days(), *days()])
    assert again.session_on(DAY) == always(days()).session_on(DAY)
    assert always(days()[:2]).session_on(DAY) is None


def test_the_clock_comes_with_its_round_trip() -> None:
    clock = ManualClock(NOON)

    def answering(_: Asked) -> Answer:
        clock.advance(timedelta(seconds=12))
        return as_json({"timestamp": "2020-06-03T12:00:06-04:00", "is_open": True})

    broker = answered(answering, clock)
    reading = broker.clock()
    assert reading.at == NOON + timedelta(seconds=6) == broker.now()
    assert timedelta(seconds=12) <= reading.round_trip < timedelta(seconds=13)
    middle = clock.now() - reading.round_trip / 2
    assert abs(reading.at + timedelta(seconds=12) - middle) < timedelta(seconds=1)


def test_a_clock_set_back_meanwhile_does_not_shorten_the_round_trip() -> None:
    clock = ManualClock(NOON)

    def answering(_: Asked) -> Answer:
        clock.advance(timedelta(hours=-1))
        return as_json({"timestamp": "2020-06-03T12:00:06-04:00"})

    assert timedelta(0) <= answered(answering, clock).clock().round_trip < timedelta(seconds=5)
