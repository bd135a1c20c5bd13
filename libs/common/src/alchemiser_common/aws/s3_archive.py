"""The archive in one S3 bucket: a conditional put makes an object once.

The role needs s3:GetObject on what it writes, to compare, and s3:ListBucket: without it S3 says AccessDenied of a key
that is not there.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from alchemiser_common.aws.faults import Asking, code_of
from alchemiser_common.errors import Conflict, StoreUnavailable
from alchemiser_common.ids import check_key

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client

_RACES = 3
"""How often a put is tried while another put of the same key is under way."""


class S3Archive:
    """Objects in `bucket`; the key is the object's key.

    Every call raises StoreUnavailable if AWS does not answer or refuses the role, InvalidSettings if the bucket is not
    there or nothing gives credentials; put and get raise ValueError for what is no key (`check_key`).
    """

    def __init__(self, client: "S3Client", bucket: str) -> None:
        self._client = client
        self._bucket = bucket
        self._asking = Asking(f"bucket {bucket}", "aws.bucket")

    def put(self, key: str, body: bytes) -> None:
        """Store an object, never replacing other content. A put whose answer was lost finds its own content.

        Raises Conflict if the key holds other content.
        """
        check_key(key)
        for _ in range(_RACES):
            with self._asking:
                try:
                    self._client.put_object(Bucket=self._bucket, Key=key, Body=body, IfNoneMatch="*")
                except ClientError as error:
                    match code_of(error):
                        case "ConditionalRequestConflict":
                            continue
                        case "PreconditionFailed":
                            break
                    raise
            return
        else:
            raise StoreUnavailable(f"bucket {self._bucket}: another put of {key} is under way; try again")
        if self.get(key) != body:
            raise Conflict(f"archive key {key} already holds other content")

    def get(self, key: str) -> bytes | None:
        """The object, or None. Raises StoreUnavailable if it comes incomplete or altered."""
        check_key(key)
        with self._asking:
            try:
                return self._client.get_object(Bucket=self._bucket, Key=key)["Body"].read()
            except ClientError as error:
                if code_of(error) == "NoSuchKey":
                    return None
                raise

    def keys(self, prefix: str) -> Sequence[str]:
        """Keys that start with `prefix`, sorted; every page is read."""
        with self._asking:
            pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=prefix)
            return sorted(entry["Key"] for page in pages for entry in page.get("Contents", []))
