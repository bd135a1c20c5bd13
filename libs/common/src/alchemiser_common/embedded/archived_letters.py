"""Dead letters of the embedded backend: what local pipelines left in the archive. They can only be looked at."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import NoReturn

from alchemiser_common.errors import InvalidSettings
from alchemiser_common.keys import DEAD_LETTER_TIME, DEAD_LETTERS_PREFIX
from alchemiser_common.ports.archive import Archive
from alchemiser_common.ports.queue import DeadLetter

_TIME_LENGTH = len("2026-01-05T14-45-00Z")


class ArchivedLetters:
    """Objects under ``dead-letters/<queue>/<time>-<id>.txt``; a letter's id here is the name without its extension."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive

    def list(self) -> Sequence[DeadLetter]:
        """The letters, oldest first. Their group is not known any more, nor how often each was delivered.

        Raises StoreUnavailable.
        """
        letters = [self._letter(key) for key in self._archive.keys(DEAD_LETTERS_PREFIX)]
        return sorted(letters, key=lambda letter: letter.sent_at)

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

    def _letter(self, key: str) -> DeadLetter:
        queue, _, name = key.removeprefix(DEAD_LETTERS_PREFIX).partition("/")
        name = name.removesuffix(".txt")
        sent_at = datetime.strptime(name[:_TIME_LENGTH], DEAD_LETTER_TIME).replace(tzinfo=UTC)
        body = (self._archive.get(key) or b"").decode(errors="replace")
        return DeadLetter(name, queue, body, "", sent_at, 0)
