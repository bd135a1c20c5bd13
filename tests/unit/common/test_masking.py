"""A secret that was loaded is in nothing that leaves the process, whoever wrote the text."""

import io
import json
import logging
from collections.abc import Iterator
from urllib.parse import quote

import pytest

from alchemiser_common import masking
from alchemiser_common.embedded.environment_secrets import KEY_ID, SECRET_KEY, EnvironmentSecrets
from alchemiser_common.errors import AlchemiserError, BrokerRefused, BrokerUnavailable
from alchemiser_common.lambda_entry import LambdaEntry
from alchemiser_common.masking import MASK, mask_from_now_on, masked
from alchemiser_common.messages.base import Frozen
from alchemiser_common.telemetry import log_to, stop_logging

KEY = "PKQ7ZL2M9X4C6V8B1N3D"
SECRET = "aB3/dE5+gH7jK9mN1pQ3sT5vX7zA9cE1gI3kM5oQ"
ECHO = f"server said: apca-api-key-id: {KEY}, secret {SECRET}, {quote(SECRET, safe='')}"


@pytest.fixture(autouse=True)
def loaded() -> Iterator[None]:
    """The key is loaded as a process loads it, and forgotten after the test."""
    before = list(masking._known)
    EnvironmentSecrets({KEY_ID: KEY, SECRET_KEY: SECRET}).broker_credentials()
    yield
    masking._known[:] = before


def readable(text: str) -> bool:
    return any(part in text for part in (KEY, SECRET, quote(SECRET, safe="")))


def test_every_error_reads_masked_and_keeps_the_rest() -> None:
    for error in (AlchemiserError(ECHO), BrokerUnavailable(ECHO), BrokerRefused(ECHO, status=403)):
        assert not readable(str(error))
        assert str(error).startswith(f"server said: apca-api-key-id: {MASK}, secret {MASK}")


def test_a_secret_that_begins_as_another_does_is_masked_whole() -> None:
    mask_from_now_on("first-key")
    mask_from_now_on("first-key-and-more")
    assert masked("first-key-and-more, first-key") == f"{MASK}, {MASK}"
    mask_from_now_on("key")
    mask_from_now_on("")
    assert masked("monkey") == "monkey", "too short for a broker's key"


def test_log_lines_of_ours_and_of_libraries_are_masked_with_their_extras_and_tracebacks() -> None:
    stream = io.StringIO()
    handler = log_to(stream, service="test")
    try:
        logging.getLogger("some.library").warning("sent %s", {"headers": ECHO})
        logging.getLogger("alchemiser_data").info("read", extra={"reason": ECHO})
        try:
            int(ECHO)
        except ValueError:
            logging.getLogger("alchemiser_data").exception("unexpected")
    finally:
        stop_logging(handler)
    assert not readable(stream.getvalue())
    assert len([json.loads(line) for line in stream.getvalue().splitlines()]) == 3


def test_a_functions_unexpected_error_is_masked_before_the_runtime_prints_it() -> None:
    def answer(*_: object) -> Frozen:
        raise ValueError(ECHO, 7)

    class Context:
        def get_remaining_time_in_millis(self) -> int:
            return 1_000

    handlers = logging.getLogger().handlers[:]
    try:
        with pytest.raises(ValueError, match="server said") as error:
            LambdaEntry("trading", lambda *_: answer, {})({"some": "event"}, Context())
    finally:
        logging.getLogger().handlers[:] = handlers
    assert not readable(str(error.value))
    assert error.value.args[1] == 7
