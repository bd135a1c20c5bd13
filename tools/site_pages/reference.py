"""Pages made from the code: every command with its help, every setting, every message."""

import inspect
import re
from collections.abc import Iterator, Sequence
from contextlib import redirect_stdout, suppress
from importlib import import_module
from io import StringIO
from types import NoneType, UnionType
from typing import get_args, get_origin

import typer
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from alchemiser_cli.application import run_command
from alchemiser_cli.catalogue import COMMANDS
from alchemiser_common.messages.decision import TradeDecision
from alchemiser_common.messages.report import ExecutionReport, StageFailure
from alchemiser_common.messages.snapshot import MarketSnapshot
from alchemiser_common.messages.trigger import CycleTrigger
from alchemiser_common.settings import Settings
from alchemiser_common.settings_help import field_help

MESSAGES = (CycleTrigger, MarketSnapshot, TradeDecision, ExecutionReport, StageFailure)


def commands_page() -> str:
    """Each command with what `--help` says of it."""
    parts = ["# Commands\n", "What `--help` says of each. Results go to stdout, everything else to stderr.\n"]
    for words in _commands():
        parts += [f"## {' '.join(words)}\n", f"```text\n{_help(words)}\n```\n"]
    return "\n".join(parts)


def _commands() -> Iterator[tuple[str, ...]]:
    for name, entry in COMMANDS.items():
        part: typer.Typer = import_module(f"alchemiser_cli.commands.{entry.module}").app
        found = [item.name or getattr(item.callback, "__name__", "") for item in part.registered_commands]
        yield from [(name,)] if name in found or not found else [(name, sub.replace("_", "-")) for sub in found]


def _help(words: Sequence[str]) -> str:
    shown = StringIO()
    with redirect_stdout(shown), suppress(SystemExit):
        run_command([*words, "--help"])
    return "\n".join(line.rstrip() for line in shown.getvalue().strip().splitlines())


def settings_page() -> str:
    """Each setting with its type, default and meaning."""
    parts = [
        "# Settings\n",
        "In `alchemiser.toml` (a table a group), or in the environment as `ALCHEMISER_GROUP__NAME`.",
        "`alchemiser config show` says what holds and where it came from.\n",
    ]
    for title, section in _sections(Settings, ""):
        parts += [f"## {title or 'top level'}\n", inspect.cleandoc(section.__doc__ or "") + "\n", _fields(section)]
    return "\n".join(parts)


def messages_page() -> str:
    """Each message with its fields."""
    parts = ["# Messages\n", "What travels between the stages; frozen, versioned, unknown fields refused.\n"]
    for message in MESSAGES:
        parts += [f"## {message.__name__}\n", inspect.cleandoc(message.__doc__ or "") + "\n", _fields(message)]
    return "\n".join(parts)


def _sections(section: type[BaseModel], title: str) -> Iterator[tuple[str, type[BaseModel]]]:
    yield title, section
    for name, field in section.model_fields.items():
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            yield from _sections(kind, f"{title}.{name}".strip("."))


def _fields(model: type[BaseModel]) -> str:
    told: dict[str, str] = {}
    for parent in reversed(model.__mro__):
        if isinstance(parent, type) and issubclass(parent, BaseModel) and parent is not BaseModel:
            told |= field_help(parent)
    rows = []
    for name, field in model.model_fields.items():
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel) and model is Settings:
            continue
        rows.append(f"| `{name}` | {_code(_type(kind))} | {_default(field)} | {_cell(told.get(name, ''))} |")
    return "\n".join(["| field | type | default | |", "|---|---|---|---|", *rows, ""]) if rows else ""


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    if field.default_factory is not None and inspect.signature(field.default_factory).parameters:
        return "follows from others"
    return _code(str(field.get_default(call_default_factory=True)))


def _type(kind: object) -> str:
    if isinstance(kind, UnionType) or get_origin(kind) is not None:
        parts = [_type(part) for part in get_args(kind) if part is not NoneType]
        whole = f"{getattr(get_origin(kind), '__name__', '')}[{', '.join(parts)}]"
        return " or ".join([*parts, "nothing"]) if NoneType in get_args(kind) else whole
    return getattr(kind, "__name__", str(kind))


def _code(text: str) -> str:
    shown = text if len(text) <= 60 else f"{text[:57]}…"
    return f"`{shown}`".replace("|", "\\|") if shown else ""


def _cell(text: str) -> str:
    return re.sub(r"\s+", " ", text).replace("|", "\\|").replace("<", "&lt;").strip()
