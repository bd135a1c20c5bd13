"""Runs at the start of every Python process in an image: makes it one that writes the next minor version.

Whatever is stored or sent gets a minor version more, and one more field in every object of it.
"""

import json
from typing import Any

from alchemiser_common.messages.base import OWN_VERSION, VersionedModel

_as_this_release = VersionedModel.model_dump_json


def _with_field(value: object) -> object:
    if isinstance(value, dict):
        return {**{name: _with_field(inner) for name, inner in value.items()}, "since_the_next_minor": [1, {"two": 2}]}
    return [_with_field(inner) for inner in value] if isinstance(value, list) else value


def _as_the_next_release(self: VersionedModel, **options: Any) -> str:
    content = _with_field(json.loads(_as_this_release(self, **options)))
    return json.dumps({**content, "schema_version": f"{OWN_VERSION[0]}.{OWN_VERSION[1] + 1}"})  # type: ignore[dict-item]


VersionedModel.model_dump_json = _as_the_next_release  # type: ignore[method-assign,assignment]
