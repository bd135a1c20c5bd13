"""Composes the strategy service from settings: its strategies, and for the function on its own its queue."""

from collections.abc import Mapping

from alchemiser_common.aws.adapters import AwsAdapters
from alchemiser_common.clocks import open_clock
from alchemiser_common.lambda_entry import Handle
from alchemiser_common.lambda_events import component
from alchemiser_common.settings import Settings, StrategySettings
from alchemiser_strategy.handler import StrategyFunction
from alchemiser_strategy.manager import MultiStrategyManager
from alchemiser_strategy.registry import build_portfolio
from alchemiser_strategy.service import StrategyService
from alchemiser_strategy.user_strategies import user_strategies


def strategy_function(settings: Settings, variables: Mapping[str, str]) -> Handle:
    """The function; of AWS it knows its queue, and the archive, from which it fetches snapshots that are too large.

    Raises InvalidSettings or StrategyError.
    """
    adapters = AwsAdapters(settings)
    manager = enabled_strategies(settings.strategies, variables)
    service = StrategyService(manager, open_clock(settings), adapters.archive())
    function = StrategyFunction(service, adapters.trade_decision_queue())
    return lambda event, _time_left: function.handle(event)


def enabled_strategies(settings: StrategySettings, variables: Mapping[str, str]) -> MultiStrategyManager:
    """The strategies that the settings enable; `variables` say which build decides. Raises InvalidSettings."""
    return build_portfolio(
        settings.allocations,
        user_strategies(settings.folder),
        on_unknown=settings.on_unknown,
        versions=(component("strategy", variables),),
    )
