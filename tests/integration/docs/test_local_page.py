"""docs/local.md's commands, each run as it stands on the page.

A machine without Docker plays the stage: only what starts, watches or ends containers is replaced, and named here.
"""

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.template import ROOT
from local.aws import LOCAL_KEY
from support.command import environment
from support.documents import blocks
from support.played_stage import SPEED, played_stage

pytestmark = pytest.mark.timeout(600)  # eight processes, one after the other
PAGE = ROOT / "docs" / "local.md"
BLOCKS = [block for block in blocks(PAGE) if block.mark == "sh"]
MAKE = f"""
make() {{
    case "$1" in
        up) PYTHONPATH=tools .venv/bin/python -m local provision --speed {SPEED} ;;
        cycle) PYTHONPATH=tools .venv/bin/python -m local cycle ;;
        logs | down | e2e) echo "needs containers: make $*" ;;
        *) echo "the page shows make $1, which this test does not know" >&2; return 1 ;;
    esac
}}
"""
"""The part of each target that needs no container, as the Makefile has it."""


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[str]]:
    """What the page's blocks say, one after the other in one terminal each."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ACCESS_KEY_ID", LOCAL_KEY)
        patch.setenv("AWS_SECRET_ACCESS_KEY", LOCAL_KEY)
        with played_stage() as ports:
            home = tmp_path_factory.mktemp("home")
            path = os.pathsep.join([str(ROOT / ".venv" / "bin"), os.environ["PATH"]])
            variables = environment({**ports, "PATH": path, "ALCHEMISER_HOME": str(home)})
            yield [_run(block.text, variables, ROOT) for block in BLOCKS]
    assert not (home / "simulator.db").exists(), "the stage has an exchange, and no command begins another"


def _run(text: str, variables: dict[str, str], folder: Path) -> str:
    done = subprocess.run(
        ["bash", "-xeuo", "pipefail", "-c", MAKE + text],
        cwd=folder,
        env=variables,
        capture_output=True,
        text=True,
        timeout=400,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_every_command_of_the_page_stands_in_a_block_that_is_run() -> None:
    typed = re.compile(r"^(?:make|alchemiser|eval|PYTHONPATH=\S+) ", re.MULTILINE)
    assert len(BLOCKS) == 2
    assert not [block for block in blocks(PAGE) if block.mark != "sh" and typed.search(block.text)
                and "──►" not in block.text]  # fmt: skip


def test_what_replaces_a_target_is_what_the_target_does_beside_containers() -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    assert "LOCAL := PYTHONPATH=tools $(BIN)/python -m local\n" in makefile
    for part in ("$(LOCAL) provision --speed $(or $(SPEED),20)", "$(LOCAL) cycle"):
        assert f"\t@{part}\n" in makefile


def test_the_containers_commands_run_a_cycle(said: list[str]) -> None:
    assert re.search(r"completed", said[0]), said[0]
    assert "signals" in said[0] or "target" in said[0], said[0]


def test_the_command_works_on_the_stage_that_the_terminal_was_told_of(said: list[str]) -> None:
    assert "demo:2020-06-03T13:45" in said[1]
    assert "mean slippage" in said[1]
    assert "the books agree with the broker's positions" in said[1], said[1]
    assert "no dead letters" in said[1].lower(), said[1]
