"""A case as a folder: one readable JSON file a part."""

import json
from collections.abc import Mapping
from pathlib import Path

from pydantic import BaseModel, ValidationError

from alchemiser_cli.cases.case import About, BrokerAnswers, Case
from alchemiser_common.errors import InvalidMessage, InvalidSettings
from alchemiser_common.json_value import Json
from alchemiser_common.messages.base import VersionedModel
from alchemiser_common.messages.decision import TradeDecision
from alchemiser_common.messages.report import ExecutionReport
from alchemiser_common.messages.snapshot import MarketSnapshot
from alchemiser_common.messages.trigger import CycleTrigger
from alchemiser_common.messages.versions import read_json
from alchemiser_common.messages.wire import describe
from alchemiser_common.records.journal import Intent, JournalHead
from alchemiser_common.records.parity import Parity
from alchemiser_common.records.plan import Plan
from alchemiser_common.records.run import RunRecord

_ABOUT, _TRIGGER, _INTENTS = "about", "trigger", "intents"
_PARTS: Mapping[str, type[VersionedModel]] = {
    _ABOUT: About,
    "record": RunRecord,
    "snapshot": MarketSnapshot,
    "decision": TradeDecision,
    "journal": JournalHead,
    "plan": Plan,
    "report": ExecutionReport,
    "broker": BrokerAnswers,
    "parity": Parity,
}


def case_files(case: Case) -> Mapping[str, str]:
    """The text of each file by its name; what the run did not come to has none."""
    parts: dict[str, BaseModel | tuple[Intent, ...] | None] = {name: getattr(case, name) for name in _PARTS}
    parts |= {_TRIGGER: case.trigger, _INTENTS: case.intents or None}
    return {f"{name}.json": _text(part) for name, part in parts.items() if part is not None}


def write_files(folder: Path, files: Mapping[str, str]) -> None:
    """Write them into a folder that is empty or not there yet. Raises InvalidSettings for any other."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise InvalidSettings(f"folder {folder} is not empty; name another with --out, or take it away first")
        for name, text in files.items():
            (folder / name).write_text(text, encoding="utf-8")
    except OSError as error:
        raise InvalidSettings(
            f"folder {folder} cannot be written: {error.strerror}; name another with --out"
        ) from error


def read_case(folder: Path) -> Case:
    """The case in a folder. Raises InvalidSettings, which names the file and what is wrong with it."""
    if not (folder / f"{_ABOUT}.json").is_file():
        raise InvalidSettings(f"{folder} is no captured case: it has no {_ABOUT}.json; `alchemiser capture` makes one")
    parts: dict[str, object] = {}
    for name, kind in _PARTS.items():
        text = _read(folder / f"{name}.json")
        if text is not None:
            parts[name] = _parsed(folder / f"{name}.json", text, kind)
    trigger, intents = _read(folder / f"{_TRIGGER}.json"), _read(folder / f"{_INTENTS}.json")
    if intents is not None:
        orders: list[Json] = json.loads(intents)
        parts[_INTENTS] = tuple(_parsed(folder / f"{_INTENTS}.json", json.dumps(item), Intent) for item in orders)
    try:
        parts[_TRIGGER] = CycleTrigger.model_validate_json(trigger or "", strict=True)
        return Case.model_validate(parts)
    except ValidationError as error:
        raise InvalidSettings(f"case {folder.name}: {describe(error, whole='its parts')}") from error


def _text(part: BaseModel | tuple[Intent, ...]) -> str:
    content = part.model_dump(mode="json") if isinstance(part, BaseModel) else _listed(part)
    return json.dumps(content, indent=1) + "\n"


def _listed(intents: tuple[Intent, ...]) -> list[dict[str, object]]:
    return [intent.model_dump(mode="json") for intent in intents]


def _read(file: Path) -> str | None:
    try:
        return file.read_text("utf-8") if file.is_file() else None
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidSettings(f"{file} cannot be read: {error}") from error


def _parsed[M: VersionedModel](file: Path, text: str, kind: type[M]) -> M:
    try:
        return read_json(kind, text)
    except ValidationError as error:
        raise InvalidSettings(f"{file}: {describe(error)}") from error
    except InvalidMessage as error:
        raise InvalidSettings(f"{file}: {error}") from error
