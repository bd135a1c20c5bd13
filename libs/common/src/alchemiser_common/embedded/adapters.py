"""The adapters of one machine: files below `settings.home`, secrets in the environment or .env."""

from collections.abc import Mapping, Sequence

from alchemiser_common.embedded.archived_events import ArchivedEvents
from alchemiser_common.embedded.archived_letters import ArchivedLetters
from alchemiser_common.embedded.directory_archive import DirectoryArchive
from alchemiser_common.embedded.environment_secrets import EnvironmentSecrets, simulated_secrets
from alchemiser_common.embedded.sqlite_state import SqliteStateStore
from alchemiser_common.settings import Environment, Settings

STATE_FILE = "state.db"
"""Of a home."""


class EmbeddedAdapters:
    """Opens them; `variables` may hold the broker's key."""

    def __init__(self, settings: Settings, variables: Mapping[str, str]) -> None:
        self._settings = settings
        self._variables = variables

    def state(self) -> SqliteStateStore:
        """The state file, made if absent."""
        return SqliteStateStore(self._settings.home / STATE_FILE)

    def archive(self) -> DirectoryArchive:
        """The archive's folder."""
        return DirectoryArchive(self._settings.home / "archive")

    def events(self) -> ArchivedEvents:
        """Events as objects of the archive."""
        return ArchivedEvents(self.archive())

    def secrets(self) -> EnvironmentSecrets:
        """The two variables that Alpaca's own tools read."""
        simulated = self._settings.environment is Environment.SIMULATED
        return simulated_secrets() if simulated else EnvironmentSecrets(self._variables)

    def dead_letters(self) -> Sequence[ArchivedLetters]:
        """What local pipelines gave up."""
        return [ArchivedLetters(self.archive())]
