"""Which setting of a portfolio wins on a stage, and whether all functions trade by the same."""

import pytest

from alchemiser_cli.stage.portfolio import (
    VARIABLES,
    described,
    disagreements,
    portfolio_of,
    require_one_portfolio,
    without_portfolio,
)
from alchemiser_cli.stage.stack import Refused
from alchemiser_common.probes import CompositionAnswer, PortfolioSetting

FILE = "strategies/alchemiser.toml"
PARAMETER = "environment ALCHEMISER_TRADING__MAX_ORDERS"
DEFAULT = "default"
ORDERS = "trading.max_orders"


def answers(name: str, **found: tuple[str, str]) -> dict[str, CompositionAnswer]:
    """What services say of one setting: value and source by service."""
    return {
        service: CompositionAnswer(
            service=service,
            version="1",
            git_sha="0123abc",
            settings=(PortfolioSetting(name=name, value=value, source=source),),
        )
        for service, (value, source) in found.items()
    }


@pytest.mark.parametrize(
    ("name", "found", "alike"),
    [
        (ORDERS, {"monolith": ("7", FILE), "strategy": ("7", FILE), "trading": ("7", FILE)}, True),
        (ORDERS, {"monolith": ("7", FILE), "trading": ("60", DEFAULT)}, False),
        (ORDERS, {"strategy": ("7", FILE), "trading": ("60", DEFAULT)}, False),
        (ORDERS, {"strategy": ("60", DEFAULT), "trading": ("7", FILE)}, True),
        (ORDERS, {"monolith": ("9", PARAMETER), "strategy": ("7", FILE), "trading": ("9", PARAMETER)}, True),
        (ORDERS, {"monolith": ("60", FILE), "trading": ("60", DEFAULT)}, True),
        ("data.accepted_jumps", {"data": ("[]", DEFAULT), "monolith": ('["A:2020-01-02"]', FILE)}, False),
        ("data.accepted_jumps", {"trading": ('["A:2020-01-02"]', FILE), "monolith": ("[]", DEFAULT)}, True),
        ("strategies.on_unknown", {"data": ('"cash"', FILE), "strategy": ('"abort"', DEFAULT)}, True),
        ("strategies.on_unknown", {"monolith": ('"cash"', FILE), "strategy": ('"abort"', DEFAULT)}, False),
        ("execution.poll_seconds", {"monolith": ("1.0", FILE), "trading": ("2.0", DEFAULT)}, False),
    ],
)
def test_functions_that_read_a_setting_must_have_the_same_and_the_portfolios_own_image_counts(
    name: str, found: dict[str, tuple[str, str]], *, alike: bool
) -> None:
    assert (disagreements(answers(name, **found)) == []) is alike


def test_what_differs_is_named_with_every_value_its_source_and_the_parameter_that_ends_it() -> None:
    with pytest.raises(Refused) as raised:
        require_one_portfolio(answers(ORDERS, monolith=("7", FILE), trading=("60", DEFAULT)))
    assert str(raised.value) == (
        f"trading.max_orders is 7 in monolith ({FILE}), 60 in trading (default): deploy all services with the same "
        "tag, or give it to all of them: --parameter MaxOrders=…"
    )
    (without,) = disagreements(answers("execution.poll_seconds", monolith=("1", FILE), trading=("2", DEFAULT)))
    assert "--parameter" not in without


def test_where_each_setting_comes_from_is_said() -> None:
    settings = [
        PortfolioSetting(name=ORDERS, value="9", source=PARAMETER),
        PortfolioSetting(name="strategies.on_unknown", value='"cash"', source=FILE),
        PortfolioSetting(name="trading.cash_reserve", value='"0.01"', source=DEFAULT),
    ]
    assert described(settings) == f"trading.max_orders from parameter MaxOrders, strategies.on_unknown from {FILE}"
    assert described(settings[2:]) == "every setting of the portfolio is its default"


def test_a_version_tells_the_parameters_that_were_live_with_it() -> None:
    variables = {
        VARIABLES["StrategyAllocations"]: '{"tecl": 1.0}',
        VARIABLES["MaxOrders"]: "7",
        "ALCHEMISER_AWS__PHASE": "shadow",
    }
    assert portfolio_of("strategy", variables) == {"StrategyAllocations": '{"tecl": 1.0}', "OnUnknown": ""}
    assert portfolio_of("trading", variables)["MaxOrders"] == "7"
    assert "StrategyAllocations" not in portfolio_of("trading", variables)
    assert portfolio_of("data", variables) == {"AcceptedJumps": ""}
    assert without_portfolio(variables) == {"ALCHEMISER_AWS__PHASE": "shadow"}
