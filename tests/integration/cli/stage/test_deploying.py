"""Deploying and rolling back: what goes live, what is refused, and that a refusal leaves everything as it was."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest

from alchemiser_cli.options import Signature
from alchemiser_cli.stage.deployment import DeployRequest, deploy
from alchemiser_cli.stage.doctor import run_checks
from alchemiser_cli.stage.names import SERVICES
from alchemiser_cli.stage.rollback import roll_back
from alchemiser_cli.stage.smoke import SmokeFailed
from alchemiser_cli.stage.stack import DeploymentFailed, Refused
from alchemiser_common import keys
from alchemiser_common.errors import (
    AlchemiserError,
    InvalidSettings,
    MissingSecret,
    RunInProgress,
    StoreUnavailable,
    WrongAccount,
)
from alchemiser_common.ids import Pipeline
from alchemiser_common.messages.base import SCHEMA_VERSION
from alchemiser_common.ports.state import load, put
from alchemiser_common.records.lease import LeaseRecord
from alchemiser_trading.account.audit import read_audit
from support.aws import CREDENTIALS
from support.command import alchemiser
from support.fault_proxy import fault_proxy
from support.stages import ACCOUNT, FIRST, KEY, SECOND, THIRD, StageOnMoto, agree, decline, give

pytestmark = pytest.mark.timeout(600)  # the stage is deployed three times before the first test

RUN = UUID("00000000-0000-4000-8000-00000000abcd")
THROTTLED = b"<ErrorResponse><Error><Code>Throttling</Code><Message>Rate exceeded</Message></Error></ErrorResponse>"


def state_of(stage: StageOnMoto) -> tuple[object, ...]:
    """All that a refused change must leave alone."""
    cloud = stage.client("cloudformation")
    (stack,) = cloud.describe_stacks(StackName="alchemiser-dev")["Stacks"]
    parameters = {item["ParameterKey"]: item["ParameterValue"] for item in stack["Parameters"]}
    sets = [item for item in cloud.list_change_sets(StackName="alchemiser-dev")["Summaries"] if open_set(item)]
    return parameters, stage.functions(), {name: stage.live(name) for name in SERVICES}, sets


def open_set(summary: dict[str, str]) -> bool:
    return summary.get("ExecutionStatus") == "AVAILABLE"


@contextmanager
def unchanged(stage: StageOnMoto) -> Iterator[None]:
    before = state_of(stage)
    yield
    assert state_of(stage) == before


@contextmanager
def unfinished_run(stage: StageOnMoto) -> Iterator[None]:
    store, key = stage.store(), keys.lease_record("paper-dev")
    known = load(store, key, LeaseRecord)
    assert known is not None
    until = stage.clock.now() + timedelta(minutes=20)
    busy = known.value.model_copy(update={"unfinished_run": RUN, "unfinished_until": until})
    store.write(put(key, busy, known.version))
    yield
    store.write(put(key, known.value, known.version + 1))


def test_a_first_deployment_needs_everything_and_starts_with_the_monolith(dev: StageOnMoto) -> None:
    staging = replace(dev, name="staging")
    everything = dict.fromkeys(SERVICES, FIRST)
    refusals: list[tuple[DeployRequest, type[AlchemiserError], str]] = [
        (DeployRequest("shadow", everything), InvalidSettings, "phase shadow cannot be the first: deploy monolith"),
        (DeployRequest(None, {"data": FIRST}), InvalidSettings, "not deployed yet: give --tag for all services"),
        (DeployRequest(None, {**everything, "data": "latest"}), InvalidSettings, "tag 'latest' is no git commit"),
        (
            DeployRequest(None, {**everything, "data": "ddddddd"}),
            InvalidSettings,
            f"newest are: .*{FIRST}.*make push-service",
        ),
        (
            DeployRequest(None, everything),
            MissingSecret,
            "secret alchemiser/staging/alpaca does not exist: aws secretsmanager",
        ),
    ]
    for asked, kind, words in refusals:
        with pytest.raises(kind, match=words):
            deploy(staging.stage(), asked, agree)
        assert staging.stage().stack() is None
    dev.client("secretsmanager").create_secret(Name="alchemiser/staging/alpaca", SecretString=json.dumps(KEY))
    done = deploy(staging.stage(), DeployRequest(None, everything), agree)
    assert done.phase == "monolith"
    assert staging.live("monolith") == ("1", FIRST)
    tags = dev.client("ecr").describe_images(repositoryName="alchemiser/data")["imageDetails"]
    assert any(tag.startswith("deployed-staging-") for image in tags for tag in image["imageTags"])


@pytest.mark.parametrize(
    ("asked", "kind", "words"),
    [
        (
            DeployRequest("modular"),
            InvalidSettings,
            "from phase shadow to modular leaves out cutover: deploy cutover first",
        ),
        (DeployRequest("monolith"), InvalidSettings, "from phase shadow to monolith leaves out staged"),
        (DeployRequest("live"), InvalidSettings, "phase 'live' is none of monolith, staged"),
        (DeployRequest(None, {"colour": FIRST}), InvalidSettings, "service 'colour' is none of"),
        (DeployRequest(None, {"strategy": "ddddddd"}), InvalidSettings, "strategy has no image tagged ddddddd"),
        (DeployRequest(parameters={"Colour": "red"}), InvalidSettings, "parameter Colour is not in the template"),
        (
            DeployRequest(parameters={"LogRetentionDays": "8"}),
            InvalidSettings,
            "LogRetentionDays is '8'; it may be 7, 14",
        ),
    ],
    ids=lambda value: "" if isinstance(value, DeployRequest | type) else value[:30],
)
def test_a_wrong_request_is_refused_by_name(
    dev: StageOnMoto, asked: DeployRequest, kind: type[AlchemiserError], words: str
) -> None:
    with pytest.raises(kind, match=words):
        deploy(dev.stage(), asked, agree)


def test_the_gate_stands_before_a_cutover_and_what_a_person_answers_for_is_in_the_audit(dev: StageOnMoto) -> None:
    answered = Signature("tester", "a drill")
    with unchanged(dev):
        with pytest.raises(Refused, match=r"0 of 10 trading days in a row.*--override REASON is kept in the audit"):
            deploy(dev.stage(), DeployRequest("cutover"), agree)
        deploy(dev.stage(), DeployRequest("cutover", only_plan=True), decline)
        assert any(line.startswith("blocked: 0 of 10 trading days") for line in dev.told)
        assert not deploy(dev.stage(), DeployRequest("cutover", override=answered), decline).carried_out
        with unfinished_run(dev), pytest.raises(RunInProgress):
            deploy(dev.stage(), DeployRequest("cutover", override=answered), agree)
        extra = {**CREDENTIALS, "ALCHEMISER_AWS__ENDPOINT_URL": dev.url}
        refused = alchemiser(dev.folder, "deploy", "dev", "--phase", "cutover", "--yes", extra=extra)
        assert (refused.code, "0 of 10 trading days" in refused.err) == (1, True), refused.err
        blank = alchemiser(dev.folder, "deploy", "dev", "--phase", "cutover", "--yes", "--override", " ", extra=extra)
        assert (blank.code, "--override needs a reason" in blank.err) == (2, True), blank.err
    assert not [entry for entry in read_audit(dev.store(), "paper-dev") if entry.what.startswith("gate")]
    try:
        assert deploy(dev.stage(), DeployRequest("cutover", override=answered), agree).phase == "cutover"
        (noted,) = (entry for entry in read_audit(dev.store(), "paper-dev") if entry.what.startswith("gate"))
        assert noted.what.startswith("gate: shadow to cutover in spite of: 0 of 10 trading days")
        assert (noted.who, noted.reason) == ("tester", "a drill")
    finally:
        back = deploy(dev.stage(), DeployRequest("shadow"), agree)
    assert (back.phase, back.carried_out) == ("shadow", True), "a step back asks for nothing of it"


def test_nothing_moves_while_a_run_is_in_progress_or_authority_is_elsewhere_or_the_answer_is_no(
    dev: StageOnMoto,
) -> None:
    dev.push(SECOND, "data")
    with unchanged(dev):
        with unfinished_run(dev):
            for change in (lambda: dev.deploy(data=SECOND), lambda: roll_back(dev.stage(), "data", None, agree)):
                with pytest.raises(RunInProgress, match=f"run {RUN} of account paper-dev has not ended"):
                    change()

        assert not deploy(dev.stage(), DeployRequest(None, {"data": SECOND}), decline).carried_out
        give(dev, Pipeline.MODULAR)
        with pytest.raises(Refused, match="the monolith pipeline trades, but modular has the authority"):
            dev.deploy(data=SECOND)
        give(dev, Pipeline.MONOLITH)


def test_a_run_that_begins_while_the_changes_are_read_stops_the_deployment(dev: StageOnMoto) -> None:
    dev.push(SECOND, "trading")
    with unchanged(dev):
        held: list[object] = []

        def slow_yes(_: object) -> bool:
            held.append(unfinished := unfinished_run(dev))
            unfinished.__enter__()
            return True

        with pytest.raises(RunInProgress):
            deploy(dev.stage(), DeployRequest(None, {"trading": SECOND}), slow_yes)
        (unfinished,) = held
        unfinished.__exit__(None, None, None)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("tag", "says", "broken", "words"),
    [
        ("d0d0d0d", "eeeeeee", "never", "candidate says it is build eeeeeee, not d0d0d0d"),
        ("d1d1d1d", None, "always", "candidate answers probe 'version' with: .*Runtime.ExitError"),
    ],
    ids=["another build", "dies"],
)
def test_a_build_that_fails_its_probe_never_goes_live(
    dev: StageOnMoto, tag: str, says: str | None, broken: str, words: str
) -> None:
    dev.push(tag, "strategy", says=says, broken=broken)
    with unchanged(dev), pytest.raises(SmokeFailed, match=words):
        dev.deploy(strategy=tag)


def test_a_build_that_fails_only_once_it_is_live_gives_the_alias_back(dev: StageOnMoto) -> None:
    number, _ = dev.live("strategy")
    dev.push("d2d2d2d", "strategy", broken="live")
    with pytest.raises(
        DeploymentFailed, match=f"ExitError.*is back at version {number}.*alchemiser rollback dev strategy"
    ):
        dev.deploy(strategy="d2d2d2d")
    assert dev.live("strategy") == (number, FIRST)
    assert {item.check: item.remedy for item in run_checks(dev.stage())}[
        "functions"
    ] == "alchemiser rollback dev strategy"
    roll_back(dev.stage(), "strategy", None, agree)
    stack = dev.stage().stack()
    assert stack is not None
    assert stack.parameters["StrategyTag"] == FIRST
    assert dev.live("strategy")[1] == FIRST


def test_what_holds_state_is_never_replaced(dev: StageOnMoto) -> None:
    template = dev.folder / "deploy" / "template.yaml"
    text = template.read_text("utf-8")
    template.write_text(
        text.replace("TableName: !Sub alchemiser-${Stage}", "TableName: !Sub renamed-${Stage}"), "utf-8"
    )
    try:
        with unchanged(dev), pytest.raises(Refused, match="replace or remove what holds state: Table"):
            dev.deploy()
    finally:
        template.write_text(text, "utf-8")


def test_a_build_goes_live_and_is_rolled_back_at_once_and_again_after_an_interruption(dev: StageOnMoto) -> None:
    third = dev.push(THIRD, "strategy")["strategy"]
    dev.deploy(strategy=THIRD)
    assert dev.stage().images().trusted("strategy", third) is not None
    assert dev.live("strategy")[1] == THIRD
    assert "deciding on the recorded snapshot: the stage has none of its own yet" in dev.told
    assert [line for line in dev.told if line.startswith("strategy: tecl (50.00%, rules ")]
    assert f"strategy: build {THIRD} answers, messages {SCHEMA_VERSION}" in dev.told
    done = roll_back(dev.stage(), "strategy", None, agree)
    assert (done.left, done.image.tag, done.at_once) == (THIRD, FIRST, True)
    assert dev.live("strategy")[1] == FIRST
    stack = dev.stage().stack()
    assert stack is not None
    assert stack.parameters["StrategyTag"] == FIRST

    assert dev.stage().images().trusted("strategy", third) is None, "the next rollback would go back to it"

    number, _ = dev.live("strategy")
    # Forward again, a rollback that is declined, and one that is interrupted after the alias has moved.
    dev.deploy(strategy=THIRD)
    with unchanged(dev):
        roll_back(dev.stage(), "strategy", None, decline)
    dev.client("lambda").update_alias(FunctionName="alchemiser-dev-strategy", Name="live", FunctionVersion=number)
    roll_back(dev.stage(), "strategy", None, agree)
    stack = dev.stage().stack()
    assert stack is not None
    assert stack.parameters["StrategyTag"] == FIRST
    assert dev.live("strategy")[1] == FIRST
    assert not [name for name in dev.functions() if name.endswith("-candidate")]


def test_an_earlier_version_with_other_settings_is_not_brought_back(dev: StageOnMoto) -> None:
    """Versions of phase staged are there, with the same build or none: an alias must not go back to their settings."""
    with unchanged(dev), pytest.raises(Refused, match="no earlier build with the present settings"):
        roll_back(dev.stage(), "monolith", None, agree)


def test_another_account_and_a_throttled_one_are_named(dev: StageOnMoto) -> None:
    stage = dev.stage()
    with pytest.raises(WrongAccount, match=f"open account {ACCOUNT}; stage dev is in 999999999999"):
        deploy(replace(stage, config=replace(stage.config, account="999999999999")), DeployRequest(), agree)
    with fault_proxy(dev.url) as proxy:
        proxy.answers = [(400, THROTTLED)] * 20
        with pytest.raises(StoreUnavailable, match="the credentials: Throttling: Rate exceeded"):
            deploy(dev.stage(url=proxy.url), DeployRequest(), agree)


def test_the_command_plans_asks_and_says_that_nothing_is_to_do(dev: StageOnMoto) -> None:
    extra = {**CREDENTIALS, "ALCHEMISER_AWS__ENDPOINT_URL": dev.url}
    asked = ("deploy", "dev", "--parameter", "AlarmsEnabled=true")
    with unchanged(dev):
        planned = alchemiser(dev.folder, *asked, "--plan", "--json", extra=extra)
        assert planned.code == 0, planned.err
        told = json.loads(planned.out)
        assert not told["carried_out"]
        assert {
            "action": "Add",
            "name": "DataErrorsAlarm",
            "type": "AWS::CloudWatch::Alarm",
            "replacement": False,
        } in told["changes"]
        assert "changes to stack alchemiser-dev" in planned.err
        answer = alchemiser(dev.folder, *asked, extra=extra)
        assert answer.code == 2, answer.err
        assert "standard input is not a terminal: give --yes" in answer.err
        same = alchemiser(dev.folder, "deploy", "dev", extra=extra)
        assert same.code == 0, same.err
        assert "stage dev is as it should be, in phase shadow: nothing to change" in same.out


def test_a_stages_settings_let_the_other_commands_work_on_it(dev: StageOnMoto) -> None:
    extra = {**CREDENTIALS, "ALCHEMISER_AWS__ENDPOINT_URL": dev.url}
    told = alchemiser(dev.folder, "stage", "dev", "--json", extra=extra)
    assert told.code == 0, told.err
    shown = alchemiser(dev.folder, "authority", "--json", extra={**extra, **json.loads(told.out)})
    assert shown.code == 0, shown.err
    assert json.loads(shown.out)["authority"]["pipeline"] == "monolith"
