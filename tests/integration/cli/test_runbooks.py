"""Every command of the runbooks is one that exists, with options that exist; those that need no AWS are run."""

import re
import shlex
from functools import cache
from pathlib import Path
from typing import Any

import botocore.session
import pytest
import typer.main

from alchemiser_cli.main import _COMMANDS, build_app
from support.command import alchemiser

FOLDER = Path(__file__).parents[3] / "docs" / "runbooks"
PAGES = sorted(FOLDER.glob("*.md"))
SERVICES = {"s3api": "s3"}
BY_HAND = {("logs", "tail")}
"""Of the AWS command line, but not of the API."""
EVERYWHERE = set("runs show explain executions reconcile authority audit halt resume reduce replay config".split())
"""Commands that work on any records, also on those of a folder."""


def commands(page: Path) -> list[list[str]]:
    """The words of each line in the page's sh blocks, without variables before the command."""
    lines = [
        line for block in re.findall(r"```sh\n(.*?)```", page.read_text(), re.DOTALL) for line in block.splitlines()
    ]
    found = [shlex.split(re.sub(r'^eval "\$\((.*)\)"$', r"\1", line)) for line in lines if line.strip()]
    return [words[next(i for i, word in enumerate(words) if "=" not in word) :] for words in found]


ALL = [(page.stem, words) for page in PAGES for words in commands(page)]


@cache
def cli() -> Any:
    return typer.main.get_command(build_app(_COMMANDS))


@pytest.mark.parametrize(
    ("page", "words"), ALL, ids=lambda value: " ".join(value) if isinstance(value, list) else value
)
def test_a_command_of_a_runbook_exists_with_its_options(page: str, words: list[str]) -> None:
    match words:
        case ["alchemiser", *arguments]:
            parse(cli(), arguments)
        case ["aws", service, operation, *options] if (service, operation) not in BY_HAND:
            model = botocore.session.Session().get_service_model(SERVICES.get(service, service))
            (name,) = [item for item in model.operation_names if dashed(item) == operation]
            shape = model.operation_model(name).input_shape
            assert shape is not None
            known = {dashed(member) for member in shape.members}
            given = [option.removeprefix("--") for option in options if option.startswith("--")]
            assert [option for option in given if option not in known] == [], page
        case ["aws", *_]:
            pass
        case _:
            raise AssertionError(f"{page}: {' '.join(words)} is no command that this test knows")


def dashed(name: str) -> str:
    """As the AWS command line writes the API's names."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", name).lower()


def parse(command: Any, arguments: list[str]) -> None:
    """Parse without running, down to the last sub-command."""
    context = command.make_context(command.name or "alchemiser", list(arguments))
    if hasattr(command, "resolve_command"):
        name, inner, rest = command.resolve_command(context, [*context._protected_args, *context.args])
        assert inner is not None, name
        parse(inner, rest)


@pytest.mark.parametrize("line", ["halt --because x", "hold --reason x", "deploy", "phase plan", "dlq drop"])
def test_a_command_that_does_not_exist_would_be_found(line: str) -> None:
    with pytest.raises(Exception, match=r"No such|Missing|Got unexpected"):
        parse(cli(), line.split())


def test_every_page_has_symptoms_something_to_do_and_a_way_to_verify() -> None:
    pages = [page for page in PAGES if page.stem != "README"]
    assert len(pages) == 11
    index = (FOLDER / "README.md").read_text()
    for page in pages:
        text = page.read_text()
        assert "**Symptoms.**" in text, page.name
        assert "## Verify" in text, page.name
        assert f"({page.name})" in index, page.name
        for name in re.findall(r"\]\((\S+?\.md)\)", text):
            assert (FOLDER / name).is_file(), f"{page.name} links to {name}"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runbooks")
    assert alchemiser(folder, "run", "--json").code == 0
    return folder


def test_what_needs_no_aws_runs(home: Path) -> None:
    lines = {tuple(words[1:]) for _, words in ALL if words[0] == "alchemiser" and words[1] in EVERYWHERE}
    assert len(lines) >= 12
    for line in sorted(lines):
        done = alchemiser(home, *line)
        assert done.code == 0, f"alchemiser {' '.join(line)}: {done.err or done.out}"
