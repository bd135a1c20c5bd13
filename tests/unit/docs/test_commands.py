"""No page shows a command that is not there: each line is parsed by what it calls."""

import re
import shlex
from functools import cache
from typing import Any

import pytest
import typer
from botocore import xform_name
from botocore.session import Session

from alchemiser_cli.application import build_app
from deploy.template import ROOT, TEMPLATE, load, mapping, section
from support.documents import Line, blocks, commands, pages, runbooks

PAGES = (
    "authority-mismatch", "cutover", "dead-letters", "deploy", "halted", "key-rotation", "missed-run",
    "parity-mismatch", "restore-state", "rollback", "stuck-run", "try-a-case",
)  # fmt: skip
GLOBAL = {"--region", "--profile", "--query", "--output", "--cli-binary-format"}
PLACEHOLDER = "X"


@cache
def root() -> Any:
    return typer.main.get_command(build_app())


def parse(words: list[str]) -> None:
    """As the command itself would, without calling anything. Raises what typer raises for wrong arguments."""
    command, context = root(), None
    while True:
        context = command.make_context(command.name or "alchemiser", list(words), parent=context)
        if not hasattr(command, "resolve_command"):
            return
        left = [*getattr(context, "_protected_args", []), *context.args]
        _, command, words = command.resolve_command(context, left)


@pytest.mark.parametrize(
    "words",
    [
        ["moon"],
        ["deploy", "dev", "--moon"],
        ["deploy"],
        ["authority", "--set", "nobody"],
        ["dlq", "moon"],
        ["show", "a", "b"],
    ],
)
def test_a_command_that_does_not_exist_is_noticed(words: list[str]) -> None:
    with pytest.raises(Exception, match=r"(?i)no such|missing|unexpected|not one of|invalid"):
        parse(words)


@pytest.mark.parametrize("line", commands("alchemiser"), ids=str)
def test_every_alchemiser_command_exists_with_its_options(line: Line) -> None:
    bare = line.text.replace("[--", "--").replace("]", "")  # as help writes what may be left out
    words = [PLACEHOLDER if "…" in word else word for word in shlex.split(bare)[1:]]
    try:
        parse(words)
    except OSError:
        pass  # it prompts for an option that was not given, and standard input is closed
    except Exception as error:  # noqa: BLE001  (typer brings its own copy of click, whose errors have no public name)
        mentioned = type(error).__name__ == "MissingParameter" and not line.in_block
        if type(error).__name__ != "Exit" and not mentioned:  # Exit: --help
            pytest.fail(f"{line}: {error}")


@pytest.mark.parametrize("line", commands("make"), ids=str)
def test_every_make_target_exists_and_reads_its_variables(line: Line) -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    targets = dict(re.findall(r"^([a-z][a-z0-9-]*):[^\n]*##([^\n]*)", makefile, re.MULTILINE))
    words = shlex.split(line.text.replace("…", PLACEHOLDER).replace("[", "").replace("]", ""))[1:]
    names = [word for word in words if "=" not in word and not word.startswith("-")]
    assert names, line
    for name in names:
        assert name in targets, line
    settings = (ROOT / "deploy" / "images.env").read_text("utf-8")
    for variable in (word.partition("=")[0] for word in words if "=" in word):
        read = f"$({variable}" in makefile or f",{variable})" in makefile
        assert read or re.search(rf"^#? ?{variable}=", settings, re.MULTILINE), line


@pytest.mark.parametrize("line", commands("aws"), ids=str)
def test_every_aws_command_is_one_of_awss_own_operations(line: Line) -> None:
    words = shlex.split(line.text)[1:]
    service = {"s3api": "s3"}.get(words[0], words[0])
    model = Session().get_service_model(service)
    operations = {xform_name(name, "-"): name for name in model.operation_names}
    assert words[1] in operations, line
    shape = model.operation_model(operations[words[1]]).input_shape
    members = {xform_name(name, "-") for name in shape.members} if shape else set()
    for option in (word for word in words[2:] if word.startswith("--")):
        name = option.removeprefix("--")
        known = name in members or name.removeprefix("no-") in members or option in GLOBAL
        assert known, f"{line}: {option} is not of {words[1]}"


def test_the_runbooks_are_all_there_and_in_the_index() -> None:
    names = {page.stem for page in runbooks()} - {"README"}
    assert names == set(PAGES)
    index = (ROOT / "docs" / "runbooks" / "README.md").read_text("utf-8")
    assert all(f"]({name}.md)" in index for name in names)


@pytest.mark.parametrize("page", [page for page in runbooks() if page.stem != "README"], ids=lambda page: page.stem)
def test_a_runbook_says_what_is_seen_done_and_verified_in_marked_blocks(page: object) -> None:
    text = page.read_text("utf-8")  # type: ignore[attr-defined]
    assert "**Seen.**" in text or "**When.**" in text
    assert "**Verify.**" in text
    marks = {block.mark for block in blocks(page)}  # type: ignore[arg-type]
    assert marks <= {"sh aws", "sh local"}
    assert "sh aws" in marks


def test_every_alarm_names_a_page_that_names_the_alarm() -> None:
    for name, raw in section(load(TEMPLATE), "Resources").items():
        resource = mapping(raw, name)
        if resource["Type"] != "AWS::CloudWatch::Alarm":
            continue
        own = mapping(resource["Properties"], name)
        found = re.search(r"docs/runbooks/([a-z-]+)\.md", str(own["AlarmDescription"]))
        assert found, name
        assert found[1] in PAGES, name
        alarm = str(mapping(own["AlarmName"], name)["Fn::Sub"]).removeprefix("alchemiser-${Stage}-")
        assert f"`{alarm}`" in (ROOT / "docs" / "runbooks" / f"{found[1]}.md").read_text("utf-8"), (found[1], alarm)


def test_every_link_between_pages_leads_somewhere() -> None:
    for page in pages():
        for target in re.findall(r"\]\(([^)#:]+?)(?:#[^)]*)?\)", page.read_text("utf-8")):
            assert (page.parent / target).exists(), f"{page.relative_to(ROOT)} links {target}"
