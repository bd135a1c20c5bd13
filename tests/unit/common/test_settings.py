"""Settings: later sources win, every value knows where it came from, every mistake is named."""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from pydantic import ValidationError

from alchemiser_common.errors import InvalidSettings
from alchemiser_common.settings import Section, Settings, StrategySettings
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
        ("TRADING__CASH_RESERVE", "1.5", "less than or equal to 0.9 (got '1.5')"),
        ("TRADING__CASHRESERVE", "0.1", "trading.cashreserve: no such setting; did you mean trading.cash_reserve?"),
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
    [("[trading", "cannot be read"), ("unknown_key = 1", "unknown_key: no such setting"), (None, "does not exist")],
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


@pytest.mark.parametrize(
    ("environment", "alias", "called"),
    [
        (None, None, "demo"),
        ("simulated", None, "demo"),
        ("paper", None, "paper"),
        ("live", None, "live"),
        ("paper", "main", "main"),
        ("live", "demo", "demo"),
    ],
)
def test_the_account_is_called_as_its_environment_wherever_that_is_chosen(
    tmp_path: Path, environment: str | None, alias: str | None, called: str
) -> None:
    variables = {"ALCHEMISER_ENVIRONMENT": environment} if environment else {}
    named = {"ALCHEMISER_ACCOUNT_ALIAS": alias} if alias else {}
    assert load_settings(variables | named).settings.account_alias == called
    assert load_settings(named, dotenv=variables).settings.account_alias == called
    chosen = {"environment": environment} if environment else {}
    assert load_settings(named, command_line=chosen).settings.account_alias == called, "as `run --paper` chooses it"


SECRET = "PKQ7ZL2M9X4C6V8B1N3D"


@pytest.mark.parametrize(
    "variable",
    [
        "BROKER__SECRET_KEY",
        "BROKER__API__KEY",
        "SECRET",
        "BROKER",
        "LIVE",
        "BROKER__TRADING_URL",
        "BROKER__DATA_URL__KEY",
        "AWS__ENDPOINT_URL__KEY",
    ],
)
def test_what_may_be_a_secret_is_never_shown_whatever_it_was_set_as(tmp_path: Path, variable: str) -> None:
    branch, _, leaf = variable.lower().replace("__", ".").rpartition(".")
    section = f"[{branch}]\n" if branch else ""
    file = tmp_path / "alchemiser.toml"
    file.write_text(f'{section}{leaf} = "{SECRET}"\n')
    tree: object = SECRET
    for part in reversed(variable.lower().split("__")):
        tree = {part: tree}
    assert isinstance(tree, dict)
    for sources in (
        {"environment": {f"ALCHEMISER_{variable}": SECRET}},
        {"environment": {}, "dotenv": {f"ALCHEMISER_{variable}": SECRET}},
        {"environment": {}, "file": file},
        {"environment": {}, "command_line": tree},
    ):
        with pytest.raises(InvalidSettings) as refusal:
            load_settings(**sources)
        assert SECRET not in str(refusal.value)
        assert variable.lower().split("__")[0] in str(refusal.value)
        assert refusal.value.__cause__ is None, "a traceback would print it"


@pytest.mark.parametrize(
    ("url", "environment", "allowed"),
    [
        ("https://paper-api.alpaca.markets", "paper", True),
        ("http://paper-api.alpaca.markets", "paper", False),
        ("http://127.0.0.1:8765", "live", True),
        ("http://localhost:8765", "paper", True),
        ("http://[::1]:8765", "paper", True),
        ("http://alpaca:8765", "paper", False),
        ("http://alpaca:8765", "simulated", True),
        ("http://10.0.0.7", "simulated", True),
        ("http://10.0.0.7", "live", False),
        ("http://simulator.example.com", "simulated", False),
        ("http://8.8.8.8", "simulated", False),
        ("http://127.0.0.1.example.com", "live", False),
        ("https://key:secret@api.alpaca.markets", "live", False),
        ("https://api.alpaca.markets?key=secret", "live", False),
        ("ftp://127.0.0.1", "simulated", False),
        ("https://", "live", False),
        ("https://host:port", "live", False),
    ],
)
@pytest.mark.parametrize("setting", ["trading_url", "data_url"])
def test_a_key_goes_to_no_address_where_others_can_read_it(
    url: str, environment: str, setting: str, *, allowed: bool
) -> None:
    variables = {"ALCHEMISER_ENVIRONMENT": environment, f"ALCHEMISER_BROKER__{setting.upper()}": url}
    if allowed:
        load_settings(variables)
        return
    with pytest.raises(InvalidSettings, match=f"broker.{setting}") as refusal:
        load_settings(variables)
    assert "secret" not in str(refusal.value)


def numbers() -> Iterator[tuple[str, str]]:
    """Every number of the tree, by section and name."""
    for section, branch in Settings.model_fields.items():
        if isinstance(branch.annotation, type) and issubclass(branch.annotation, Section):
            for name, field in branch.annotation.model_fields.items():
                if field.annotation in {int, float, Decimal}:
                    yield section, name


@pytest.mark.parametrize(("section", "name"), list(numbers()))
@pytest.mark.parametrize("value", ["inf", "-inf", "nan", "1e30", "-1"])
def test_no_number_switches_its_guard_off(section: str, name: str, value: str) -> None:
    with pytest.raises(InvalidSettings, match=f"{section}.{name}: "):
        load_settings({f"ALCHEMISER_{section}__{name}".upper(): value})


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"trading__max_daily_loss": "1"}, "trading.max_daily_loss: Input should be less than 1"),
        ({"trading__max_daily_loss": "0"}, "trading.max_daily_loss"),
        ({"trading__max_turnover": "11"}, "trading.max_turnover"),
        ({"trading__cash_reserve": "1"}, "less than or equal to 0.9 (got '1')"),
        ({"trading__price_allowance": "0.5"}, "trading.price_allowance"),
        ({"execution__collar": "1"}, "execution.collar"),
        ({"execution__collar": "0"}, "execution.collar"),
        ({"execution__max_spread": "1"}, "execution.max_spread"),
        ({"execution__max_quote_move": "1"}, "execution.max_quote_move"),
        ({"execution__max_quote_age_seconds": "86400"}, "execution.max_quote_age_seconds"),
        ({"execution__quote_patience_seconds": "0"}, "execution.quote_patience_seconds"),
        ({"execution__cancel_patience_seconds": "0"}, "execution.cancel_patience_seconds"),
        ({"execution__settle_seconds": "0"}, "execution.settle_seconds"),
        ({"execution__handover_seconds": "0"}, "execution.handover_seconds"),
        ({"execution__lookups": "1"}, "execution.lookups"),
        ({"execution__max_clock_skew_seconds": "3600"}, "execution.max_clock_skew_seconds"),
        ({"execution__walk": "[0.5, 0.4]"}, "walk is 0.5, 0.4; no step may go back"),
        ({"execution__walk": '["nan"]'}, "execution.walk.0"),
        ({"execution__wide_spread": "0.06"}, "max_spread 0.05; none may be above the next"),
        ({"execution__tight_spread": "0.01"}, "tight_spread is 0.01, wide_spread 0.004"),
        ({"execution__lease_seconds": "60"}, "execution.lease_seconds is 60; it must be above 114.25"),
        ({"broker__total_timeout_seconds": "30"}, "an order on its way"),
        ({"execution__lease_seconds": "130", "execution__poll_seconds": "50"}, "give poll_seconds at most that"),
        ({"execution__patient_rest_seconds": "1000"}, "the last step would never be reached"),
        ({"latency__data_share": "0.5"}, "data_share, strategy_share and trading_share add up to 1.2"),
        ({"latency__budget_seconds": "0"}, "latency.budget_seconds"),
        ({"schedule__deadline_minutes": "0"}, "schedule.deadline_minutes"),
        ({"schedule__deadline_minutes": "2"}, "execution.patient_walk with execution.patient_rest_seconds takes 150 s"),
        ({"broker__read_attempts": "0"}, "broker.read_attempts"),
        ({"broker__read_timeout_seconds": "0"}, "broker.read_timeout_seconds"),
    ],
)
def test_a_setting_that_switches_a_guard_off_is_refused_with_its_limit(values: dict[str, str], words: str) -> None:
    with pytest.raises(InvalidSettings) as refusal:
        load_settings({f"ALCHEMISER_{name}".upper(): value for name, value in values.items()})
    assert words in str(refusal.value)
