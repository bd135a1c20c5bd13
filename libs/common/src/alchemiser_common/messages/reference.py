"""SnapshotReference: stands in MarketDataQueue for a snapshot that is larger than a message may be."""

import hashlib
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, StringConstraints

from alchemiser_common.ids import check_key
from alchemiser_common.messages.base import Message
from alchemiser_common.messages.snapshot import MarketSnapshot


class SnapshotReference(Message):
    """Where the snapshot's bytes are archived, and what they must be."""

    kind: Literal["snapshot-reference"] = "snapshot-reference"
    archive_key: Annotated[str, AfterValidator(lambda key: "/".join(check_key(key)))]
    size: Annotated[int, Field(gt=0)]
    """Bytes."""
    sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
    """Of the bytes, in hex."""

    @classmethod
    def to(cls, snapshot: MarketSnapshot, archive_key: str, body: bytes) -> Self:
        """The reference to `snapshot`, archived as `body`."""
        return cls(
            **snapshot.following(),
            archive_key=archive_key,
            size=len(body),
            sha256=hashlib.sha256(body).hexdigest(),
        )
