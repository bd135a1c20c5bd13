"""A market's corporate actions: read from a file, and as a backtest's account follows them."""

from dataclasses import replace
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from alchemiser_cli.simulated import Market
from alchemiser_common.errors import InvalidSettings
from alchemiser_simulator import PriceHistory
from alchemiser_simulator.market.actions import (
    Action,
    CashDividend,
    MadeSplit,
    Merger,
    Renamed,
    SpinOff,
    StockDividend,
    WorthlessRemoval,
)
from alchemiser_simulator.market.changes import ChangeError, MarketChange, changed
from alchemiser_simulator.market.dividends import with_dividends
from alchemiser_strategy.corporate_actions import CorporateActions, ShareAction

_CHANGES: TypeAdapter[list[MarketChange]] = TypeAdapter(list[MarketChange])


def market_with(market: Market, path: Path) -> Market:
    """The market after the events of a JSON file, a list as docs/simulator.md names them, with the dividends that
    adjusted closes imply. Raises InvalidSettings.
    """
    try:
        changes = _CHANGES.validate_json(path.read_bytes())
        history = with_dividends(changed(market.history, changes))
    except OSError as error:
        raise InvalidSettings(f"--actions {path} cannot be read: {error.strerror or error}") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the whole"
        raise InvalidSettings(
            f"--actions {path}: {where}: {first['msg']}; see docs/simulator.md for the kinds"
        ) from error
    except ChangeError as error:
        raise InvalidSettings(f"--actions {path}: {error}") from error
    told = replace(history, source=f"{history.source}, as they traded, with the corporate actions of {path.name}")
    return Market(told, market.calendar, market.notice)


def corporate_actions(history: PriceHistory) -> CorporateActions:
    """All of the history's, its splits too; what the broker takes back for good has not been."""
    actions = [
        _of_a_share(action)
        for day in sorted(history.happenings)
        for action in history.happenings[day]
        if action.canceled_days is None
    ]
    return CorporateActions(actions, {ending.symbol: ending.day for ending in history.endings})


def _of_a_share(action: Action) -> ShareAction:
    shares, cash, symbol = {action.symbol: 1.0}, 0.0, action.symbol
    match action:
        case MadeSplit(ratio=ratio):
            shares = {symbol: 1.0 if ratio is None else ratio}
        case Renamed(into=into):
            shares = {into: 1.0}
        case CashDividend(rate=rate):
            cash = float(rate)
        case StockDividend(rate=rate):
            shares = {symbol: float(1 + rate)}
        case SpinOff():
            shares = {symbol: 1.0, action.new_symbol: float(action.new_rate / action.source_rate)}
        case Merger(acquirer=acquirer):
            cash = float(action.cash_rate)
            shares = {} if acquirer is None else {acquirer: float(action.acquirer_rate / action.acquiree_rate)}
        case WorthlessRemoval():
            shares = {}
    return ShareAction(symbol, action.day, shares, cash)
