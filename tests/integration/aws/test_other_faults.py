"""Queue, archive, secrets and bus under throttling, lost answers and partial failures."""

from uuid import uuid4

import pytest

from alchemiser_common.aws.clients import AwsClients
from alchemiser_common.aws.event_bridge import EventBridgeBus
from alchemiser_common.aws.s3_archive import S3Archive
from alchemiser_common.aws.secrets_manager import SecretsManagerSecrets
from alchemiser_common.aws.sqs_queue import SqsQueue
from alchemiser_common.errors import Conflict, InvalidMessage, InvalidSettings, StoreUnavailable
from alchemiser_common.messages.event import RunEvent
from support.aws import Aws
from support.fault_proxy import FaultProxy, Strike
from support.messages import make_report

STRIKES = [Strike.UNAVAILABLE, Strike.LOST_REQUEST, Strike.LOST_ANSWER]


@pytest.fixture
def queue(aws: Aws, struck: AwsClients) -> SqsQueue:
    return SqsQueue(struck.sqs, aws.make_queue().url, wait_seconds=0)


@pytest.fixture
def archive(aws: Aws, struck: AwsClients) -> S3Archive:
    return S3Archive(struck.s3, aws.make_bucket())


@pytest.mark.parametrize("strike", STRIKES)
def test_a_message_whose_send_was_struck_is_in_the_queue_once(
    queue: SqsQueue, proxy: FaultProxy, strike: Strike
) -> None:
    proxy.strike(strike)
    queue.send("body", group="demo", deduplication_id="run")
    assert [delivery.body for delivery in queue.receive(10)] == ["body"]


@pytest.mark.parametrize("strike", STRIKES)
def test_a_send_struck_each_time_is_unavailable(queue: SqsQueue, proxy: FaultProxy, strike: Strike) -> None:
    proxy.strike(strike, strike)
    with pytest.raises(StoreUnavailable, match="queue MarketDataQueue"):
        queue.send("body", group="demo", deduplication_id="run")


def test_a_receipt_that_sqs_calls_stale_is_passed_over_and_other_refusals_are_not(
    queue: SqsQueue, proxy: FaultProxy
) -> None:
    queue.send("body", group="demo", deduplication_id="run")
    (delivery,) = queue.receive()
    for act in (queue.delete, queue.release):
        proxy.answer(400, "com.amazonaws.sqs#ReceiptHandleIsInvalid")
        act(delivery)
        proxy.answer(403, "com.amazonaws.sqs#AccessDeniedException")
        with pytest.raises(StoreUnavailable, match="may not do that"):
            act(delivery)


def test_a_queue_with_a_smaller_limit_says_how_to_raise_it(queue: SqsQueue, proxy: FaultProxy) -> None:
    proxy.answer(400, "com.amazonaws.sqs#InvalidParameterValue")
    with pytest.raises(InvalidMessage, match="its MaximumMessageSize must be 1048576"):
        queue.send("body", group="demo", deduplication_id="run")


def test_an_absent_queue_is_named(aws: Aws) -> None:
    url = aws.make_queue().url.replace("MarketDataQueue", "NoQueue")
    with pytest.raises(InvalidSettings, match=r"queue NoQueue-\w+ does not exist"):
        SqsQueue(aws.clients.sqs, url, wait_seconds=0).receive()


@pytest.mark.parametrize("strike", STRIKES)
def test_an_object_whose_put_was_struck_is_stored_once_and_not_taken_for_anothers(
    archive: S3Archive, proxy: FaultProxy, strike: Strike
) -> None:
    proxy.strike(strike)
    archive.put("reports/1.json", b"one")
    assert archive.get("reports/1.json") == b"one"
    with pytest.raises(Conflict):
        archive.put("reports/1.json", b"two")


def test_an_archive_that_stays_away_is_unavailable(archive: S3Archive, proxy: FaultProxy) -> None:
    for act in (
        lambda: archive.put("a", b"one"),
        lambda: archive.get("a"),
        lambda: archive.keys(""),
    ):
        proxy.strike(Strike.UNAVAILABLE, Strike.UNAVAILABLE)
        with pytest.raises(StoreUnavailable, match="bucket archive-"):
            act()


def test_an_absent_bucket_is_named_with_its_setting(aws: Aws) -> None:
    with pytest.raises(InvalidSettings, match=r"bucket nowhere does not exist.*check aws\.bucket"):
        S3Archive(aws.clients.s3, "nowhere").get("a")


def test_a_secret_that_cannot_be_read_is_unavailable_not_missing(
    aws: Aws, struck: AwsClients, proxy: FaultProxy
) -> None:
    """Missing is permanent; a throttle is not."""
    name = aws.make_secret('{"key_id": "PKTEST123", "secret_key": "hush-hush"}')
    secrets = SecretsManagerSecrets(struck.secrets, name)
    proxy.strike(Strike.THROTTLE, Strike.THROTTLE)
    with pytest.raises(StoreUnavailable, match=f"secret {name}: ThrottlingException"):
        secrets.broker_credentials()
    assert secrets.broker_credentials().key_id.get_secret_value() == "PKTEST123"


def test_an_event_that_the_bus_refuses_is_not_taken_for_published(
    aws: Aws, struck: AwsClients, proxy: FaultProxy
) -> None:
    """EventBridge answers 200 and says inside which entries failed."""
    event = RunEvent.of(make_report())
    bus = EventBridgeBus(struck.events, aws.make_bus()[0])
    entries = [{"ErrorCode": "ThrottlingException", "ErrorMessage": "slow down"}]
    proxy.answer(200, "", FailedEntryCount=1, Entries=entries)
    with pytest.raises(StoreUnavailable, match=f"did not take event {event.event_id}: ThrottlingException: slow down"):
        bus.publish(event)


def test_concurrent_puts_of_one_key_are_tried_again(archive: S3Archive, proxy: FaultProxy) -> None:
    """S3 answers 409 while another conditional put of the key is under way; moto never does."""
    conflict = b"<Error><Code>ConditionalRequestConflict</Code><Message>busy</Message></Error>"
    key = f"reports/{uuid4()}.json"
    proxy.answers += [(409, conflict)] * 2
    archive.put(key, b"one")
    assert archive.get(key) == b"one"
    proxy.answers += [(409, conflict)] * 3
    with pytest.raises(StoreUnavailable, match=r"another put .* is under way"):
        archive.put(key, b"one")
