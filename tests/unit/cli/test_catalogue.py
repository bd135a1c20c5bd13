"""The command knows its sub-commands without importing them: for help, for completion, and in a blink."""

import inspect
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer

from alchemiser_cli.application import build_app
from alchemiser_cli.catalogue import COMMANDS
from support.command import alchemiser, environment

LIGHT = {
    "alchemiser_cli", "alchemiser_cli.application", "alchemiser_cli.catalogue", "alchemiser_cli.console",
    "alchemiser_cli.interruption", "alchemiser_cli.main", "alchemiser_common", "alchemiser_common.masking",
    "alchemiser_common.text",
}  # fmt: skip
HEAVY = {"numpy", "pandas", "pyarrow", "botocore", "alpaca", "requests", "plotly", "jinja2", "starlette", "uvicorn"}
IMPORTED = """
import json, sys
from alchemiser_cli.main import main
try:
    main()
except SystemExit:
    pass
print("\\n" + json.dumps(sorted(sys.modules)))
"""


def imported(*arguments: str) -> set[str]:
    """Every module that a process of the command has imported at its end."""
    done = subprocess.run(
        [sys.executable, "-c", IMPORTED, *arguments],
        env=environment(),
        capture_output=True,
        text=True,
        timeout=110,
        check=True,
    )
    return set(json.loads(done.stdout.splitlines()[-1]))


@pytest.mark.parametrize("arguments", [("--help",), ("--version",), ("moon",)], ids=" ".join)
def test_help_imports_no_command_and_nothing_heavy(arguments: tuple[str, ...]) -> None:
    found = imported(*arguments)
    assert {name for name in found if name.startswith("alchemiser")} <= LIGHT
    assert not HEAVY & found


def test_the_version_needs_no_models_either() -> None:
    assert "pydantic" not in imported("--version"), "most of the time that it would take"


def test_one_command_imports_no_other() -> None:
    found = {name for name in imported("runs", "--help") if name.startswith("alchemiser_cli.commands.")}
    assert found == {"alchemiser_cli.commands.runs"}


@pytest.mark.parametrize("name", COMMANDS)
def test_what_help_says_of_a_command_is_what_the_command_says_of_itself(name: str) -> None:
    root: Any = typer.main.get_command(build_app())
    context = root.make_context("alchemiser", [name], resilient_parsing=True)
    _, command, _ = root.resolve_command(context, [name])
    first, _, _ = inspect.cleandoc(command.help).partition("\n\n")
    assert COMMANDS[name].line == " ".join(first.split())


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_completed_by_its_own_parts_or_options(name: str, tmp_path: Path) -> None:
    def completed(words: str, at: int) -> list[str]:
        asked = {"_ALCHEMISER_COMPLETE": "complete_bash", "COMP_WORDS": words, "COMP_CWORD": str(at)}
        return alchemiser(tmp_path, extra=asked).out.split()

    assert name in completed(f"alchemiser {name[:2]}", 1)
    assert completed(f"alchemiser {name} ", 2) or "--help" in completed(f"alchemiser {name} --", 2)
    if name == "dlq":
        assert "--csv" in completed("alchemiser dlq list --", 3)


def test_a_command_that_is_misspelt_is_told_the_nearest(tmp_path: Path) -> None:
    done = alchemiser(tmp_path, "bactest")
    assert done.code == 2
    assert "Did you mean 'backtest'?" in done.err
