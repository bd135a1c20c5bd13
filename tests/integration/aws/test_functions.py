"""The Lambda functions composed by their own roots: real clients against moto and a simulated exchange."""

import json
import re
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path

import pytest

from alchemiser_cli.stage.universe_record import settle
from alchemiser_cli.stored_runs import read_detail, read_run
from alchemiser_common import keys
from alchemiser_common.errors import InvalidSettings
from alchemiser_common.ids import Pipeline
from alchemiser_common.lambda_entry import LambdaEntry
from alchemiser_common.messages.report import RunStatus
from alchemiser_common.records.universe import by_symbol
from alchemiser_readmodel.runs import RunDetail
from support.aws import CREDENTIALS, Aws
from support.command import alchemiser
from support.functions import BUILDS, TECL, Deployment, Invoke, QuarterHour, cold_process, deployment, poll


@pytest.fixture(scope="module")
def universe(tmp_path_factory: pytest.TempPathFactory) -> dict[str, int]:
    """What `alchemiser universe` says of the strategies: bars by symbol."""
    said = alchemiser(tmp_path_factory.mktemp("empty"), "universe", "--json", extra=TECL)
    assert said.code == 0, said.err
    found: dict[str, int] = json.loads(said.out)
    return found


@pytest.fixture(scope="module")
def deployed(aws: Aws) -> Iterator[Deployment]:
    with deployment(aws) as made:
        yield made


def ended(deployed: Deployment, pipeline: Pipeline) -> RunDetail:
    adapters = deployed.adapters
    summary = read_run(adapters.state(), deployed.run(pipeline))
    assert summary is not None
    return read_detail(adapters.state(), adapters.archive(), summary)


def run_modular(deployed: Deployment) -> None:
    """A cycle through the three functions, every event delivered twice."""
    trigger, context = deployed.trigger.model_dump(mode="json"), QuarterHour()
    data, strategy, trading = (deployed.entry(name) for name in ("data", "strategy", "trading"))
    adapters = deployed.adapters
    for _ in range(2):
        data(trigger, context)
    assert [answer["batchItemFailures"] for answer in poll(adapters.market_data_queue(), _twice(strategy))] == [[]]
    assert [answer["batchItemFailures"] for answer in poll(adapters.trade_decision_queue(), _twice(trading))] == [[]]


def _twice(entry: LambdaEntry) -> Invoke:
    def invoke(event: Mapping[str, object]) -> dict[str, object]:
        entry(event, QuarterHour())
        return entry(event, QuarterHour())

    return invoke


def test_both_pipelines_trade_the_same_cycle_alike_on_aws(aws: Aws, tmp_path: Path) -> None:
    with deployment(aws) as deployed:
        deployed.give_authority(Pipeline.MODULAR)
        run_modular(deployed)
        modular = ended(deployed, Pipeline.MODULAR)
        messages = aws.clients.sqs.receive_message(QueueUrl=deployed.events_url, MaxNumberOfMessages=10)["Messages"]
        (listed,) = json.loads(alchemiser(tmp_path, "runs", "--json", extra=CREDENTIALS | deployed.variables).out)
    with deployment(aws) as deployed:
        deployed.give_authority(Pipeline.MONOLITH)
        answer = deployed.entry("monolith")(deployed.trigger.model_dump(mode="json"), QuarterHour())
        monolith = ended(deployed, Pipeline.MONOLITH)
    assert answer["status"] == RunStatus.COMPLETED.value, answer
    assert modular.summary.status == RunStatus.COMPLETED.value, modular.summary.reason
    assert listed["run_id"] == str(modular.summary.run_id)
    assert modular.summary.report is not None
    assert modular.summary.report.orders_placed == len(modular.intents) > 0
    assert {json.loads(message["Body"])["detail"]["event"] for message in messages} == {RunStatus.COMPLETED.event_name}
    assert modular.decision is not None
    assert monolith.decision is not None
    assert modular.decision.targets == monolith.decision.targets
    (version,) = modular.decision.versions
    assert (version.component, version.git_sha) == ("strategy", "0123abc")


def test_a_universe_that_lacks_a_symbol_ends_the_run_with_its_name(aws: Aws, universe: dict[str, int]) -> None:
    """Though today's branch of the strategy does not look at it."""
    lacking = {symbol: bars for symbol, bars in universe.items() if symbol != "TECL"}
    assert lacking.keys() != universe.keys()
    with deployment(aws, universe=lacking) as deployed:
        deployed.give_authority(Pipeline.MODULAR)
        run_modular(deployed)
        summary = ended(deployed, Pipeline.MODULAR).summary
    assert summary.status == RunStatus.FAILED.value
    assert re.search(r"those enabled also need TECL \(\d+ bars, asked for 0\)", summary.reason)
    assert "deploy again" in summary.reason


def test_a_universe_is_read_at_every_run_and_without_one_the_run_ends_with_what_writes_it(
    aws: Aws, universe: dict[str, int]
) -> None:
    with deployment(aws) as deployed:
        state = deployed.adapters.state()
        data = deployed.entry("data")
        answer = data({"probe": "composition", "universe": {"SPY": 1, "NOSUCH": 1}}, QuarterHour())
        settle(state, deployed.settings.account_alias, universe | {"SPY": 9_999})
        data(deployed.trigger.model_dump(mode="json"), QuarterHour())
        run = ended(deployed, Pipeline.MODULAR)
        key = keys.universe_record(deployed.settings.account_alias)
        item = {"pk": {"S": key.partition}, "sk": {"S": key.sort}}
        aws.clients.dynamodb.delete_item(TableName=deployed.variables["ALCHEMISER_AWS__TABLE"], Key=item)
        later = {"scheduled_at": (deployed.trigger.scheduled_at + timedelta(minutes=1)).isoformat()}
        without = data(later, QuarterHour())
    assert answer["unknown_symbols"] == ["NOSUCH"]
    assert run.snapshot is not None
    assert by_symbol(run.snapshot.universe)["SPY"] == 9_999, "written after the function had started"
    assert without["status"] == RunStatus.FAILED.value
    assert "no universe is on record for account demo" in str(without["reason"])


def test_the_monolith_answers_the_watch(aws: Aws) -> None:
    with deployment(aws) as deployed:
        answer = deployed.entry("monolith")({"watch": "overdue"}, QuarterHour())
    assert answer == {"ended": None, "status": None, "reason": ""}


@pytest.mark.parametrize("service", BUILDS)
def test_a_function_says_its_version_without_aws_secrets_or_settings(service: str, tmp_path: Path) -> None:
    said = cold_process(
        service,
        "print(function.handler({'probe': 'version'}, None))",
        {"ALCHEMISER_GIT_SHA": "0123abc", "ALCHEMISER_BACKEND": "nonsense"},
        tmp_path,
    )
    assert said.returncode == 0, said.stderr
    assert f"'service': '{service}'" in said.stdout
    assert "'git_sha': '0123abc'" in said.stdout


@pytest.mark.parametrize(
    ("service", "missing", "words"),
    [
        ("data", "ALCHEMISER_AWS__MARKET_DATA_QUEUE", "aws.market_data_queue is not set"),
        ("data", "ALCHEMISER_AWS__BUCKET", "aws.bucket is not set"),
        ("strategy", "ALCHEMISER_AWS__TRADE_DECISION_QUEUE", "aws.trade_decision_queue is not set"),
        ("strategy", "ALCHEMISER_AWS__BUCKET", "aws.bucket is not set"),
        ("trading", "ALCHEMISER_AWS__TABLE", "aws.table is not set"),
        ("trading", "ALCHEMISER_AWS__EVENT_BUS", "ALCHEMISER_AWS__EVENT_BUS="),
        ("trading", "ALCHEMISER_BACKEND", "backend is embedded; this needs AWS"),
        ("monolith", "ALCHEMISER_BACKEND", "backend is embedded; this needs AWS"),
        ("trading", "ALCHEMISER_BROKER__TRADING_URL", "does not say where the simulator is"),
    ],
)
def test_a_function_that_lacks_a_setting_fails_its_event_with_the_settings_name(
    deployed: Deployment, service: str, missing: str, words: str
) -> None:
    variables = {name: value for name, value in deployed.variables.items() if name != missing}
    with pytest.raises(InvalidSettings, match=re.escape(words)):
        LambdaEntry(service, BUILDS[service], variables)({"Records": []}, QuarterHour())


def test_a_function_that_cannot_start_says_why_in_one_json_line(tmp_path: Path) -> None:
    failed = cold_process("trading", "function.handler({'Records': []}, None)", {}, tmp_path)
    assert failed.returncode != 0
    (line,) = [json.loads(line) for line in failed.stdout.splitlines()]
    assert (line["level"], line["service"], line["error"]) == ("ERROR", "trading", "InvalidSettings")
    assert line["reason"] == "backend is embedded; this needs AWS: set ALCHEMISER_BACKEND=aws"


def test_every_line_of_a_run_carries_its_run_id(deployed: Deployment, tmp_path: Path) -> None:
    event = json.dumps(deployed.trigger.model_dump(mode="json"))
    done = cold_process("data", f"function.handler({event}, None)", CREDENTIALS | deployed.variables, tmp_path)
    run = str(deployed.run(Pipeline.MODULAR))
    assert done.returncode == 0, done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [line["message"] for line in lines] == ["snapshot ready"]
    assert {line["run_id"] for line in lines} == {run}
