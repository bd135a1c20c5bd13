"""docs/local.md's commands, each run as it stands on the page.

A machine without Docker plays the stage: only what starts, watches or ends containers is replaced, and named here.
"""

import json
import os
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass

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


@dataclass(frozen=True, slots=True)
class Played:
    """What the page's blocks say, one after the other in one terminal each; and what the functions said meanwhile."""

    said: list[str]
    logs: str


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Played]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ACCESS_KEY_ID", LOCAL_KEY)
        patch.setenv("AWS_SECRET_ACCESS_KEY", LOCAL_KEY)
        with played_stage() as stage:
            home = tmp_path_factory.mktemp("home")
            path = os.pathsep.join([str(ROOT / ".venv" / "bin"), os.environ["PATH"]])
            variables = environment({**stage.ports, "PATH": path, "ALCHEMISER_HOME": str(home)})
            yield Played([_run(block.text, variables) for block in BLOCKS], stage.logs.getvalue())
    assert not (home / "simulator.db").exists(), "the stage has an exchange, and no command begins another"


def _run(text: str, variables: dict[str, str]) -> str:
    done = subprocess.run(
        ["bash", "-xeuo", "pipefail", "-c", MAKE + text],
        cwd=ROOT,
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
    others = [block.text for block in blocks(PAGE) if block.mark != "sh"]
    assert len(BLOCKS) == 2
    assert [text for text in others if typed.search(text) and "──►" not in text] == []


def test_what_replaces_a_target_is_what_the_target_does_beside_containers() -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    assert "LOCAL := PYTHONPATH=tools $(BIN)/python -m local\n" in makefile
    for part in ("$(LOCAL) provision --speed $(or $(SPEED),20) $(if $(PHASE),--phase $(PHASE))", "$(LOCAL) cycle"):
        assert f"\t@{part}\n" in makefile


def test_the_page_runs_a_cycle_and_its_command_works_on_the_stage_that_the_terminal_was_told_of(
    played: Played,
) -> None:
    made, looked_at = played.said
    assert "cycle demo:2020-06-03T13:45:00Z  completed" in made
    assert "demo:2020-06-03T13:45" in looked_at
    assert "mean slippage" in looked_at
    assert "the books agree with the broker's positions" in looked_at
    assert "no dead letters" in looked_at.lower()


def test_the_functions_count_what_the_stages_alarms_watch(played: Played) -> None:
    lines = [json.loads(line) for line in played.logs.splitlines() if '"_aws"' in line]
    ends = [line for line in lines if line.get("RunEnded") == 1]
    assert {(line["Stage"], line["Pipeline"]) for line in ends} == {("dev", "modular")}
