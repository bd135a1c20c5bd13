"""Puts the services together on a platform: as the monolith, or as the modular pipeline with local queues."""

from alchemiser_common.ids import Pipeline
from alchemiser_common.lambda_events import component
from alchemiser_data.handler import DataFunction
from alchemiser_data.provider import UnifiedDataProvider, Universe
from alchemiser_data.service import DataService
from alchemiser_monolith.local_pipeline import LocalPipeline
from alchemiser_monolith.monolith import Monolith
from alchemiser_monolith.platform import Platform
from alchemiser_strategy.handler import StrategyFunction
from alchemiser_strategy.manager import MultiStrategyManager
from alchemiser_strategy.registry import build_portfolio
from alchemiser_strategy.user_strategies import user_strategies
from alchemiser_trading.handler import TradingFunction
from alchemiser_trading.service import TradingService


def portfolio(platform: Platform) -> MultiStrategyManager:
    """The strategies that the settings enable. Raises InvalidSettings."""
    settings = platform.settings.strategies
    versions = tuple(component(name, platform.git_sha) for name in ("data", "strategy"))
    return build_portfolio(
        settings.allocations, user_strategies(settings.folder), on_unknown=settings.on_unknown, versions=versions
    )


def data_service(platform: Platform, manager: MultiStrategyManager, pipeline: Pipeline) -> DataService:
    """The data service for what these strategies need."""
    provider = UnifiedDataProvider(
        platform.broker,
        platform.clock,
        Universe(manager.symbols, manager.lookback),
        platform.settings.data,
    )
    return DataService(provider, platform.state, platform.archive, platform.clock, platform.settings, pipeline)


def trading_service(platform: Platform) -> TradingService:
    """The trading service on the platform's broker."""
    return TradingService(
        broker=platform.broker,
        state=platform.state,
        archive=platform.archive,
        events=platform.events,
        clock=platform.clock,
        settings=platform.settings,
        paper_key=platform.paper_key,
    )


def monolith(platform: Platform) -> Monolith:
    """The three services as calls."""
    manager = portfolio(platform)
    strategy = StrategyFunction(manager, platform.trade_decision_queue, platform.clock, platform.git_sha)
    return Monolith(data_service(platform, manager, Pipeline.MONOLITH), strategy, trading_service(platform))


def local_pipeline(platform: Platform) -> LocalPipeline:
    """The three functions with their queues."""
    manager = portfolio(platform)
    service = data_service(platform, manager, Pipeline.MODULAR)
    return LocalPipeline(
        DataFunction(service, platform.market_data_queue, platform.git_sha),
        StrategyFunction(manager, platform.trade_decision_queue, platform.clock, platform.git_sha),
        TradingFunction(trading_service(platform), platform.git_sha),
        market_data_queue=platform.market_data_queue,
        trade_decision_queue=platform.trade_decision_queue,
        archive=platform.archive,
        clock=platform.clock,
    )
