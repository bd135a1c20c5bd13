"""Ten sessions of the portfolio of real shape through the containers: its files are a layer of the strategy's image."""

import os
from bisect import bisect_left
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from alchemiser_cli.price_file import PriceFile
from alchemiser_cli.research import Share
from alchemiser_cli.simulated import Market
from alchemiser_cli.stored_runs import read_detail, read_run
from alchemiser_common.decision_time import decision_time
from alchemiser_common.ids import Pipeline, cycle_id, run_id
from alchemiser_common.messages.report import RunStatus
from alchemiser_common.settings import Settings
from alchemiser_simulator import PriceHistory, SimulatorControl
from alchemiser_simulator.market.sessions import SessionCalendar
from alchemiser_strategy.bootstrap import enabled_strategies
from alchemiser_strategy.parsers import parse_symphony
from alchemiser_strategy.strategy import TreeStrategy
from benchmarks import portfolio
from images import build, stand_ins
from images.checkout import read_checkout
from images.docker import require_engine
from images.errors import NoEngine
from local.aws import LocalAws
from local.event_source import EventSource
from local.functions import Answered, Function
from local.scheduler import Scheduler, cycle_event
from local.stage import LocalStage
from support.container_rig import ACCOUNT, compose_environment
from support.containers import Boxes, Wanted
from support.portfolio_line import Stock, settings_of
from support.portfolio_ways import OtherWays
from support.price_files import write_closes

SESSIONS = int(os.environ.get("PROVE_CONTAINER_SESSIONS", "10"))
SPEED = 6.0
PATIENCE = timedelta(seconds=240)
"""What an invocation may take here: a busy machine is no Lambda."""
SERVICES = ("data", "strategy", "trading")


@pytest.fixture
def days() -> list[datetime]:
    """Decision times of the last sessions."""
    market = Market(portfolio.market_history(), SessionCalendar(portfolio.market_history().dates), "")
    sessions = market.sessions_from(portfolio.span()[-SESSIONS], SESSIONS)
    return [decision_time(market.as_session(session), Settings().schedule) for session in sessions]


@pytest.fixture
def own(tmp_path: Path) -> Settings:
    """The portfolio's folder as a person has it, and what its settings come to."""
    stock = Stock(portfolio.symphonies(), portfolio.market_history())
    settings = settings_of(tmp_path / "own", stock)
    folder = tmp_path / "own/strategies"
    (folder / "alchemiser.toml").write_text(portfolio.configuration(stock.texts), "utf-8")
    return settings


def market_file(history: PriceHistory, folder: Path) -> Path:
    """The prices as the exchange's container reads them."""
    file = write_closes(folder / "market.parquet", history.dates, history.symbols, history.close)
    file.chmod(0o644)
    folder.chmod(0o755)
    return file


@pytest.fixture
def boxes(own: Settings, days: list[datetime], tmp_path: Path) -> Iterator[Boxes]:
    """The line in containers: the images are built with the portfolio's folder."""
    try:
        require_engine()
    except NoEngine as error:
        pytest.skip(str(error))
    checkout = read_checkout({**os.environ, "STRATEGIES": str(own.strategies.folder)})
    stand_in = stand_ins.build_image(checkout.settings, checkout.source)
    market = market_file(portfolio.market_history(), tmp_path)
    start = days[0] - timedelta(minutes=30)
    exchange = ["local", "exchange", f"--speed={SPEED:g}", "--data=/market.parquet", "--state=/books/books.db"]
    with Boxes() as found:
        found.add(Wanted("aws", stand_in, 5000, command=["local", "aws"], networks=("aws",)))
        found.add(
            Wanted(
                "alpaca",
                stand_in,
                8765,
                command=[*exchange, f"--start={start:%Y-%m-%dT%H:%M:%S}"],
                networks=("broker",),
                volumes={"books": "/books", str(market): "/market.parquet"},
            )
        )
        for service in SERVICES:
            image = build.build(
                service, checkout.settings, checkout.source, checkout.source.tag,
                checkout.strategies if service == "strategy" else None,
            )  # fmt: skip
            environment = compose_environment(service) | {
                "AWS_LAMBDA_FUNCTION_TIMEOUT": f"{PATIENCE.total_seconds():g}",
                "ALCHEMISER_TRADING__MAX_ORDERS": "1000",
                # The exchange is asked for the time twice; between the two a busy machine loses seconds, times SPEED.
                "ALCHEMISER_EXECUTION__MAX_CLOCK_SKEW_SECONDS": "300",
            }
            found.add(Wanted(service, f"{image}{build.LOCAL}", 8080, environment, networks=("aws", "broker")))
        yield found


def test_ten_sessions_decide_as_the_price_file_does(boxes: Boxes, own: Settings, days: list[datetime]) -> None:
    texts, dates = portfolio.symphonies(), portfolio.market_history().dates
    shares = [Share(TreeStrategy(parse_symphony(text), name=name), 1 / len(texts)) for name, text in texts.items()]
    before = dates[bisect_left(dates, days[0].date()) - 1]
    ways = OtherWays(shares, PriceFile(portfolio.market_history()), before)
    stage = LocalStage(LocalAws(boxes["aws"].url), ACCOUNT, SPEED)
    assert stage.first_use(enabled_strategies(own.strategies, {}).universe)
    sqs = stage.aws.clients.sqs
    data = Function("data", boxes["data"].url, timeout=PATIENCE)
    url_of = {name: sqs.get_queue_url(QueueName=stage.name(name))["QueueUrl"] for name in (
        "MarketDataQueue", "TradeDecisionQueue", "TriggerDeadLetters"
    )}  # fmt: skip
    decided, exact = 0, 0
    with SimulatorControl(boxes["alpaca"].url) as control:
        for due in days:
            control.set_now(due)
            scheduler = Scheduler(data, sqs, url_of["TriggerDeadLetters"], retries=0, pause=lambda: None)
            assert isinstance(scheduler.fire(cycle_event(due)).outcome, Answered)
            for queue, service in (("MarketDataQueue", "strategy"), ("TradeDecisionQueue", "trading")):
                hidden = sqs.get_queue_attributes(QueueUrl=url_of[queue], AttributeNames=["VisibilityTimeout"])
                patience = timedelta(seconds=int(hidden["Attributes"]["VisibilityTimeout"]))
                function = Function(service, boxes[service].url, timeout=patience)
                delivery = EventSource(sqs, url_of[queue], function).poll()
                assert delivery is not None, f"{due:%Y-%m-%d}: nothing in {queue}"
                assert delivery.done, f"{due:%Y-%m-%d}: {delivery}"
            run = run_id(cycle_id(ACCOUNT, due), Pipeline.MODULAR)
            summary = read_run(stage.state, run)
            assert summary is not None
            assert summary.status in {RunStatus.COMPLETED.value, RunStatus.PARTIAL.value}, summary.reason
            decision = read_detail(stage.state, stage.archive, summary).decision
            assert decision is not None
            assert all(signal.rules for signal in decision.signals), "the decision names its rules"
            as_of = dates[bisect_left(dates, due.date()) - 1]
            for one in ways.compare(decision.signals, as_of):
                assert one.differences == ()
                decided, exact = decided + 1, exact + one.exact
    assert decided == len(days) * len(texts)
    assert exact > 0.8 * decided
