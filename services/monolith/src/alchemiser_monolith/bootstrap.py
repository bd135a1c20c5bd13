"""Puts the services together on a platform: as the monolith, or as the modular pipeline with local queues."""

import sys
from collections.abc import Mapping

from alchemiser_common.aws.adapters import AwsAdapters
from alchemiser_common.clocks import open_clock
from alchemiser_common.ids import Pipeline
from alchemiser_common.lambda_entry import Handle
from alchemiser_common.metrics import Metrics
from alchemiser_common.records.universe import Universe
from alchemiser_common.settings import Settings
from alchemiser_data.handler import DataFunction
from alchemiser_data.probing import DataProbes
from alchemiser_data.provider import UnifiedDataProvider
from alchemiser_data.service import DataService
from alchemiser_monolith.handler import MonolithFunction, MonolithProbes
from alchemiser_monolith.judge import ParityJudge
from alchemiser_monolith.local_pipeline import LocalPipeline
from alchemiser_monolith.monolith import Monolith
from alchemiser_monolith.platform import Platform, open_platform
from alchemiser_strategy.bootstrap import enabled_strategies
from alchemiser_strategy.handler import StrategyFunction
from alchemiser_strategy.manager import MultiStrategyManager
from alchemiser_strategy.service import StrategyService
from alchemiser_trading.bootstrap import trading_service
from alchemiser_trading.handler import TradingFunction
from alchemiser_trading.service import DecisionService


def data_service(platform: Platform, manager: MultiStrategyManager, pipeline: Pipeline) -> DataService:
    """The data service for what these strategies need."""
    provider = UnifiedDataProvider(
        platform.broker,
        platform.clock,
        lambda: Universe.of(manager.universe),
        platform.settings.data,
        platform.archive,
    )
    return DataService(provider, platform.state, platform.archive, platform.clock, platform.settings, pipeline)


def portfolio(platform: Platform) -> MultiStrategyManager:
    """The strategies that the settings enable. Raises InvalidSettings."""
    return enabled_strategies(platform.settings.strategies, platform.variables)


def decision_service(platform: Platform) -> DecisionService:
    """The trading service on the platform's broker."""
    return trading_service(
        platform.connection,
        state=platform.state,
        archive=platform.archive,
        events=platform.events,
        clock=platform.clock,
        settings=platform.settings,
    )


def monolith(platform: Platform) -> Monolith:
    """The three services as calls."""
    manager = portfolio(platform)
    return Monolith(
        data_service(platform, manager, Pipeline.MONOLITH),
        StrategyService(manager, platform.clock),
        decision_service(platform),
    )


def parity_judge(platform: Platform, manager: MultiStrategyManager) -> ParityJudge:
    """What judges each cycle of both pipelines."""
    return ParityJudge(platform.state, platform.archive, manager, platform.broker, platform.clock, platform.settings)


def monolith_function(settings: Settings, variables: Mapping[str, str]) -> Handle:
    """The monolith's function: always on AWS, for its file system ends with it. Raises as `open_platform`."""
    platform = open_platform(settings, variables, open_clock(settings), AwsAdapters(settings))
    metrics = Metrics(settings.aws.stage, platform.clock, sys.stdout)
    manager, trading = portfolio(platform), decision_service(platform)
    data = data_service(platform, manager, Pipeline.MONOLITH)
    strategy = StrategyService(manager, platform.clock, platform.archive)
    read = DataProbes(platform.broker, platform.state, platform.archive, platform.clock, settings)
    return MonolithFunction(
        Monolith(data, strategy, trading),
        TradingFunction(trading, metrics),
        metrics,
        MonolithProbes(read, strategy),
        parity_judge(platform, manager) if settings.compared else None,
    ).handle


def local_pipeline(platform: Platform) -> LocalPipeline:
    """The three functions with their queues."""
    manager = portfolio(platform)
    data = data_service(platform, manager, Pipeline.MODULAR)
    strategy = StrategyService(manager, platform.clock, platform.archive)
    return LocalPipeline(
        DataFunction(data, platform.market_data_queue),
        StrategyFunction(strategy, platform.trade_decision_queue),
        TradingFunction(decision_service(platform)),
        market_data_queue=platform.market_data_queue,
        trade_decision_queue=platform.trade_decision_queue,
        archive=platform.archive,
        clock=platform.clock,
    )
