"""Dead letters of the embedded backend: what local pipelines left in the archive. They can only be looked at."""

import logging
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import NoReturn

from alchemiser_common.errors import InvalidSettings, StoreUnavailable
from alchemiser_common.keys import DEAD_LETTER_TIME, DEAD_LETTERS_PREFIX
from alchemiser_common.ports.archive import Archive
from alchemiser_common.ports.queue import DeadLetter

_log = logging.getLogger(__name__)
_TIME_LENGTH = len("2026-01-05T14-45-00Z")


class ArchivedLetters:
    """Objects under ``dead-letters/<queue>/<time>-<id>.txt``; a letter's id here is the name without its extension."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive

    def list(self) -> Sequence[DeadLetter]:
        """The letters, oldest first. Their group is not known any more, nor how often each was delivered.

        Raises StoreUnavailable if the archive cannot be listed.
        """
        letters = [letter for _, letter in self._found() if letter is not None]
        return sorted(letters, key=lambda letter: letter.sent_at)

    def strays(self) -> Sequence[str]:
        """Keys of what a person or a program left in the folder: named otherwise than a letter, or not readable."""
        return [key for key, letter in self._found() if letter is None]

    def redrive(self, message_id: str) -> DeadLetter:
        """Raises InvalidSettings: the queues of a local pipeline end with it."""
        self._refuse(message_id)

    def drop(self, message_id: str) -> DeadLetter:
        """Raises InvalidSettings: the archive keeps what it has."""
        self._refuse(message_id)

    def _refuse(self, message_id: str) -> NoReturn:
        raise InvalidSettings(
            f"{message_id} is a record in the archive of the embedded backend: no queue waits for it and nothing is "
            "blocked by it; `alchemiser run` runs its cycle again"
        )

    def _found(self) -> Iterator[tuple[str, DeadLetter | None]]:
        """Every key with its letter, None if it is none."""
        for key in self._archive.keys(DEAD_LETTERS_PREFIX):
            try:
                yield key, self._letter(key)
            except (ValueError, StoreUnavailable) as error:
                _log.warning("no dead letter", extra={"archive_key": key, "reason": str(error)})
                yield key, None

    def _letter(self, key: str) -> DeadLetter:
        """Raises ValueError for a name that no letter has."""
        queue, _, name = key.removeprefix(DEAD_LETTERS_PREFIX).partition("/")
        stem = name.removesuffix(".txt")
        if stem == name:
            raise ValueError(f"{key} does not end in .txt")
        sent_at = datetime.strptime(stem[:_TIME_LENGTH], DEAD_LETTER_TIME).replace(tzinfo=UTC)
        body = (self._archive.get(key) or b"").decode(errors="replace")
        return DeadLetter(stem, queue, body, "", sent_at, 0)
