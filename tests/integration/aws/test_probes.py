"""What a build is asked before it goes live, through its own composition root: it starts, and leaves nothing behind."""

import json
from collections.abc import Iterator

import pytest

from alchemiser_cli.stored_runs import read_run
from alchemiser_common.lambda_entry import LambdaEntry
from alchemiser_common.messages.base import SCHEMA_VERSION
from alchemiser_common.messages.snapshot import MarketSnapshot
from alchemiser_common.messages.wire import decode
from alchemiser_common.probes import CompositionAnswer
from alchemiser_common.records.universe import by_symbol
from support.aws import Aws, moto_client
from support.functions import BUILDS, Deployment, QuarterHour, deployment

TECL_SYMBOLS = ("BIL", "BSV", "KMLM", "SPXL", "SPY", "SQQQ", "TECL", "TQQQ", "UVXY", "XLK")


@pytest.fixture(scope="module")
def deployed(aws: Aws) -> Iterator[Deployment]:
    with deployment(aws) as made:
        yield made


@pytest.mark.parametrize("service", BUILDS)
def test_a_function_says_what_it_is_made_of_and_leaves_nothing_behind(deployed: Deployment, service: str) -> None:
    before = aws_content(deployed)
    answer = deployed.entry(service)({"probe": "composition"}, QuarterHour())
    found = CompositionAnswer.model_validate(answer)
    assert (found.service, found.git_sha, found.schema_version) == (service, "0123abc", SCHEMA_VERSION)
    names = [item.strategy for item in found.strategies]
    assert names == (["tecl"] if service in {"strategy", "monolith"} else [])
    assert set(found.bars) == (set(TECL_SYMBOLS) if names else set())
    chosen = {item.name: item.value for item in found.settings if item.given}
    assert chosen == {"strategies.allocations": '{"tecl": 1.0}'}
    assert aws_content(deployed) == before


def aws_content(deployed: Deployment) -> object:
    adapters, table = deployed.adapters, deployed.variables["ALCHEMISER_AWS__TABLE"]
    items = moto_client("dynamodb", deployed.variables["ALCHEMISER_AWS__ENDPOINT_URL"]).scan(TableName=table)["Items"]
    return items, adapters.archive().keys(""), adapters.market_data_queue().receive()


@pytest.mark.parametrize("service", ["strategy", "monolith"])
def test_a_start_that_fails_is_answered_whole(deployed: Deployment, service: str) -> None:
    long = {f"a-strategy-that-is-not-there-{at:02d}": 0.0625 for at in range(16)}
    variables = deployed.variables | {"ALCHEMISER_STRATEGIES__ALLOCATIONS": json.dumps(long)}
    answer = LambdaEntry(service, BUILDS[service], variables)({"probe": "composition"}, QuarterHour())
    assert (answer["probe"], answer["error"]) == ("composition", "InvalidSettings")
    assert "strategies.allocations names 'a-strategy-that-is-not-there-00'; known strategies: " in str(answer["reason"])


def test_a_snapshot_is_read_for_a_probe_and_decided_on_though_no_run_has_it(deployed: Deployment) -> None:
    """Also by the archive's key, as one is handed over that no invocation could carry."""
    asked = {"probe": "snapshot", "universe": {**dict.fromkeys(TECL_SYMBOLS, 300), "QQQ": 5, "NOSUCH": 5}}
    read = deployed.entry("data")(asked, QuarterHour())
    snapshot = decode(str(read["snapshot"]), MarketSnapshot)
    assert by_symbol(snapshot.universe) == asked["universe"]
    assert snapshot.session.day == deployed.trigger.scheduled_at.date()
    assert [gap.symbol for gap in snapshot.missing] == ["NOSUCH"]
    assert read_run(deployed.adapters.state(), snapshot.run_id) is None
    deployed.adapters.archive().put("snapshots/probe/one.json", str(read["snapshot"]).encode())
    for service in ("strategy", "monolith"):
        for event in ({"snapshot": read["snapshot"]}, {"archive_key": "snapshots/probe/one.json"}):
            answer = deployed.entry(service)({"probe": "decision", **event}, QuarterHour())
            assert answer["snapshot_hash"] == snapshot.content_hash()
        gone = deployed.entry(service)({"probe": "decision", "archive_key": "snapshots/probe/no.json"}, QuarterHour())
        assert "the archive has no such snapshot" in str(gone["reason"])
