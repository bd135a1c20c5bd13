"""The runbooks' rehearsals, as they stand on the page: bash, the real command, a home of their own."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from deploy.template import ROOT
from support.command import alchemiser, environment
from support.documents import blocks, runbooks

LOCAL = [block for page in runbooks() for block in blocks(page) if block.mark == "sh local"]


@pytest.fixture(scope="session")
def after_a_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("rehearsal")
    assert alchemiser(folder, "run").code == 0
    return folder


def test_most_pages_can_be_rehearsed() -> None:
    assert len(LOCAL) >= 8


@pytest.mark.parametrize("block", LOCAL, ids=lambda block: Path(block.page).stem)
def test_a_rehearsal_runs_as_it_is_written(block: object, after_a_run: Path, tmp_path: Path) -> None:
    folder = tmp_path / "home"
    shutil.copytree(after_a_run, folder)
    path = os.pathsep.join([str(ROOT / ".venv" / "bin"), os.environ["PATH"]])
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", block.text],  # type: ignore[attr-defined]
        cwd=folder,
        env=environment({"PATH": path}),
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.strip()
