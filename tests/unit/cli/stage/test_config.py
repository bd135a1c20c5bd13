"""What the stage's file may say, and how it is refused."""

from pathlib import Path

import pytest

from alchemiser_cli.stage.config import read_stage
from alchemiser_common.errors import InvalidSettings
from deploy.template import ROOT

WHOLE = """
[dev.global.parameters]
stack_name = "alchemiser-dev"
region = "us-east-1"
[dev.deploy.parameters]
template = "template.yaml"
parameter_overrides = "Stage=dev DecisionTime='cron(45 9 ? * * *)'"
[dev.alchemiser.parameters]
account = "123456789012"
broker_secret = "other/key"
"""


def written(folder: Path, text: str) -> Path:
    (folder / "deploy").mkdir()
    (folder / "deploy" / "samconfig.toml").write_text(text, "utf-8")
    return folder


def test_a_stage_is_found_from_any_folder_of_the_checkout(tmp_path: Path) -> None:
    inside = written(tmp_path, WHOLE) / "docs" / "deep"
    inside.mkdir(parents=True)
    stage = read_stage("dev", inside)
    assert (stage.stack, stage.region, stage.account) == ("alchemiser-dev", "us-east-1", "123456789012")
    assert stage.parameters == {"Stage": "dev", "DecisionTime": "cron(45 9 ? * * *)"}
    assert (stage.broker_secret, stage.shadow_secret) == ("other/key", "alchemiser/dev/shadow")
    assert stage.template == tmp_path / "deploy" / "template.yaml"


@pytest.mark.parametrize("name", ["dev", "staging", "prod"])
def test_the_projects_own_stages_are_whole(name: str) -> None:
    stage = read_stage(name, ROOT)
    assert stage.template.is_file()
    assert stage.parameters["Stage"] == name


@pytest.mark.parametrize(
    ("name", "change", "words"),
    [
        ("moon", ("", ""), "stage 'moon' is not in deploy/samconfig.toml; it has dev"),
        ("dev", ('"123456789012"', '"12"'), "account of stage dev is '12'"),
        ("dev", ("Stage=dev", "Stage"), "parameter_overrides of stage dev has no '=' in its part 1"),
        ("dev", ("stack_name", "stack"), "stage dev has no stack_name"),
        ("dev", ("= ", "== "), "cannot be read"),
    ],
)
def test_a_file_that_says_it_wrong_is_refused_by_field(
    tmp_path: Path, name: str, change: tuple[str, str], words: str
) -> None:
    folder = written(tmp_path, WHOLE.replace(*change) if change[0] else WHOLE)
    with pytest.raises(InvalidSettings, match=words):
        read_stage(name, folder)


def test_outside_a_checkout_it_says_so(tmp_path: Path) -> None:
    with pytest.raises(InvalidSettings, match="run this in a checkout of the project"):
        read_stage("dev", tmp_path)
