"""Runs at the start of every Python process in an image: makes it one that writes the next minor version.

Whatever is stored or sent is as `support/next_minor.py` says, which lies beside this file in the image.
"""

from typing import Any

from next_minor import as_next_minor  # type: ignore[import-not-found]

from alchemiser_common.messages.base import VersionedModel

_as_this_release = VersionedModel.model_dump_json


def _as_the_next_release(self: VersionedModel, **options: Any) -> str:
    text: str = as_next_minor(_as_this_release(self, **options))
    return text


VersionedModel.model_dump_json = _as_the_next_release  # type: ignore[method-assign,assignment]
