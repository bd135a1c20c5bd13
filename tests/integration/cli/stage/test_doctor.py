"""The checks of a stage: each check finds its own fault, by its real cause, and nothing else is accused."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest

from alchemiser_cli.stage.check_result import CheckContext, CheckResult, NamedCheck, Verdict
from alchemiser_cli.stage.doctor import _result, run_checks
from alchemiser_cli.stage.resource_checks import shadow_key
from alchemiser_cli.stage.stage import Stage
from alchemiser_common.errors import InvalidSettings
from alchemiser_common.ids import Pipeline
from alchemiser_common.records.trading_state import TradingState
from alchemiser_simulator.control.control import SimulatorControl
from alchemiser_simulator.control.lies import Answer
from alchemiser_simulator.control.rules import When
from alchemiser_trading.account.trading_state import set_trading_state
from support.aws import CREDENTIALS
from support.command import alchemiser
from support.fault_proxy import fault_proxy
from support.stages import ACCOUNT, FIRST, KEY, StageOnMoto, give

pytestmark = pytest.mark.timeout(600)  # the stage is deployed three times before the first test

TABLE, GROUP = "alchemiser-dev", "alchemiser-dev"
BUCKET = f"alchemiser-dev-{ACCOUNT}-us-east-1"
DECISIONS = f"https://sqs.us-east-1.amazonaws.com/{ACCOUNT}/alchemiser-dev-trade-decision.fifo"
DEAD = f"https://sqs.us-east-1.amazonaws.com/{ACCOUNT}/alchemiser-dev-trigger-dead"


def by_name(stage: Stage) -> dict[str, CheckResult]:
    return {result.check: result for result in run_checks(stage)}


@dataclass(frozen=True)
class Fault:
    """Something that is wrong: how it comes, how it goes, and what the check must say."""

    check: str
    verdict: Verdict
    words: str
    come: Callable[[StageOnMoto], object]
    go: Callable[[StageOnMoto], object]


def switch(stage: StageOnMoto, state: TradingState) -> None:
    set_trading_state(stage.store(), "paper-dev", state, who="test", reason="test", now=stage.clock.now())


def secret(stage: StageOnMoto, text: str) -> None:
    stage.client("secretsmanager").put_secret_value(SecretId="alchemiser/dev/alpaca", SecretString=text)


def versioning(stage: StageOnMoto, status: str) -> None:
    stage.client("s3").put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": status})


def protection(stage: StageOnMoto, enabled: bool) -> None:
    stage.client("dynamodb").update_table(TableName=TABLE, DeletionProtectionEnabled=enabled)


def redrive(stage: StageOnMoto, receives: str) -> None:
    dead = f"arn:aws:sqs:us-east-1:{ACCOUNT}:alchemiser-dev-trade-decision-dead.fifo"
    policy = json.dumps({"deadLetterTargetArn": dead, "maxReceiveCount": receives})
    stage.client("sqs").set_queue_attributes(QueueUrl=DECISIONS, Attributes={"RedrivePolicy": policy})


def schedule(stage: StageOnMoto, state: str) -> None:
    client = stage.client("scheduler")
    known = client.get_schedule(GroupName=GROUP, Name="modular")
    kept = ("ScheduleExpression", "ScheduleExpressionTimezone", "FlexibleTimeWindow", "Target")
    client.update_schedule(GroupName=GROUP, Name="modular", State=state, **{name: known[name] for name in kept})


def source(stage: StageOnMoto, enabled: bool) -> None:
    client = stage.client("lambda")
    (found,) = [
        item
        for item in client.list_event_source_mappings()["EventSourceMappings"]
        if "trade-decision" in item["EventSourceArn"]
    ]
    client.update_event_source_mapping(UUID=found["UUID"], FunctionName="alchemiser-dev-trading", Enabled=enabled)


def alias(stage: StageOnMoto, version: str) -> None:
    stage.client("lambda").update_alias(FunctionName="alchemiser-dev-data", Name="live", FunctionVersion=version)


def image(stage: StageOnMoto) -> None:
    ids = [{"imageTag": FIRST}]
    stage.client("ecr").batch_delete_image(repositoryName="alchemiser/trading", imageIds=ids)


def template(stage: StageOnMoto, old: str, new: str) -> None:
    file = stage.folder / "deploy" / "template.yaml"
    file.write_text(file.read_text("utf-8").replace(old, new), "utf-8")


def config(stage: StageOnMoto, old: str, new: str) -> None:
    file = stage.folder / "deploy" / "samconfig.toml"
    file.write_text(file.read_text("utf-8").replace(old, new, 1), "utf-8")


AFTER_SECRETS = ("shadow-key", "composition", "universe", "symbols", "rules", "limits")
WRONG, WARNING = Verdict.WRONG, Verdict.WARNING
HALTED = Fault(
    "trading",
    WARNING,
    "paper-dev is halted",
    lambda it: switch(it, TradingState.HALTED),
    lambda it: switch(it, TradingState.ACTIVE),
)


def two_ways[T](
    do: Callable[[StageOnMoto, T], object], wrong: T, right: T
) -> tuple[Callable[[StageOnMoto], object], ...]:
    """How a fault comes and how it goes."""
    return (lambda it: do(it, wrong)), (lambda it: do(it, right))


def retention(stage: StageOnMoto, days: tuple[str, str]) -> None:
    config(stage, f"LogRetentionDays={days[0]}", f"LogRetentionDays={days[1]}")


def wording(stage: StageOnMoto, words: tuple[str, str]) -> None:
    template(stage, *words)


FAULTS = [
    Fault("secrets", WRONG, "is no JSON object", *two_ways(secret, "oops", json.dumps(KEY))),
    Fault("table", WRONG, "is not protected against deletion", *two_ways(protection, wrong=False, right=True)),
    Fault("queues", WRONG, "TradeDecisionQueue does not hand what was received 7 times", *two_ways(redrive, "3", "7")),
    Fault("bucket", WRONG, "does not keep old", *two_ways(versioning, "Suspended", "Enabled")),
    Fault("schedules", WRONG, "modular on, and it is disabled", *two_ways(schedule, "DISABLED", "ENABLED")),
    Fault("sources", WRONG, "trading fed by its queue, and it is not", *two_ways(source, wrong=False, right=True)),
    Fault("images", WRONG, f"trading {FIRST}", image, lambda it: it.push(FIRST, "trading")),
    Fault(
        "template",
        WRONG,
        "not this checkout's: Resources.TradingFunction",
        *two_ways(wording, ("Executes a decision once;", "Executes;"), ("Executes;", "Executes a decision once;")),
    ),
    Fault("parameters", WRONG, "is '14', the file says '30'", *two_ways(retention, ("14", "30"), ("30", "14"))),
]


@contextmanager
def with_faults(stage: StageOnMoto, *faults: Fault) -> Iterator[dict[str, CheckResult]]:
    try:
        for fault in faults:
            fault.come(stage)
        yield by_name(stage.stage())
    finally:
        for fault in faults:
            fault.go(stage)


def test_a_stage_that_is_well_is_found_well(dev: StageOnMoto) -> None:
    found = by_name(dev.stage())
    assert {name: item.says for name, item in found.items() if item.verdict is not Verdict.OK} == {
        "account": f"{ACCOUNT}; the stage's file does not say which it should be",
        "shadow-key": "what only plans works with the key that trades: one of three barriers is absent",
    }


def test_each_check_finds_its_own_fault_and_no_other(dev: StageOnMoto) -> None:
    """All at once: they do not hide one another, and no check fails for another's cause."""
    with with_faults(dev, *FAULTS) as found:
        for fault in FAULTS:
            assert found[fault.check].verdict is fault.verdict, found[fault.check]
            assert fault.words in found[fault.check].says, found[fault.check]
        well = set(found) - {fault.check for fault in FAULTS} - {"account", "authority", "trading"}
        assert {name for name in well if found[name].verdict is not Verdict.OK} == {*AFTER_SECRETS}
        assert {found[name].verdict for name in AFTER_SECRETS} == {Verdict.SKIPPED}, "no function starts without a key"


def test_authority_elsewhere_a_halted_account_and_dead_letters_are_told(dev: StageOnMoto) -> None:
    dev.client("sqs").send_message(QueueUrl=DEAD, MessageBody="{}")
    give(dev, Pipeline.MODULAR)
    try:
        with with_faults(dev, HALTED) as found:
            assert "modular has the authority" in found["authority"].says
            assert "nobody trades" in found["authority"].says
            assert found["trading"].verdict is WARNING
            assert "1 in TriggerDeadLetters" in found["queues"].says
            assert found["queues"].verdict is WARNING
    finally:
        dev.client("sqs").purge_queue(QueueUrl=DEAD)
        give(dev, Pipeline.MONOLITH)


def test_a_secret_that_is_gone_is_told_and_one_made_again_is_found_by_the_next_deployment(dev: StageOnMoto) -> None:
    client = dev.client("secretsmanager")
    client.delete_secret(SecretId="alchemiser/dev/alpaca", ForceDeleteWithoutRecovery=True)
    gone = by_name(dev.stage())["secrets"]
    client.create_secret(Name="alchemiser/dev/alpaca", SecretString=json.dumps(KEY))
    assert gone.verdict is WRONG
    assert "does not exist, or has no value yet" in gone.says
    dev.deploy()
    assert by_name(dev.stage())["secrets"].verdict is Verdict.OK


def test_a_rollback_that_was_not_finished_is_told(dev: StageOnMoto) -> None:
    dev.push("f0f0f0f", "data")
    dev.deploy(data="f0f0f0f")
    dev.client("lambda").update_alias(FunctionName="alchemiser-dev-data", Name="live", FunctionVersion="2")
    found = by_name(dev.stage())["functions"]
    assert found.verdict is WRONG
    assert "alchemiser-dev-data:live runs" in found.says
    assert found.remedy == "alchemiser rollback dev data"
    dev.deploy(data=FIRST)


def test_a_deleted_table_is_told_and_stops_what_needs_it(dev: StageOnMoto) -> None:
    client = dev.client("dynamodb")
    items = client.scan(TableName=TABLE)["Items"]
    known = client.describe_table(TableName=TABLE)["Table"]
    protection(dev, False)
    client.delete_table(TableName=TABLE)
    try:
        found = by_name(dev.stage())
        assert found["table"].says == "table alchemiser-dev does not exist any more, though the stack lists it"
        assert "restore-state.md" in found["table"].remedy
        assert found["authority"].verdict is found["trading"].verdict is Verdict.SKIPPED
        with pytest.raises(InvalidSettings, match="table alchemiser-dev does not exist"):
            dev.deploy(data=FIRST)
    finally:
        client.create_table(
            TableName=TABLE,
            BillingMode="PAY_PER_REQUEST",
            KeySchema=known["KeySchema"],
            AttributeDefinitions=known["AttributeDefinitions"],
        )
        dev.finish()
        for item in items:
            client.put_item(TableName=TABLE, Item=item)


def test_a_stage_that_is_not_there_another_account_region_and_clock_are_told(
    dev: StageOnMoto, monkeypatch: pytest.MonkeyPatch
) -> None:
    nowhere = by_name(replace(dev, name="prod").stage())
    assert nowhere["stack"].says == f"alchemiser-prod does not exist in account {ACCOUNT}, region us-east-1"
    assert nowhere["template"].verdict is Verdict.SKIPPED

    stage = dev.stage()
    elsewhere = by_name(replace(stage, config=replace(stage.config, account="999999999999")))
    assert elsewhere["account"].verdict is WRONG
    assert "stage dev is in 999999999999" in elsewhere["account"].says
    assert elsewhere["stack"].verdict is Verdict.SKIPPED

    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    dev.clock.ahead = timedelta(seconds=90)
    try:
        found = by_name(dev.stage())
    finally:
        dev.clock.ahead = timedelta(0)
    assert "AWS_REGION says eu-west-1" in found["region"].says
    assert "s ahead of AWS" in found["clock"].says


@pytest.mark.parametrize(
    ("around", "words"),
    [
        ({"AWS_PROFILE": "nope"}, "AWS credentials: The config profile (nope) could not be found; check AWS_PROFILE"),
        (
            {"ALCHEMISER_AWS__ENDPOINT_URL": "not a url"},
            "Invalid endpoint: not a url; check aws.region and aws.endpoint",
        ),
    ],
    ids=["profile", "endpoint"],
)
@pytest.mark.parametrize("command", [("doctor", "--stage", "dev"), ("deploy", "dev", "--plan")], ids=lambda it: it[0])
def test_a_profile_that_is_not_there_and_a_malformed_endpoint_are_wrong_settings(
    dev: StageOnMoto, command: tuple[str, ...], around: dict[str, str], words: str
) -> None:
    done = alchemiser(dev.folder, *command, extra={**CREDENTIALS, **around})
    assert done.code == 2, done.out + done.err
    assert words in done.err


def test_without_a_stage_this_folders_portfolio_is_examined(dev: StageOnMoto, tmp_path: Path) -> None:
    plain = alchemiser(tmp_path, "doctor", "--json")
    assert plain.code == 0, plain.err
    found = {item["check"]: item for item in json.loads(plain.out)}
    assert {name: item["verdict"] for name, item in found.items()} == {
        "account": "ok", "files": "ok", "strategies": "ok", "universe": "ok", "symbols": "skipped", "rules": "skipped",
        "limits": "skipped", "broker": "skipped",
    }  # fmt: skip
    assert "tecl 50.00% (" in found["strategies"]["says"]
    assert f"home {tmp_path}/.alchemiser, environment simulated, account demo" in found["account"]["says"]
    assert not (tmp_path / ".alchemiser").exists()
    (tmp_path / ".env").touch(mode=0o644)
    here = {
        "ALCHEMISER_BROKER__TRADING_URL": dev.exchange_url,
        "ALCHEMISER_BROKER__DATA_URL": dev.exchange_url,
        "ALCHEMISER_STRATEGIES__ALLOCATIONS": '{"odd": 1.0}',
        "ALCHEMISER_STRATEGIES__FOLDER": str(tmp_path),
        "ALCHEMISER_TRADING__MAX_TURNOVER": "1.5",
    }
    (tmp_path / "odd.clj").write_text('(defsymphony "odd" {} (asset "NOSUCH"))', "utf-8")
    asked = {item["check"]: item for item in json.loads(alchemiser(tmp_path, "doctor", "--json", extra=here).out)}
    assert (asked["symbols"]["verdict"], "NOSUCH" in asked["symbols"]["says"]) == ("warning", True)
    full = "trading.max_turnover is 1.5: a full switch could buy 0.5 times equity only"
    assert (asked["limits"]["verdict"], asked["limits"]["says"]) == ("warning", full)
    assert (asked["files"]["verdict"], asked["files"]["remedy"]) == ("warning", f"chmod -R go-rwx {tmp_path}/.env")
    wrong = alchemiser(tmp_path, "doctor", extra={"ALCHEMISER_STRATEGIES__ALLOCATIONS": '{"nobody": 1.0}'})
    assert wrong.code == 2
    assert "strategies.allocations names 'nobody'" in wrong.err


def test_the_command_speaks_in_lines_json_and_exit_codes(dev: StageOnMoto) -> None:
    extra = {**CREDENTIALS, "ALCHEMISER_AWS__ENDPOINT_URL": dev.url}
    well = alchemiser(dev.folder, "doctor", "--stage", "dev", extra=extra)
    assert well.code == 0, well.out + well.err
    assert KEY["secret_key"] not in well.out + well.err
    assert "[dev.alchemiser.parameters]" in well.out
    assert len(well.out.splitlines()) >= 16

    ill = alchemiser(dev.folder, "doctor", "--stage", "prod", "--json", extra=extra)
    assert ill.code == 1
    assert {"check", "verdict", "says", "remedy"} == set(json.loads(ill.out)[0])
    assert alchemiser(dev.folder, "doctor", "--stage", "moon", extra=extra).code == 2

    body = b"<ErrorResponse><Error><Code>Throttling</Code><Message>Rate exceeded</Message></Error></ErrorResponse>"
    with fault_proxy(dev.url) as proxy:
        proxy.answers = [(400, body)] * 50
        through = {"ALCHEMISER_AWS__ENDPOINT_URL": proxy.url, "ALCHEMISER_AWS__ATTEMPTS": "1"}
        throttled = alchemiser(dev.folder, "doctor", "--stage", "dev", extra={**extra, **through})
    assert throttled.code == 3, throttled.out
    assert "Throttling: Rate exceeded" in throttled.out


def test_whether_the_shadows_key_can_trade_is_asked_of_the_broker(dev: StageOnMoto) -> None:
    cancel = When(method="DELETE", path="/v2/orders")
    stack, secrets = dev.stage().stack(), dev.client("secretsmanager")
    assert stack is not None
    token = json.dumps({"oauth_token": "a-token-without-scope"})
    own = secrets.create_secret(Name="alchemiser/dev/own-shadow", SecretString=token)["ARN"]

    def check(**changes: str) -> CheckResult:
        seen = replace(stack, parameters={**stack.parameters, "ShadowSecretArn": own, **changes})
        return _result(NamedCheck("shadow-key", shadow_key), CheckContext(dev.stage(), stack=seen))

    with SimulatorControl(dev.exchange_url) as control:
        can = check()
        control.add_fault(Answer(match=cancel, status=403, body={"code": 40310000, "message": "insufficient scope"}))
        cannot = check()
        control.clear_faults()
        control.add_fault(Answer(match=cancel, status=500, body={}))
        away = check()
        control.clear_faults()
    assert (can.verdict, "can trade: the broker would take a cancel" in can.says) == (Verdict.WRONG, True), can
    assert (cannot.verdict, cannot.says) == (Verdict.OK, "cannot trade: the broker refuses a cancel from it")
    assert away.verdict is Verdict.UNKNOWN
    assert check(ShadowSecretArn=stack.parameters["BrokerSecretArn"]).verdict is Verdict.WARNING
    assert check(RolloutPhase="staged").verdict is Verdict.SKIPPED
