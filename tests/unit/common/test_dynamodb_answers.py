"""What the table's answers prove: a record that is absent was said to be absent."""

import pytest
from botocore.awsrequest import AWSResponse

from alchemiser_common import keys
from alchemiser_common.aws.clients import AwsClients, keyed_session
from alchemiser_common.aws.dynamodb_state import DynamoStateStore
from alchemiser_common.errors import StoreUnavailable
from alchemiser_common.settings import AwsSettings
from alchemiser_trading.account.trading_state import trading_state


class _Body:
    """An answer's content, as urllib3 gives it."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def stream(self) -> list[bytes]:
        return [self._content]


def table(content: bytes) -> DynamoStateStore:
    """A table whose every answer is 200 with this content."""
    client = AwsClients(AwsSettings(), keyed_session("none", "none")).dynamodb
    headers = {"content-length": str(len(content)), "content-type": "application/x-amz-json-1.0"}

    def answer(**_: object) -> AWSResponse:
        return AWSResponse("https://table", 200, headers, _Body(content))  # type: ignore[arg-type]

    client.meta.events.register("before-send.dynamodb", answer)  # type: ignore[arg-type]
    return DynamoStateStore(client, "state", lambda: "token")


def test_absence_is_believed_only_if_it_was_said() -> None:
    assert table(b"{}").get(keys.trading_state_record("demo")) is None
    silent = table(b"")
    with pytest.raises(StoreUnavailable, match="answered nothing about ACCOUNT#demo/SWITCH"):
        silent.get(keys.trading_state_record("demo"))
    with pytest.raises(StoreUnavailable, match="answered nothing about ACCOUNT#demo"):
        silent.list(keys.account_partition("demo"))


def test_a_switch_that_was_not_read_is_no_active_one() -> None:
    with pytest.raises(StoreUnavailable):
        trading_state(table(b""), "demo")
