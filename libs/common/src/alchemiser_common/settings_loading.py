"""Settings merged from their sources, and where each value came from.

Later sources win: defaults, the portfolio's TOML file, the TOML file, .env, the environment, the command line.
Variables are named ``ALCHEMISER_<SECTION>__<FIELD>``, e.g. ``ALCHEMISER_TRADING__CASH_RESERVE=0.02``.
"""

import json
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ValidationError

from alchemiser_common.errors import InvalidSettings
from alchemiser_common.messages.wire import describe
from alchemiser_common.settings import Section, Settings

SETTINGS_FILE = "alchemiser.toml"
PREFIX = "ALCHEMISER_"
_MOST_FAULTS = 20
"""That are told at once."""
NOT_SETTINGS = frozenset(f"ALCHEMISER_{name}" for name in ("CONFIG", "MARKET_DATA", "GIT_SHA", "AWS_CALLS"))
"""Variables with the prefix that are read elsewhere: the file's path, the image's build, what tests read and record."""


@dataclass(frozen=True, slots=True)
class SettingValue:
    """One leaf of the tree, for display."""

    name: str
    value: object
    source: str
    help: str


@dataclass(frozen=True, slots=True)
class LoadedSettings:
    """Settings together with the source of every value that is not a default."""

    settings: Settings
    sources: Mapping[str, str]

    def leaves(self) -> Iterator[SettingValue]:
        """Every setting in the tree's order."""
        yield from _leaves(self.settings, (), self.sources)


def load_settings(
    environment: Mapping[str, str],
    *,
    portfolio: Path | None = None,
    file: Path | None = None,
    dotenv: Mapping[str, str] | None = None,
    command_line: Mapping[str, object] | None = None,
) -> LoadedSettings:
    """Merge the sources and validate the result. Raises InvalidSettings naming field, source and, of a field that is
    known and holds no address, the value: what was meant for another name may be a secret.

    `portfolio` is a folder of strategies, which may have a settings file of its own. `command_line` are values of
    fields at the top of the tree.
    """
    tree: dict[str, object] = {}
    sources: dict[str, str] = {}
    if portfolio is not None:
        _merge(tree, {"strategies": {"folder": portfolio}}, (), f"{portfolio} is there", sources)
        own = portfolio / SETTINGS_FILE
        if own.exists():
            _merge(tree, _read_toml(own), (), str(own), sources)
    if file is not None:
        _merge(tree, _read_toml(file), (), str(file), sources)
    for name, variables in ((".env", dotenv or {}), ("environment", environment)):
        for variable, text in variables.items():
            if variable.startswith(PREFIX) and variable not in NOT_SETTINGS:
                path = variable.removeprefix(PREFIX).lower().split("__")
                _merge(tree, _nested(path, _value(text)), (), f"{name} {variable}", sources)
    for name, value in (command_line or {}).items():
        tree[name] = value
        sources[name] = "command line"
    try:
        settings = Settings.model_validate(tree)
    except ValidationError as error:
        fields = {".".join(str(part) for part in fault["loc"]) for fault in error.errors()}
        origin = sorted({source for name, source in sources.items() if any(_related(name, field) for field in fields)})
        hint = f" (from {', '.join(origin)})" if origin else ""
        said = describe(error, whole="together", hidden=_may_be_secret, unknown=_unknown, most=_MOST_FAULTS)
        # The validation error is no cause of this one: a traceback would print its values.
        raise InvalidSettings(f"settings: {said}{hint}") from None
    return LoadedSettings(settings, sources)


def _may_be_secret(place: tuple[int | str, ...]) -> bool:
    """Whether a value there is none of a setting's own, or an address, which may have a password in it."""
    section: type[BaseModel] = Settings
    for part in place:
        field = section.model_fields.get(str(part))
        if field is None:
            return True
        if not (isinstance(field.annotation, type) and issubclass(field.annotation, Section)):
            return str(part).endswith("_url")
        section = field.annotation
    return True


def _unknown(place: tuple[int | str, ...]) -> str:
    """What a name that is no setting may have been meant for."""
    from difflib import get_close_matches  # of a mistake only

    name, known = ".".join(map(str, place)), list(_names(Settings))
    elsewhere = [other for other in known if other.rpartition(".")[2] == str(place[-1])]
    near = elsewhere or get_close_matches(name, known, n=1, cutoff=0.7)
    return "no such setting" + (f"; did you mean {' or '.join(near)}?" if near else "")


def _names(section: type[BaseModel], at: str = "") -> Iterator[str]:
    """Every section and setting, with dots."""
    for name, field in section.model_fields.items():
        yield f"{at}{name}"
        if isinstance(field.annotation, type) and issubclass(field.annotation, Section):
            yield from _names(field.annotation, f"{at}{name}.")


def _related(name: str, field: str) -> bool:
    return name == field or name.startswith(field + ".") or field.startswith(name + ".")


def _read_toml(file: Path) -> dict[str, object]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InvalidSettings(f"settings file {file} does not exist") from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InvalidSettings(f"settings file {file} cannot be read: {error}") from error


def _value(text: str) -> object:
    """Lists and tables are written as JSON; everything else is text for pydantic to read."""
    if text[:1] in {"{", "["}:
        try:
            return json.loads(text)
        except ValueError:
            return text
    return text


def _nested(path: list[str], value: object) -> dict[str, object]:
    for part in reversed(path):
        value = {part: value}
    return value if isinstance(value, dict) else {}


def _merge(
    tree: dict[str, object], extra: Mapping[str, object], at: tuple[str, ...], source: str, sources: dict[str, str]
) -> None:
    for key, value in extra.items():
        path = (*at, key)
        present = tree.get(key)
        if isinstance(value, Mapping) and path != ("strategies", "allocations"):
            branch = present if isinstance(present, dict) else {}
            tree[key] = branch
            _merge(branch, value, path, source, sources)
        else:
            tree[key] = value
            sources[".".join(path)] = source


def _leaves(section: BaseModel, at: tuple[str, ...], sources: Mapping[str, str]) -> Iterator[SettingValue]:
    from alchemiser_common.settings_help import field_help  # for people; no start of a function reads it

    texts = field_help(type(section))
    for name in type(section).model_fields:
        value: object = getattr(section, name)
        path = (*at, name)
        if isinstance(value, Section):
            yield from _leaves(value, path, sources)
        else:
            dotted = ".".join(path)
            yield SettingValue(dotted, value, sources.get(dotted, "default"), texts.get(name, ""))
