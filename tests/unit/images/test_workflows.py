"""The hosted workflows: every action pinned, no right that is not needed, the Makefile's own targets."""

import re
from pathlib import Path

import pytest
import yaml

from alchemiser_cli.stage.names import SERVICES
from images.settings import ROOT

FILES = sorted(ROOT.glob(".github/**/*.yml"))
WORKFLOWS = [path for path in FILES if path.parent.name == "workflows"]


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_every_action_is_pinned_to_a_commit_and_says_its_version(path: Path) -> None:
    used = re.findall(r"uses: (.+)$", path.read_text("utf-8"), re.MULTILINE)
    assert used
    loose = [use for use in used if not re.fullmatch(r"\./.*|[\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", use)]
    assert not loose


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_every_make_target_named_there_exists(path: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    assert set(re.findall(r"make (?:-s )?([a-z-]+)", path.read_text("utf-8"))) <= targets


@pytest.mark.parametrize("path", WORKFLOWS, ids=name_of)
def test_workflows_only_read_unless_a_job_says_otherwise_and_end_in_time(path: Path) -> None:
    workflow = yaml.safe_load(path.read_text("utf-8"))
    assert workflow["permissions"] == {"contents": "read"}
    for name, job in workflow["jobs"].items():
        assert job["timeout-minutes"] <= 60, name
        matrix = job.get("strategy", {}).get("matrix", {"service": list(SERVICES)})
        assert sorted(matrix["service"]) == sorted(SERVICES), "a service was forgotten"


def test_only_publishing_can_assume_a_role_and_only_where_one_is_configured() -> None:
    rights = {path.name: "id-token" in path.read_text("utf-8") for path in FILES}
    assert [name for name, able in rights.items() if able] == ["publish.yml"]
    publish = yaml.safe_load((ROOT / ".github/workflows/publish.yml").read_text("utf-8"))
    assert "pull_request" not in publish[True], "yaml reads the key `on` as true"
    assert publish["jobs"]["push"]["if"] == "vars.AWS_PUSH_ROLE != ''"
