"""Reads what another version of this project may have written: messages and stored records.

    written by          fields that this version does not know    why
    an older minor      error                                     there can be none: it is corrupt or foreign data
    this minor          error                                     the same
    a later minor       left out                                  an image that is rolled back to must go on with the
                                                                  run and the account that it finds
    another major       error                                     its fields may mean something else

What was read is of this version from then on: what this process writes has the fields that its version says.
"""

import json

from pydantic import ValidationError

from alchemiser_common.messages.base import OWN_VERSION, SCHEMA_VERSION, Message, VersionedModel, version_of


def read_json[M: VersionedModel](model: type[M], raw: bytes | str) -> M:
    """The JSON object `raw` as a model. Raises pydantic's ValidationError."""
    try:
        value = model.model_validate_json(raw, strict=True)
    except ValidationError:
        if not _later_minor(raw):
            raise
        value = model.model_validate_json(raw, strict=True, extra="ignore")
    return value if value.schema_version == SCHEMA_VERSION else _adopted(value, raw)


def _adopted[M: VersionedModel](value: M, raw: bytes | str) -> M:
    """The value as one of this version; a message keeps the hash of what was received."""
    own = value.model_copy(update={"schema_version": SCHEMA_VERSION})
    if isinstance(own, Message):
        own.received_as(json.loads(raw))
    return own


def _later_minor(raw: bytes | str) -> bool:
    try:
        content = json.loads(raw)
        major, minor = version_of(content["schema_version"])
    except (ValueError, RecursionError, KeyError, TypeError, AttributeError):
        return False
    return major == OWN_VERSION[0] and minor > OWN_VERSION[1]
