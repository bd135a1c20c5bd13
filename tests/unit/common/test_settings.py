"""Settings: later sources win, every value knows where it came from, every mistake is named."""

from decimal import Decimal
from pathlib import Path

import pytest
from pydantic import ValidationError

from alchemiser_common.errors import InvalidSettings
from alchemiser_common.settings import Settings, StrategySettings
from alchemiser_common.settings_files import read_settings
from alchemiser_common.settings_loading import load_settings


def test_later_sources_win_and_are_remembered(tmp_path: Path) -> None:
    file = tmp_path / "alchemiser.toml"
    file.write_text('account_alias = "from-file"\n[trading]\ncash_reserve = "0.03"\nmax_orders = 9\n')
    loaded = load_settings(
        {"ALCHEMISER_TRADING__CASH_RESERVE": "0.05", "PATH": "ignored", "ALCHEMISER_GIT_SHA": "abc"},
        file=file,
        dotenv={"ALCHEMISER_TRADING__CASH_RESERVE": "0.04", "ALCHEMISER_TRADING__MIN_TRADE_VALUE": "25"},
    )
    assert loaded.settings.account_alias == "from-file"
    assert loaded.settings.trading.cash_reserve == Decimal("0.05")
    assert loaded.settings.trading.min_trade_value == Decimal(25)
    shown = {leaf.name: leaf.source for leaf in loaded.leaves()}
    assert shown["trading.cash_reserve"] == "environment ALCHEMISER_TRADING__CASH_RESERVE"
    assert shown["trading.min_trade_value"] == ".env ALCHEMISER_TRADING__MIN_TRADE_VALUE"
    assert shown["trading.max_orders"] == str(file)
    assert shown["trading.max_turnover"] == "default"


def test_the_portfolios_own_file_comes_before_that_of_the_place_where_it_runs(tmp_path: Path) -> None:
    own = tmp_path / "strategies"
    own.mkdir()
    (own / "alchemiser.toml").write_text(
        '[strategies]\non_unknown = "cash"\n[trading]\nmax_orders = 9\nmax_turnover = 1\n'
    )
    (tmp_path / "alchemiser.toml").write_text("[trading]\nmax_orders = 8\nmin_trade_value = 20\n")
    loaded = read_settings({"ALCHEMISER_TRADING__MAX_TURNOVER": "1.5"}, tmp_path)
    assert loaded.settings.strategies.folder == own
    shown = {leaf.name: (str(leaf.value), leaf.source) for leaf in loaded.leaves()}
    assert shown["strategies.folder"] == (str(own), f"{own} is there")
    assert shown["strategies.on_unknown"] == ("cash", str(own / "alchemiser.toml"))
    assert shown["trading.max_orders"] == ("8", str(tmp_path / "alchemiser.toml"))
    assert shown["trading.max_turnover"] == ("1.5", "environment ALCHEMISER_TRADING__MAX_TURNOVER")


def test_without_a_folder_of_strategies_none_is_set_and_a_named_one_wins(tmp_path: Path) -> None:
    assert read_settings({}, tmp_path).settings.strategies.folder is None
    (tmp_path / "strategies").mkdir()
    named = read_settings({"ALCHEMISER_STRATEGIES__FOLDER": "others"}, tmp_path)
    assert named.settings.strategies.folder == Path("others")


def test_allocations_are_replaced_as_a_whole() -> None:
    loaded = load_settings({"ALCHEMISER_STRATEGIES__ALLOCATIONS": '{"tecl": 1.0}'})
    assert loaded.settings.strategies.allocations == {"tecl": 1.0}


def test_an_account_takes_ninety_strategies_and_no_more() -> None:
    def shared_by(count: int) -> dict[str, float]:
        return {f"s{number}": 1 / count for number in range(count)}

    assert len(StrategySettings(allocations=shared_by(90)).allocations) == 90
    with pytest.raises(ValidationError, match="allocations name 91 strategies; an account takes 90: leave some out"):
        StrategySettings(allocations=shared_by(91))


@pytest.mark.parametrize(
    ("variable", "value", "words"),
    [
        ("STRATEGIES__ALLOCATIONS", '{"tecl": 0.5, "klm": 0.4}', "allocations add up to 0.9; they must add up to 1"),
        ("STRATEGIES__ALLOCATIONS", '{"tecl": 1.5, "klm": -0.5}', "allocations.tecl is 1.5"),
        ("STRATEGIES__ALLOCATIONS", "{tecl", "strategies.allocations"),
        ("TRADING__CASH_RESERVE", "5%", "trading.cash_reserve"),
        ("TRADING__CASH_RESERVE", "1.5", "less than or equal to 1 (got '1.5')"),
        ("TRADING__CASHRESERVE", "0.1", "trading.cashreserve: Extra inputs are not permitted"),
        ("ENVIRONMENT", "production", "'simulated', 'paper' or 'live' (got 'production')"),
        ("DATA__BAR_POLICY", "today", "data.bar_policy"),
        ("ACCOUNT_ALIAS", "Main Account", "account_alias"),
    ],
)
def test_a_mistake_is_named_with_field_value_and_source(variable: str, value: str, words: str) -> None:
    with pytest.raises(InvalidSettings) as refusal:
        load_settings({f"ALCHEMISER_{variable}": value})
    assert words in str(refusal.value)
    assert f"environment ALCHEMISER_{variable}" in str(refusal.value)


@pytest.mark.parametrize(
    ("content", "words"),
    [("[trading", "cannot be read"), ("unknown_key = 1", "unknown_key: Extra inputs"), (None, "does not exist")],
)
def test_a_bad_file_is_named(tmp_path: Path, content: str | None, words: str) -> None:
    file = tmp_path / "alchemiser.toml"
    if content is not None:
        file.write_text(content)
    with pytest.raises(InvalidSettings) as refusal:
        load_settings({}, file=file)
    assert words in str(refusal.value)
    assert str(file) in str(refusal.value)


def test_every_setting_explains_itself() -> None:
    silent = [leaf.name for leaf in load_settings({}).leaves() if not leaf.help and "timeout" not in leaf.name]
    assert silent == []
    assert load_settings({}).settings == Settings()
