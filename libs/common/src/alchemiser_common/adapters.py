"""A process's adapters, embedded or on AWS as its settings say; each is opened when it is asked for."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from alchemiser_common.ports.archive import Archive
from alchemiser_common.ports.events import EventBus
from alchemiser_common.ports.queue import DeadLetters
from alchemiser_common.ports.secrets import Secrets
from alchemiser_common.ports.state import StateStore
from alchemiser_common.settings import Backend, Settings


class Adapters(Protocol):
    """What every process may need besides a broker. Opening raises InvalidSettings or what the adapter raises."""

    def state(self) -> StateStore:
        """Where runs and accounts are recorded."""
        ...

    def archive(self) -> Archive:
        """Where snapshots, decisions and reports are kept."""
        ...

    def events(self) -> EventBus:
        """Where runs' ends are published."""
        ...

    def secrets(self) -> Secrets:
        """The broker's key; in simulation a made-up one, since the simulator takes any."""
        ...

    def dead_letters(self) -> Sequence[DeadLetters]:
        """The dead letters of every queue."""
        ...


def open_adapters(settings: Settings, variables: Mapping[str, str]) -> Adapters:
    """The adapters of `settings.backend`; `variables` may hold secrets. Only the chosen backend is imported."""
    if settings.backend is Backend.AWS:
        from alchemiser_common.aws.adapters import AwsAdapters

        return AwsAdapters(settings)
    from alchemiser_common.embedded.adapters import EmbeddedAdapters

    return EmbeddedAdapters(settings, variables)
