"""The local stage is made by the deployment's template, and is whole."""

import json
from collections.abc import Iterator
from datetime import timedelta

import pytest

from alchemiser_cli.stage.names import RECEIVES
from alchemiser_cli.stage.universe_record import read_universe
from alchemiser_common.errors import StoreUnavailable
from alchemiser_common.ids import Pipeline
from alchemiser_common.probes import CompositionAnswer, ProbeFailure
from alchemiser_common.records.universe import Universe
from alchemiser_trading.account.authority import read_authority
from local.aws import LocalAws
from local.functions import Function
from local.phase import SECRET
from local.provision import in_real_time
from local.stage import SIMULATED_KEY, LocalStage, universe_of
from support.aws import moto_server
from support.fake_function import fake_function

UNIVERSE = {"SPY": 200, "TQQQ": 15}


@pytest.fixture(scope="module")
def stage() -> Iterator[LocalStage]:
    with moto_server() as server:
        made = LocalStage(LocalAws(server.url), "demo", 20.0)
        assert made.first_use(UNIVERSE)
        yield made


def test_queues_redrive_as_deployed_and_hide_in_real_time(stage: LocalStage) -> None:
    sqs = stage.aws.clients.sqs
    hidden = {}
    for name, receives in RECEIVES.items():
        url = sqs.get_queue_url(QueueName=stage.name(name))["QueueUrl"]
        attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
        redrive = json.loads(attributes["RedrivePolicy"])
        assert redrive["maxReceiveCount"] == receives
        assert redrive["deadLetterTargetArn"].endswith(f":{stage.name(name.replace('Queue', 'DeadLetters'))}")
        hidden[name] = int(attributes["VisibilityTimeout"])
    assert hidden == {"MarketDataQueue": 30, "TradeDecisionQueue": 48}


def test_the_account_is_the_modular_pipelines(stage: LocalStage) -> None:
    authority = read_authority(stage.state, "demo")
    assert authority is not None
    assert authority.pipeline is Pipeline.MODULAR


def test_the_archive_and_the_secret_are_there(stage: LocalStage) -> None:
    stage.archive.put("reports/one.json", b"{}")
    assert stage.archive.get("reports/one.json") == b"{}"
    secrets = stage.aws.clients.secrets
    assert json.loads(secrets.get_secret_value(SecretId=SECRET)["SecretString"]) == SIMULATED_KEY


def test_a_second_use_changes_nothing(stage: LocalStage) -> None:
    stage.archive.put("reports/two.json", b"{}")
    assert not stage.first_use(UNIVERSE)
    assert stage.archive.get("reports/two.json") == b"{}"


def test_the_universe_is_that_of_the_strategies_image_that_runs(stage: LocalStage) -> None:
    """Another image is another universe, also where everything is there already."""
    assert stored(stage) == UNIVERSE
    stage.first_use({"SPY": 7})
    assert stored(stage) == {"SPY": 7}
    stage.first_use(UNIVERSE)


def stored(stage: LocalStage) -> dict[str, int]:
    found = read_universe(stage.state, "demo")
    assert found is not None
    return dict(found.bars)


def test_the_strategy_function_is_asked_for_it() -> None:
    answer = CompositionAnswer(
        service="strategy", version="1", git_sha="0123abc", universe=tuple(Universe.of(UNIVERSE).needed)
    )
    with fake_function(lambda _: (200, answer.model_dump_json())) as fake:
        assert universe_of(Function("strategy", fake.url, timedelta(seconds=5))) == UNIVERSE
        assert fake.events == [{"probe": "composition"}]
    failed = ProbeFailure(probe="composition", error="InvalidSettings", reason="no such strategy").model_dump_json()
    with fake_function(lambda _: (200, failed)) as fake, pytest.raises(StoreUnavailable, match="no such strategy"):
        universe_of(Function("strategy", fake.url, timedelta(seconds=5)))


@pytest.mark.parametrize(
    ("seconds", "speed", "real"), [(960, 20, 48), (900, 20, 45), (360, 20, 30), (900, 1, 900), (960, 100, 30)]
)
def test_time_outs_shrink_with_the_exchanges_speed_but_not_below_a_start(seconds: int, speed: float, real: int) -> None:
    assert in_real_time(seconds, speed) == timedelta(seconds=real)
