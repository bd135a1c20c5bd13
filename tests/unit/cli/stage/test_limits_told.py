"""Limits that a stage would meet, by the settings that its functions say they have."""

from collections.abc import Mapping
from decimal import Decimal

from alchemiser_cli.stage.last_decision import targets_of
from alchemiser_cli.stage.limits_told import limits_told, trading_settings
from alchemiser_common.probes import CompositionAnswer, PortfolioSetting
from support.messages import make_decision, make_snapshot


def answer(values: Mapping[str, str]) -> CompositionAnswer:
    settings = tuple(PortfolioSetting(name=name, value=value, source="default") for name, value in values.items())
    return CompositionAnswer(service="trading", version="0", git_sha="1", settings=settings)


def test_the_settings_are_those_of_whoever_sends_orders() -> None:
    said = {
        "trading.max_orders": "null",
        "trading.max_turnover": '"1.5"',
        "trading.not_yet": "1",
        "data.carry_gaps": "2",
    }
    monolith = answer({"trading.max_turnover": '"9"'})
    found = trading_settings({"monolith": monolith, "trading": answer(said)})
    assert found is not None
    assert (found.max_orders, found.max_turnover) == (None, Decimal("1.5"))
    assert trading_settings({"monolith": monolith, "data": answer({})}) is not None
    assert trading_settings({"data": answer({})}) is None


def test_what_would_be_met_is_told_for_the_last_accounts_figures() -> None:
    answers = {"trading": answer({"trading.max_turnover": '"1.5"'})}
    found = limits_told(answers, make_snapshot(), targets_of(make_decision()))
    assert found == ["trading.max_turnover is 1.5: a full switch could buy 0.5 times equity only"]
    assert limits_told({}, make_snapshot(), ()) == []
