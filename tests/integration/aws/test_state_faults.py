"""The state store under throttling, outages and lost answers: no write is doubled, no outcome is guessed."""

import json

import pytest

from alchemiser_cli.stage.clients import StageClients
from alchemiser_common.aws.clients import AwsClients
from alchemiser_common.aws.dynamodb_state import DynamoStateStore
from alchemiser_common.errors import AlchemiserError, Conflict, InvalidSettings, StateCorrupt, StoreUnavailable
from alchemiser_common.ports.state import ABSENT, Key, Put
from support.aws import Aws
from support.fault_proxy import FaultProxy, Strike

KEY, OTHER = Key("RUN#1", "JOURNAL"), Key("RUN#1", "PLAN")
ONE = [Put(KEY, "second", 1)]
BOTH = [Put(KEY, "second", 1), Put(OTHER, "plan", ABSENT)]
writes = pytest.mark.parametrize("puts", [ONE, BOTH], ids=["single", "transaction"])
NOTHING_HAPPENS = [Strike.THROTTLE, Strike.UNAVAILABLE, Strike.LOST_REQUEST]
IT_HAPPENS = [Strike.LOST_ANSWER, Strike.STALL]


@pytest.fixture(autouse=True)
def _a_record_at_version_1(other: DynamoStateStore) -> None:
    other.write(Put(KEY, "first", ABSENT))


@writes
@pytest.mark.parametrize("strike", NOTHING_HAPPENS + IT_HAPPENS)
def test_a_write_struck_once_is_repeated_and_has_happened_once(
    store: DynamoStateStore, other: DynamoStateStore, proxy: FaultProxy, puts: list[Put], strike: Strike
) -> None:
    """moto does not know the token of a repeated transaction, as DynamoDB does; the items' own token serves both."""
    proxy.strike(strike)
    store.write(*puts)
    assert proxy.seen == 2
    record = other.get(KEY)
    assert record is not None
    assert (record.version, record.body) == (2, "second")


@writes
@pytest.mark.parametrize("strike", NOTHING_HAPPENS + IT_HAPPENS)
def test_a_write_struck_each_time_is_unavailable_whether_or_not_it_happened(
    store: DynamoStateStore, other: DynamoStateStore, proxy: FaultProxy, puts: list[Put], strike: Strike
) -> None:
    proxy.strike(strike, strike)
    with pytest.raises(StoreUnavailable, match="table state-"):
        store.write(*puts)
    record = other.get(KEY)
    assert record is not None
    assert record.version == (2 if strike in IT_HAPPENS else 1)


@writes
def test_a_write_that_another_overtook_is_a_conflict(
    store: DynamoStateStore, other: DynamoStateStore, puts: list[Put]
) -> None:
    other.write(Put(KEY, "of another", 1))
    with pytest.raises(Conflict, match="record RUN#1/JOURNAL is not at version 1"):
        store.write(*puts)


@writes
def test_a_lost_answer_followed_by_anothers_write_is_not_called_a_conflict(
    store: DynamoStateStore, other: DynamoStateStore, proxy: FaultProxy, puts: list[Put]
) -> None:
    """It may have happened: a worker that took it for a lost race would report less than it did."""
    proxy.strike(Strike.UNAVAILABLE)
    other.write(Put(KEY, "of another", 1))
    with pytest.raises(StoreUnavailable, match="the write may have happened"):
        store.write(*puts)


@pytest.mark.parametrize("strike", NOTHING_HAPPENS + IT_HAPPENS)
def test_reads_are_repeated_and_then_unavailable(store: DynamoStateStore, proxy: FaultProxy, strike: Strike) -> None:
    proxy.strike(strike)
    record = store.get(KEY)
    assert record is not None
    assert record.body == "first"
    for read in (lambda: store.get(KEY), lambda: store.list("RUN#1")):
        proxy.strike(strike, strike)
        with pytest.raises(StoreUnavailable):
            read()


@pytest.mark.parametrize(
    ("code", "kind", "words"),
    [
        ("ResourceNotFoundException", InvalidSettings, "does not exist in that account and region.*check aws.table"),
        ("AccessDeniedException", StoreUnavailable, "the role may not do that.*grant it"),
        ("ExpiredTokenException", StoreUnavailable, "refuses the credentials.*log in again"),
        ("UnrecognizedClientException", StoreUnavailable, "refuses the credentials"),
        ("InvalidSignatureException", StoreUnavailable, "check this machine's clock"),
        ("ValidationException", StoreUnavailable, "ValidationException for a test"),
    ],
)
def test_what_a_retry_cannot_mend_says_what_to_do(
    store: DynamoStateStore, proxy: FaultProxy, code: str, kind: type[AlchemiserError], words: str
) -> None:
    proxy.answer(400, f"com.amazonaws.dynamodb.v20120810#{code}")
    with pytest.raises(kind, match=words):
        store.get(KEY)
    proxy.answer(400, f"com.amazonaws.dynamodb.v20120810#{code}")
    with pytest.raises(kind, match=words):
        store.write(*ONE)


def test_a_transaction_that_met_another_has_written_nothing_and_may_be_tried_again(
    store: DynamoStateStore, proxy: FaultProxy
) -> None:
    """moto has no concurrent transactions; the answer is DynamoDB's."""
    reasons = [{"Code": "TransactionConflict", "Message": "ongoing"}, {"Code": "None"}]
    proxy.answer(400, "com.amazonaws.dynamodb.v20120810#TransactionCanceledException", CancellationReasons=reasons)
    with pytest.raises(StoreUnavailable, match=r"nothing was written \(TransactionConflict\)"):
        store.write(*BOTH)
    store.write(*BOTH)


def test_every_read_asks_for_the_latest_write(store: DynamoStateStore, proxy: FaultProxy) -> None:
    """DynamoDB's plain reads may be old; moto has no old reads to give, so the request itself is looked at."""
    store.get(KEY)
    store.list("RUN#1", prefix="J", limit=1)
    assert [json.loads(body)["ConsistentRead"] for body in proxy.bodies] == [True, True]


def test_an_absent_table_is_named_with_its_setting(aws: Aws) -> None:
    with pytest.raises(InvalidSettings, match=r"table nowhere does not exist.*check aws\.table"):
        DynamoStateStore(aws.clients.dynamodb, "nowhere", lambda: "token").get(KEY)


def test_an_item_of_another_program_is_reported_as_corrupt(aws: Aws, store: DynamoStateStore, table: str) -> None:
    aws.clients.dynamodb.put_item(TableName=table, Item={"pk": {"S": "P"}, "sk": {"S": "theirs"}, "x": {"N": "1"}})
    with pytest.raises(StateCorrupt, match="record P/theirs is no record of this program: 'version'"):
        store.get(Key("P", "theirs"))


def test_without_credentials_the_error_says_where_they_come_from(
    aws: Aws, table: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And says it at once: nobody waits for instance metadata."""
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nowhere")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nowhere")
    bare = DynamoStateStore(AwsClients(aws.settings()).dynamodb, table, lambda: "token")
    with pytest.raises(InvalidSettings, match="set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"):
        bare.get(KEY)


@pytest.mark.parametrize(
    ("variables", "changes", "words"),
    [
        ({"AWS_PROFILE": "nobody"}, {}, r"AWS credentials: .*nobody.*check AWS_PROFILE"),
        ({}, {"endpoint_url": "not an address"}, r"AWS client \w+: .*not an address.*check aws.region and"),
        ({}, {"region": "no region"}, r"AWS client \w+: .*no region.*check aws.region"),
    ],
    ids=["profile", "endpoint", "region"],
)
def test_settings_that_no_client_can_be_made_of_are_named(
    aws: Aws, monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], changes: dict[str, str], words: str
) -> None:
    settings = aws.settings(**changes)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(InvalidSettings, match=words):
        AwsClients(settings).dynamodb.list_tables()
    with pytest.raises(InvalidSettings, match=words):  # a person's command, whose session is another
        StageClients(settings.region, settings).dynamodb.list_tables()
