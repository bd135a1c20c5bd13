"""What the pages read: settings, and the store and archive as they are opened anew for each that asks."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from alchemiser_cli.settings_view import SettingRow
from alchemiser_common.ports.archive import Archive
from alchemiser_common.ports.state import StateStore
from alchemiser_common.settings import Settings


@dataclass(frozen=True, slots=True)
class HeldBeside:
    """What the account is compared with: a symbol, held; its close by day, USD."""

    symbol: str
    closes: Mapping[date, float]


@dataclass(frozen=True, slots=True)
class Source:
    """One account's records. To open them raises InvalidSettings if there are none, StoreUnavailable, StateCorrupt."""

    settings: Settings
    place: str
    """Where they are, for a sentence."""
    rows: Sequence[SettingRow]
    """The settings as they are shown."""
    open_state: Callable[[], StateStore]
    open_archive: Callable[[], Archive]
    now: Callable[[], datetime | None]
    """Aware UTC; None where nobody knows it, as on an exchange of made-up time."""
    beside: HeldBeside | None = None

    @property
    def account(self) -> str:
        """The account's alias."""
        return self.settings.account_alias
