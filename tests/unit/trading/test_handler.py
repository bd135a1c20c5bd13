"""What the trading function answers the watch: only a run that could not be worked on is an error to AWS."""

from datetime import timedelta
from typing import NoReturn, cast

import pytest

from alchemiser_common.errors import LeaseHeld, OutOfTime, StoreUnavailable, TransientError
from alchemiser_common.lambda_events import handle_batch
from alchemiser_common.ports.clock import TimeLeft
from alchemiser_trading.handler import TradingFunction, WatchAnswer
from alchemiser_trading.service import DecisionService

WATCH = {"watch": "overdue"}


class Meets:
    """A service whose watch meets an error."""

    def __init__(self, error: TransientError) -> None:
        self._error = error

    def end_overdue(self, *, time_left: TimeLeft) -> NoReturn:
        assert time_left() > timedelta(0)
        raise self._error

    def missed_today(self) -> None:
        """Nothing was due."""


def function(error: TransientError) -> TradingFunction:
    return TradingFunction(cast("DecisionService", Meets(error)))


@pytest.mark.parametrize("error", [LeaseHeld("worked on by another"), OutOfTime("2 legs are left")])
def test_a_run_that_goes_on_elsewhere_or_later_is_no_error(error: TransientError) -> None:
    answer = function(error).handle(WATCH, lambda: timedelta(minutes=15))
    assert answer == WatchAnswer(reason=f"{type(error).__name__}: {error}")


def test_a_store_that_is_away_is_one_and_aws_tries_again() -> None:
    with pytest.raises(StoreUnavailable, match="away"):
        function(StoreUnavailable("away")).handle(WATCH, lambda: timedelta(minutes=15))


@pytest.mark.parametrize(
    ("error", "level"), [(OutOfTime("2 legs are left"), "INFO"), (LeaseHeld("worked on by another"), "ERROR")]
)
def test_a_delivery_that_hands_over_fails_its_message_and_is_not_logged_as_an_error(
    error: TransientError, level: str, caplog: pytest.LogCaptureFixture
) -> None:
    def handle(body: str) -> None:
        raise error

    caplog.set_level("INFO")
    answer = handle_batch({"Records": [{"messageId": "one", "body": "a decision"}]}, handle)
    assert [failure.itemIdentifier for failure in answer.batchItemFailures] == ["one"], "the queue must bring it again"
    assert [record.levelname for record in caplog.records] == [level]
