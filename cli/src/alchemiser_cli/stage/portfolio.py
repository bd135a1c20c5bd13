"""How a stage's portfolio is traded: the template's parameters for it, the settings behind them, and which value wins.

A parameter becomes an environment variable of every function that reads the setting, and the environment wins over an
image's alchemiser.toml. An empty parameter is no variable: then the file counts, and after it the setting's default.
"""

from collections.abc import Iterable, Mapping

from alchemiser_cli.stage.names import PHASES
from alchemiser_cli.stage.stack import Refused
from alchemiser_common.probes import CompositionAnswer, PortfolioSetting
from alchemiser_common.settings_loading import PREFIX

PARAMETERS: Mapping[str, str] = {
    "StrategyAllocations": "strategies.allocations",
    "OnUnknown": "strategies.on_unknown",
    "AcceptedJumps": "data.accepted_jumps",
    "CashReserve": "trading.cash_reserve",
    "MinTradeValue": "trading.min_trade_value",
    "MinTradeShare": "trading.min_trade_share",
    "PriceAllowance": "trading.price_allowance",
    "MaxOrders": "trading.max_orders",
    "MaxOrderValue": "trading.max_order_value",
    "MaxTurnover": "trading.max_turnover",
    "MaxSymbolWeight": "trading.max_symbol_weight",
    "MaxDailyLoss": "trading.max_daily_loss",
}
"""Setting by parameter."""

VARIABLES: Mapping[str, str] = {
    name: f"{PREFIX}{setting.upper().replace('.', '__')}" for name, setting in PARAMETERS.items()
}
"""Environment variable by parameter."""

_OF_SERVICE = {
    "strategy": ("strategies.",),
    "data": ("data.",),
    "trading": ("trading.",),
    "monolith": ("strategies.", "data.", "trading."),
}
"""Beginnings of the settings that a service reads."""


def portfolio_of(service: str, variables: Mapping[str, str]) -> dict[str, str]:
    """The portfolio's parameters of a service, from the variables that one of its versions was published with."""
    return {
        name: variables.get(VARIABLES[name], "")
        for name, setting in PARAMETERS.items()
        if setting.startswith(_OF_SERVICE[service])
    }


def without_portfolio(variables: Mapping[str, str]) -> dict[str, str]:
    """The variables that say something else."""
    return {name: value for name, value in variables.items() if name not in VARIABLES.values()}


def require_one_portfolio(phase: str, answers: Iterable[CompositionAnswer]) -> None:
    """No function trades by a setting that another one does not know. Raises Refused naming setting and parameter.

    The strategy and the monolith image have an alchemiser.toml of the portfolio; data and trading have none. What their
    part of it says would hold in the monolith alone, unseen by the modular pipeline beside it or after it.
    """
    if phase == PHASES[0]:
        return
    for answer in answers:
        for setting in answer.settings:
            parameter = _parameter(setting)
            if parameter is not None and not setting.given and not setting.name.startswith("strategies."):
                raise Refused(
                    f"{setting.name} is {setting.value} in the {answer.service} image ({setting.source}), which the "
                    f"{setting.name.partition('.')[0]} function does not read: give it to all of them with "
                    f"--parameter {parameter}={setting.value.strip('"')}"
                )


def described(settings: Iterable[PortfolioSetting]) -> str:
    """Each setting that is no default, with what gives it: a parameter or the image's file."""
    found = [
        f"{item.name} from {f'parameter {_parameter(item)}' if item.given else item.source}"
        for item in settings
        if _parameter(item) is not None
    ]
    return ", ".join(found) or "every setting of the portfolio is its default"


def _parameter(setting: PortfolioSetting) -> str | None:
    return next((name for name, known in PARAMETERS.items() if known == setting.name), None)
