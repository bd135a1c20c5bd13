"""Settings as a person is shown them: value, source and meaning; of secrets only whether they are set. Pure."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import Enum
from pathlib import Path

from alchemiser_common.embedded.environment_secrets import KEY_ID, SECRET_KEY
from alchemiser_common.settings_loading import LoadedSettings


@dataclass(frozen=True, slots=True)
class SettingRow:
    """One line: `value` is plain JSON; `changed` is whether it is of another source than the defaults."""

    name: str
    value: object
    source: str
    meaning: str
    changed: bool

    @property
    def text(self) -> str:
        """The value as a person reads it."""
        return json.dumps(self.value) if isinstance(self.value, dict | list) else str(self.value)


def setting_rows(loaded: LoadedSettings) -> tuple[SettingRow, ...]:
    """Every setting in the tree's order."""
    return tuple(
        SettingRow(leaf.name, plain_value(leaf.value), leaf.source, leaf.help, leaf.source != "default")
        for leaf in loaded.leaves()
    )


def secret_rows(variables: Mapping[str, str]) -> tuple[SettingRow, ...]:
    """Whether the broker's key is set; never what it is."""
    return tuple(
        SettingRow(
            name,
            "set (hidden)" if variables.get(name) else "not set",
            "environment or .env",
            "Alpaca key",
            changed=False,
        )
        for name in (KEY_ID, SECRET_KEY)
    )


def plain_value(value: object) -> object:
    """A setting as JSON has it."""
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Decimal | Path | date):
        return str(value)
    if isinstance(value, tuple):
        return [plain_value(item) for item in value]
    return value
