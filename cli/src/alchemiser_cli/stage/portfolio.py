"""How a stage's portfolio is traded: the template's parameters for it, the settings behind them, and which value wins.

A parameter becomes an environment variable of every function that reads the setting, and the environment wins over an
image's alchemiser.toml. An empty parameter is no variable: then the file counts, and after it the setting's default.
"""

from collections.abc import Iterable, Mapping

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

_READS = {
    "strategy": ("strategies.",),
    "data": ("data.",),
    "trading": ("trading.", "execution."),
    "monolith": ("strategies.", "data.", "trading.", "execution."),
}
"""Beginnings of the settings that a service reads."""


def portfolio_of(service: str, variables: Mapping[str, str]) -> dict[str, str]:
    """The portfolio's parameters of a service, from the variables that one of its versions was published with."""
    return {
        name: variables.get(VARIABLES[name], "")
        for name, setting in PARAMETERS.items()
        if setting.startswith(_READS[service])
    }


def without_portfolio(variables: Mapping[str, str]) -> dict[str, str]:
    """The variables that say something else."""
    return {name: value for name, value in variables.items() if name not in VARIABLES.values()}


# A setting comes to the functions as a parameter, or by the alchemiser.toml in its own image. Images of different
# portfolios would let the monolith and the modular pipeline trade by different limits; and the strategy image, whose
# file a person takes for the portfolio's, would name a limit that trading does not know. A parameter ends both.
def disagreements(answers: Mapping[str, CompositionAnswer]) -> list[str]:
    """A sentence for each setting that is not the same in all functions that it concerns."""
    found = []
    for name in dict.fromkeys(setting.name for answer in answers.values() for setting in answer.settings):
        readers = {
            service: setting
            for service, answer in answers.items()
            for setting in answer.settings
            if setting.name == name and (name.startswith(_READS[service]) or _names(service, setting))
        }
        if any(setting.given for setting in readers.values()):
            readers = {service: setting for service, setting in readers.items() if name.startswith(_READS[service])}
        if len({setting.value for setting in readers.values()}) > 1:
            said = ", ".join(f"{item.value} in {service} ({item.source})" for service, item in readers.items())
            parameter = _parameter(name)
            other = f", or give it to all of them: --parameter {parameter}=…" if parameter else ""
            found.append(f"{name} is {said}: deploy all services with the same tag{other}")
    return found


def require_one_portfolio(answers: Mapping[str, CompositionAnswer]) -> None:
    """Every function trades by the same settings. Raises Refused naming the first setting that differs."""
    found = disagreements(answers)
    if found:
        raise Refused(found[0])


def described(settings: Iterable[PortfolioSetting]) -> str:
    """Each setting that is no default, with what gives it: a parameter or the image's file."""
    found = [
        f"{item.name} from {f'parameter {_parameter(item.name)}' if item.given else item.source}"
        for item in settings
        if not item.default
    ]
    return ", ".join(found) or "every setting of the portfolio is its default"


def _names(service: str, setting: PortfolioSetting) -> bool:
    """Whether the portfolio's own image gives the setting, though another function reads it."""
    return service == "strategy" and not setting.default


def _parameter(setting: str) -> str | None:
    return next((name for name, known in PARAMETERS.items() if known == setting), None)
