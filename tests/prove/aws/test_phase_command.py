"""`alchemiser phase` as a person runs it, on a stage in moto: what it reports, what it plans, what it refuses."""

import json
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from alchemiser_common.aws.adapters import AwsAdapters
from alchemiser_common.ids import Pipeline
from alchemiser_common.settings_loading import load_settings
from alchemiser_trading.account.authority import set_authority
from deploy.template import ROOT
from support.aws import CREDENTIALS
from support.aws_stack import LocalAws, local_aws
from support.command import Result, alchemiser
from support.deployment import stack


@dataclass
class Stage:
    """Stage dev in phase shadow, with an authority."""

    aws: LocalAws
    folder: Path
    outputs: Mapping[str, Any]

    def run(self, *arguments: str, **extra: str) -> Result:
        variables = {"ALCHEMISER_AWS__ENDPOINT_URL": self.aws.url, **CREDENTIALS, **extra}
        return alchemiser(self.folder, *arguments, extra=variables)

    def status(self) -> Any:
        return json.loads(self.run("phase", "status", "--stage", "dev", "--json").out)


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with local_aws() as aws, pytest.MonkeyPatch.context() as patch:
        for name, value in CREDENTIALS.items():
            patch.setenv(name, value)
        found = stack("shadow")
        aws.deploy(found)
        for alarm in found.of_type("AWS::CloudWatch::Alarm").values():  # which moto makes as firing
            aws.client("cloudwatch").set_alarm_state(AlarmName=alarm["AlarmName"], StateValue="OK", StateReason="new")
        folder = tmp_path_factory.mktemp("checkout")
        shutil.copytree(ROOT / "deploy", folder / "deploy")
        variables = {
            "ALCHEMISER_BACKEND": "aws",
            "ALCHEMISER_AWS__TABLE": str(found.outputs["Table"]),
            "ALCHEMISER_AWS__ENDPOINT_URL": aws.url,
        }
        state = AwsAdapters(load_settings(variables).settings).state()
        now = datetime(2026, 11, 25, 12, tzinfo=UTC)
        set_authority(state, "paper", Pipeline.MONOLITH, who="test", reason="a test", now=now)
        yield Stage(aws, folder, found.outputs)


def test_status_tells_phase_authority_and_what_blocks_each_neighbour(stage: Stage) -> None:
    told = stage.status()
    assert (told["phase"], told["authority"], told["dead_letters"], told["alarms"]) == ("shadow", "monolith", 0, [])
    assert told["blockers"]["staged"] == []
    found = told["blockers"]["cutover"]
    assert found[0] == {"says": "0 of 10 trading days in a row were decided alike by both pipelines", "final": False}
    assert told["shadow_key"] == "own"
    assert "which lets monolith trade" in stage.run("phase", "status", "--stage", "dev").out
    check = stage.run("phase", "check", "--stage", "dev", "--json")
    assert (check.code, json.loads(check.out)["blockers"]) == (1, found)


def test_a_plan_prints_commands_and_a_blocked_one_says_so_by_its_exit_code(stage: Stage) -> None:
    back = stage.run("phase", "plan", "staged", "--stage", "dev", "--json")
    assert back.code == 0, back.err
    assert json.loads(back.out)["steps"][0] == "alchemiser deploy dev --phase staged"
    forward = stage.run("phase", "plan", "cutover", "--stage", "dev")
    assert forward.code == 1
    assert "blocked: 0 of 10 trading days" in forward.out
    assert "alchemiser authority --set modular" in forward.out


def test_a_jump_and_an_unknown_phase_or_stage_are_refused(stage: Stage) -> None:
    jump = stage.run("phase", "plan", "modular", "--stage", "dev")
    assert jump.code == 2
    assert "from phase shadow to modular leaves out cutover" in jump.err
    assert "phase 'live' is none of monolith" in stage.run("phase", "plan", "live", "--stage", "dev").err
    assert "stage 'qa' is not in deploy/samconfig.toml" in stage.run("phase", "status", "--stage", "qa").err
    missing = stage.run("phase", "status", "--stage", "prod")
    assert missing.code == 1
    assert "stack alchemiser-prod does not exist in region us-east-1" in missing.err


def test_a_dead_letter_and_a_firing_alarm_block_the_next_step(stage: Stage) -> None:
    stage.aws.client("sqs").send_message(QueueUrl=stage.outputs["TriggerDeadLetters"], MessageBody="{}")
    name = "alchemiser-dev-run-halted"
    stage.aws.client("cloudwatch").set_alarm_state(AlarmName=name, StateValue="ALARM", StateReason="a drill")
    blockers = stage.status()["blockers"]
    found = [item["says"] for item in blockers["cutover"]]
    assert any(text.startswith("1 dead letters") for text in found)
    assert f"alarm {name} is firing" in found
    assert blockers["staged"] == [], "the way back stays open"
