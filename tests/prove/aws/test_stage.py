"""`alchemiser phase` and `doctor` on a stage in moto: what they say of a good one, and of each way to be bad."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from alchemiser_common.aws.adapters import AwsAdapters
from alchemiser_common.ids import Pipeline
from alchemiser_common.settings import load_settings
from alchemiser_trading.authority import set_authority
from support.aws_stack import LocalAws, local_aws
from support.command import Result, alchemiser
from support.deployment import SERVICES, stack

KEY = json.dumps({"key_id": "PKSIMULATED", "secret_key": "not-a-secret-0123"})
MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "AKIATESTTESTTEST", "AWS_SECRET_ACCESS_KEY": "test-secret-value"}


@dataclass
class Stage:
    """Stage dev in phase shadow, with images, secrets and an authority."""

    aws: LocalAws
    folder: Path
    outputs: Mapping[str, Any]

    def run(self, *arguments: str, **extra: str) -> Result:
        variables = {"ALCHEMISER_AWS__ENDPOINT_URL": self.aws.url, **CREDENTIALS, **extra}
        return alchemiser(self.folder, *arguments, extra=variables)

    def json(self, *arguments: str) -> Any:
        return json.loads(self.run(*arguments, "--json").out)

    def wrong(self) -> dict[str, str]:
        """What the doctor finds wrong."""
        findings = self.json("doctor", "--stage", "dev")
        return {item["check"]: item["text"] for item in findings if item["verdict"] == "wrong"}


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with local_aws() as aws, pytest.MonkeyPatch.context() as patch:
        for name, value in CREDENTIALS.items():
            patch.setenv(name, value)
        registry, secrets = aws.client("ecr"), aws.client("secretsmanager")
        changes = {}
        for number, service in enumerate(SERVICES):
            registry.create_repository(repositoryName=f"alchemiser/{service}")
            tag = changes[f"{service.capitalize()}Tag"] = f"abcdef{number}"
            manifest = json.dumps({"mediaType": MANIFEST, "config": {"digest": f"sha256:{number:064x}"}, "layers": []})
            pushed = registry.put_image(repositoryName=f"alchemiser/{service}", imageManifest=manifest, imageTag=tag)
            changes[f"{service.capitalize()}Digest"] = pushed["image"]["imageId"]["imageDigest"]
        for name in ("Broker", "Shadow"):
            made = secrets.create_secret(Name=f"alchemiser/dev/{name.lower()}", SecretString=KEY)
            changes[f"{name}SecretArn"] = made["ARN"]
        found = stack("shadow", **changes)
        aws.deploy(found)
        # What moto leaves undone: alarms start as firing, and tables without point-in-time recovery.
        for alarm in found.of_type("AWS::CloudWatch::Alarm").values():
            aws.client("cloudwatch").set_alarm_state(AlarmName=alarm["AlarmName"], StateValue="OK", StateReason="new")
        aws.client("dynamodb").update_continuous_backups(
            TableName=found.outputs["Table"],
            PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True},
        )
        stage = Stage(aws, tmp_path_factory.mktemp("stage"), found.outputs)
        variables = dict(line.removeprefix("export ").split("=", 1) for line in lines(stage))
        state = AwsAdapters(load_settings(variables).settings).state()
        set_authority(state, "paper", Pipeline.MONOLITH, who="test", reason="a test", now=NOW)
        yield stage


def lines(stage: Stage) -> list[str]:
    printed = stage.run("phase", "env", "--stage", "dev")
    assert printed.code == 0, printed.err
    return printed.out.splitlines()


def test_status_tells_phase_authority_and_what_blocks_each_neighbour(stage: Stage) -> None:
    told = stage.json("phase", "status", "--stage", "dev")
    assert (told["phase"], told["authority"], told["dead_letters"], told["alarms"]) == ("shadow", "monolith", 0, [])
    assert told["blockers"]["staged"] == []
    assert told["blockers"]["cutover"] == ["0 of 10 cycles in a row were decided alike by both pipelines"]
    assert "which lets monolith trade" in stage.run("phase", "status", "--stage", "dev").out


def test_a_plan_prints_commands_and_a_blocked_one_says_so_by_its_exit_code(stage: Stage) -> None:
    back = stage.run("phase", "plan", "staged", "--stage", "dev", "--json")
    assert back.code == 0, back.err
    assert json.loads(back.out)["steps"][0] == "make deploy STAGE=dev PHASE=staged"
    forward = stage.run("phase", "plan", "cutover", "--stage", "dev")
    assert forward.code == 1
    assert "blocked: 0 of 10 cycles" in forward.out
    assert "alchemiser authority --set modular" in forward.out


@pytest.mark.parametrize("target", ["monolith", "modular"])
def test_a_jump_is_refused(stage: Stage, target: str) -> None:
    refused = stage.run("phase", "plan", target, "--stage", "dev")
    assert refused.code == 2
    assert f"from shadow to {target} is more than one step" in refused.err


def test_the_printed_settings_make_the_other_commands_work_on_the_stage(stage: Stage) -> None:
    variables = dict(line.removeprefix("export ").split("=", 1) for line in lines(stage))
    shown = json.loads(stage.run("authority", "--json", **variables).out)
    assert (shown["account"], shown["authority"]["pipeline"]) == ("paper", "monolith")


def test_a_good_stage_has_nothing_wrong(stage: Stage) -> None:
    examined = stage.run("doctor", "--stage", "dev")
    assert examined.code == 0, examined.out
    assert "wrong" not in examined.out
    assert "version 1 is live" in examined.out
    assert "not-a-secret" not in examined.out


def test_an_absent_stage_and_a_wrong_region_are_named(stage: Stage) -> None:
    missing = stage.run("phase", "status", "--stage", "prod")
    assert missing.code == 2
    assert "stack alchemiser-prod does not exist in region us-east-1" in missing.err
    elsewhere = stage.run("doctor", "--stage", "dev", ALCHEMISER_AWS__REGION="eu-west-1")
    assert elsewhere.code == 1
    assert "does not exist in region eu-west-1" in elsewhere.out


def test_an_authority_that_the_phase_does_not_expect_is_wrong(stage: Stage) -> None:
    variables = dict(line.removeprefix("export ").split("=", 1) for line in lines(stage))
    assert stage.run("authority", "--set", "modular", "--reason", "drill", **variables).code == 0
    assert "nobody trades" in stage.wrong()["authority"]
    told = stage.json("phase", "status", "--stage", "dev")
    assert "authority is modular's" in told["blockers"]["cutover"][0]
    assert stage.run("authority", "--set", "monolith", "--reason", "drill over", **variables).code == 0


def test_a_dead_letter_and_a_firing_alarm_block_the_next_step(stage: Stage) -> None:
    url = stage.outputs["TriggerDeadLetters"]
    sqs, watch = stage.aws.client("sqs"), stage.aws.client("cloudwatch")
    sqs.send_message(QueueUrl=url, MessageBody="{}")
    watch.set_alarm_state(AlarmName="alchemiser-dev-run-halted", StateValue="ALARM", StateReason="a drill")
    found = stage.json("phase", "status", "--stage", "dev")["blockers"]["cutover"]
    assert any(text.startswith("1 dead letters") for text in found)
    assert "alarm alchemiser-dev-run-halted is firing" in found
    assert "1 in TriggerDeadLetters" in stage.wrong()["dead letters"]
    sqs.purge_queue(QueueUrl=url)
    watch.set_alarm_state(AlarmName="alchemiser-dev-run-halted", StateValue="OK", StateReason="over")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("not json", "is no JSON object"),
        (json.dumps({"key_id": "PKSIMULATED"}), "secret_key of secret"),
        (
            json.dumps({"key_id": "AKLIVE0123456789", "secret_key": "x" * 40}),
            "holds a live key, the environment is paper",
        ),
    ],
)
def test_a_malformed_or_foreign_key_is_wrong_and_never_shown(stage: Stage, content: str, words: str) -> None:
    secrets, name = stage.aws.client("secretsmanager"), stage.outputs["BrokerSecret"]
    secrets.put_secret_value(SecretId=name, SecretString=content)
    found = stage.wrong()
    secrets.put_secret_value(SecretId=name, SecretString=KEY)
    (text,) = [text for check, text in found.items() if check.startswith("secret")]
    assert words in text
    assert "AKLIVE" not in text


def test_a_function_changed_by_hand_is_drift(stage: Stage) -> None:
    functions, name = stage.aws.client("lambda"), stage.outputs["TradingFunction"]
    functions.update_function_configuration(
        FunctionName=name, Environment={"Variables": {"ALCHEMISER_AWS__PHASE": "cutover"}}
    )
    version = functions.publish_version(FunctionName=name)["Version"]
    functions.update_alias(FunctionName=name, Name="live", FunctionVersion=version)
    assert "was deployed in phase cutover" in stage.wrong()["function trading"]
    functions.update_alias(FunctionName=name, Name="live", FunctionVersion="1")


def test_an_unknown_image_and_a_deleted_table_are_wrong(stage: Stage) -> None:
    registry = stage.aws.client("ecr")
    registry.batch_delete_image(repositoryName="alchemiser/data", imageIds=[{"imageTag": "abcdef1"}])
    tables, name = stage.aws.client("dynamodb"), stage.outputs["Table"]
    tables.update_table(TableName=name, DeletionProtectionEnabled=False)
    tables.delete_table(TableName=name)
    found = stage.wrong()
    assert "is not in the registry" in found["image data"]
    assert "alchemiser-dev" in found["table"]
    assert "does not exist" in found["table"]
