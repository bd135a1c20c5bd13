"""The state store in one DynamoDB table with the keys `pk` and `sk`.

Why a retry is safe: every write leaves a token of its own in the items. If an answer is lost and the repeated request
finds its condition broken by an item with that very token, the first attempt had succeeded.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from alchemiser_common.aws.faults import Asking, answered, code_of, retried
from alchemiser_common.errors import AlchemiserError, Conflict, StateCorrupt, StoreUnavailable
from alchemiser_common.ports.state import ABSENT, Key, Put, Record, check_writes

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.client import DynamoDBClient

_BROKEN = "ConditionalCheckFailed"

type Item = Mapping[str, Any]
"""An item as the client gives it: attribute to {type: value}."""


class DynamoStateStore:
    """Records in `table`. `token` gives a new text for each write, of 36 characters at most, that no other write has.

    Every call raises StoreUnavailable if AWS does not answer or refuses the role, InvalidSettings if the table is not
    there or nothing gives credentials.
    """

    def __init__(self, client: "DynamoDBClient", table: str, token: Callable[[], str]) -> None:
        self._client = client
        self._table = table
        self._token = token
        self._asking = Asking(f"table {table}", "aws.table")

    def get(self, key: Key) -> Record | None:
        """The record, or None; strongly consistent. Raises StateCorrupt for an item that is no record."""
        with self._asking:
            answer = self._client.get_item(TableName=self._table, Key=_key(key), ConsistentRead=True)
        if "Item" in answer:
            return _record(answer["Item"])
        if not _said_something(answer):
            raise StoreUnavailable(f"the table answered nothing about {key.partition}/{key.sort}")
        return None

    def list(
        self, partition: str, *, prefix: str = "", limit: int | None = None, descending: bool = False
    ) -> tuple[Record, ...]:
        """Records of one partition whose sort key starts with `prefix`, ordered by sort key; every page is read.

        Strongly consistent page by page, not as a whole. Raises StateCorrupt for an item that is no record.
        """
        query: dict[str, Any] = {
            "TableName": self._table,
            "KeyConditionExpression": "pk = :pk" + (" AND begins_with(sk, :prefix)" if prefix else ""),
            "ExpressionAttributeValues": {":pk": {"S": partition}} | ({":prefix": {"S": prefix}} if prefix else {}),
            "ConsistentRead": True,
            "ScanIndexForward": not descending,
        }
        found: list[Record] = []
        while limit is None or len(found) < limit:
            if limit is not None:
                query["Limit"] = limit - len(found)
            with self._asking:
                page = self._client.query(**query)
            if "Items" not in page:
                raise StoreUnavailable(f"the table answered nothing about {partition}")
            found += [_record(item) for item in page["Items"]]
            if "LastEvaluatedKey" not in page:
                break
            query["ExclusiveStartKey"] = page["LastEvaluatedKey"]
        return tuple(found)

    # A write that is repeated, since its answer was lost:
    #
    #   this process                      the table                      what the second answer says
    #   put at version 3, token a   ──►   version 3 → 4, token a         the condition fails, and the item that broke
    #                 answer lost  ◄──                                   it has token a: it was this write. Success.
    #   the same, token a again     ──►   version 4, token a
    #
    #   put at version 3, token a   ──►   never arrives, or: 3 → 4       the item has token b: another wrote after,
    #                 answer lost  ◄──                                   or instead of, this write. Nobody can know
    #   (another: version 5, token b)                                    which: StoreUnavailable, the caller reads anew.
    #   the same, token a again     ──►   version 5, token b
    #
    #   put at version 3, token a   ──►   version 4, token b             nothing was repeated, so another came first:
    #                                                                    Conflict.
    #
    # Of a transaction either every put has the token or none. DynamoDB's own token of transactions (ClientRequestToken)
    # would do for ten minutes; the items' token does for as long as a client repeats, and for single puts.
    def write(self, *puts: Put) -> None:
        """Apply all writes or none. Raises Conflict if any record is not at its expected version.

        StoreUnavailable leaves open whether it happened, unless its message says that nothing was written.
        """
        check_writes(puts)
        token = self._token()
        writes = [self._conditional(put, token) for put in puts]
        with self._asking:
            try:
                if len(writes) == 1:
                    self._client.put_item(**writes[0])
                elif writes:
                    self._client.transact_write_items(
                        TransactItems=[{"Put": write} for write in writes], ClientRequestToken=token
                    )
            except ClientError as error:
                fault = self._fault(error, puts, token)
                if fault is not None:
                    raise fault from error

    def _conditional(self, put: Put, token: str) -> Any:
        item = {
            **_key(put.key),
            "version": {"N": str(put.expected + 1)},
            "body": {"S": put.body},
            "token": {"S": token},
        }
        write = {"TableName": self._table, "Item": item, "ReturnValuesOnConditionCheckFailure": "ALL_OLD"}
        if put.expected == ABSENT:
            return write | {"ConditionExpression": "attribute_not_exists(pk)"}
        return write | {
            "ConditionExpression": "version = :expected",
            "ExpressionAttributeValues": {":expected": {"N": str(put.expected)}},
        }

    def _fault(self, error: ClientError, puts: Sequence[Put], token: str) -> AlchemiserError | None:
        """What a refused write means, by the timeline above; None if an earlier attempt of it had succeeded."""
        reasons = _reasons(error)
        broken = [(put, reason) for put, reason in zip(puts, reasons, strict=False) if reason.get("Code") == _BROKEN]
        if not broken:
            said = ", ".join(sorted({reason["Code"] for reason in reasons if reason.get("Code", "None") != "None"}))
            if said:
                return StoreUnavailable(f"{self._asking.what}: nothing was written ({said}); try again")
            return answered(self._asking.what, self._asking.setting, error)
        if all(reason.get("Item", {}).get("token", {}).get("S") == token for _, reason in broken):
            return None
        put = broken[0][0]
        where = f"record {put.key.partition}/{put.key.sort}"
        if retried(error):
            return StoreUnavailable(
                f"{self._asking.what}: {where} is past version {put.expected}, but an earlier attempt got no answer: "
                "the write may have happened and been followed by another"
            )
        return Conflict(f"{where} is not at version {put.expected}: another write came first")


def _reasons(error: ClientError) -> Sequence[Mapping[str, Any]]:
    """For each write why it was refused, in the form that transactions use; empty if that was not the trouble."""
    answer: Mapping[str, Any] = error.response
    match code_of(error):
        case "ConditionalCheckFailedException":
            return [{"Code": _BROKEN, "Item": answer.get("Item", {})}]
        case "TransactionCanceledException":
            return list(answer.get("CancellationReasons", []))
    return []


# "There is no such item" is `{}`. A 200 without a body reads the same once it is parsed, and would make a halted
# account an active one: absence is believed only if it was said.
def _said_something(answer: Any) -> bool:
    return int(answer["ResponseMetadata"]["HTTPHeaders"].get("content-length", "0")) >= len("{}")


def _key(key: Key) -> dict[str, Any]:
    return {"pk": {"S": key.partition}, "sk": {"S": key.sort}}


def _record(item: Item) -> Record:
    try:
        return Record(Key(item["pk"]["S"], item["sk"]["S"]), int(item["version"]["N"]), item["body"]["S"])
    except (KeyError, ValueError) as error:
        where = "/".join(str(item.get(name, {}).get("S")) for name in ("pk", "sk"))
        raise StateCorrupt(f"record {where} is no record of this program: {error} is missing or malformed") from error
