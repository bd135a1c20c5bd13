"""What this build would plan for a decision, from an account that comes with it: no broker, no store, no order."""

from decimal import Decimal

from alchemiser_common.messages.decision import TradeDecision
from alchemiser_common.ports.broker import Asset
from alchemiser_common.probes import PlannedFrom
from alchemiser_common.records.books import Lot, StrategyBook
from alchemiser_common.records.plan import Plan, StrategyHolding
from alchemiser_common.settings import TradingSettings
from alchemiser_trading.plan.limits import within_limits
from alchemiser_trading.plan.plan import Unmanaged, make_plan
from alchemiser_trading.plan.transfers import day_result


def probed_plan(decision: TradeDecision, made_from: PlannedFrom, settings: TradingSettings) -> Plan:
    """The plan within the limits, as if nothing had been paid in or out that day. Raises DecisionRefused."""
    prices = {item.symbol: item.price for item in made_from.prices}
    wanted = {*prices, *(target.symbol for target in decision.targets)}
    known = {*wanted, *(position.symbol for position in made_from.positions)} - {*made_from.unknown}
    assets = {
        symbol: Asset(
            symbol=symbol,
            tradable=symbol not in made_from.untradable,
            fractionable=symbol not in made_from.whole_shares,
        )
        for symbol in known
    }
    plan = make_plan(
        decision,
        made_from.account,
        made_from.positions,
        {holding.strategy: _book(holding, made_from, decision) for holding in made_from.holdings},
        prices,
        assets,
        settings,
        made_from.at,
        Unmanaged(made_from.unmanaged),
    )
    return within_limits(plan, settings, day_result(made_from.account, Decimal(0)))


def _book(holding: StrategyHolding, made_from: PlannedFrom, decision: TradeDecision) -> StrategyBook:
    cost = {position.symbol: position.price for position in made_from.positions}
    lots = tuple(
        Lot(symbol=item.symbol, quantity=item.quantity, price=cost[item.symbol], opened=decision.session)
        for item in holding.shares
        if item.symbol in cost
    )
    return StrategyBook(strategy=holding.strategy, lots=lots)
