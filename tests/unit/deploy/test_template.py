"""What the template makes of each phase, and the traps of the platform that it must not step into."""

import json
import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from alchemiser_cli.stage.names import PHASES, SERVICES, STATEFUL
from alchemiser_cli.stage.portfolio import PARAMETERS
from alchemiser_common import probes
from alchemiser_common.ids import Pipeline
from alchemiser_common.json_value import Json
from alchemiser_common.settings import Backend, TradingSettings
from alchemiser_common.settings_loading import load_settings
from deploy.expand import Stack, properties
from deploy.sample import sample_parameters
from deploy.template import REGISTRY, TEMPLATE, TemplateError, load, mapping, section
from support.deployment import BROKER_SECRET, SHADOW_SECRET, environment, settings_of, stack


def stateful(found: Stack) -> dict[str, Mapping[str, Json]]:
    return {name: item for name, item in found.resources.items() if item["Type"] in STATEFUL}


@pytest.mark.parametrize(
    ("phase", "functions", "schedules_on", "sources", "watched", "traders"),
    [
        ("monolith", {"monolith"}, {"monolith"}, 0, "monolith", {"monolith"}),
        ("staged", set(SERVICES), {"monolith"}, 0, "monolith", {"monolith"}),
        ("shadow", set(SERVICES), {"monolith", "modular"}, 2, "monolith", {"monolith"}),
        ("cutover", set(SERVICES), {"modular"}, 2, "trading", {"trading"}),
        ("modular", {"data", "strategy", "trading"}, {"modular"}, 2, "trading", {"trading"}),
    ],
)
def test_a_phase_has_its_functions_schedules_sources_and_one_trader(
    phase: str, functions: set[str], schedules_on: set[str], sources: int, watched: str, traders: set[str]
) -> None:
    found = stack(phase)
    named = found.of_type("AWS::Lambda::Function")
    assert {str(item["FunctionName"]) for item in named.values()} == {f"alchemiser-dev-{name}" for name in functions}
    schedules = found.of_type("AWS::Scheduler::Schedule")
    on = {item["Name"] for item in schedules.values() if item.get("State", "ENABLED") == "ENABLED"}
    assert on == schedules_on | {"overdue"}
    assert len(found.of_type("AWS::Lambda::EventSourceMapping")) == sources
    watch = mapping(schedules["OverdueWatch"]["Target"], "Target")
    assert watch["Arn"] == f"arn:aws:lambda:us-east-1:123456789012:function:alchemiser-dev-{watched}:live"
    who_trades = [name for name in functions & {"monolith", "trading"} if not settings_of(found, name).shadow]
    assert set(who_trades) == traders


@pytest.mark.parametrize("phase", PHASES)
def test_who_trades_gets_the_trading_key_and_who_plans_the_shadow_key(phase: str) -> None:
    found = stack(phase)
    for service in ("monolith", "data", "trading"):
        if f"{service.capitalize()}Function" not in found.resources:
            continue
        trades = (service == "monolith") == (phase in {"monolith", "staged", "shadow"})
        assert settings_of(found, service).aws.broker_secret == (BROKER_SECRET if trades else SHADOW_SECRET), service


@pytest.mark.parametrize("phase", PHASES)
def test_every_variable_is_a_setting_and_every_function_knows_its_place(phase: str) -> None:
    found = stack(phase)
    for service in SERVICES:
        if f"{service.capitalize()}Function" in found.resources:
            settings = settings_of(found, service)
            assert settings.backend is Backend.AWS
            assert settings.pipeline is (Pipeline.MONOLITH if service == "monolith" else Pipeline.MODULAR)
            assert (settings.aws.stage, settings.aws.phase) == ("dev", phase)


def test_the_command_knows_the_templates_phases_in_their_order() -> None:
    assert mapping(section(load(TEMPLATE), "Parameters")["RolloutPhase"], "RolloutPhase")["AllowedValues"] == [*PHASES]


def test_what_holds_state_is_the_same_to_the_letter_in_every_phase() -> None:
    first = stateful(stack(PHASES[0]))
    assert len(first) == 13
    for phase in PHASES[1:]:
        assert stateful(stack(phase)) == first, phase


@pytest.mark.parametrize("path", [TEMPLATE, REGISTRY], ids=lambda path: path.name)
def test_what_holds_state_is_retained_named_and_unconditional(path: Path) -> None:
    """A conditional resource that is retained would be orphaned by one phase and stand in the way of the next."""
    template = load(path)
    for name, raw in section(template, "Resources").items():
        resource = mapping(raw, name)
        if resource["Type"] in STATEFUL:
            assert resource.get("DeletionPolicy") == resource.get("UpdateReplacePolicy") == "Retain", name
            assert "Condition" not in resource, name
            assert any(key.endswith("Name") for key in properties(resource)), name
        else:
            assert "DeletionPolicy" not in resource, name


PORTFOLIO = {
    "StrategyAllocations": json.dumps({f"a-strategy-with-a-long-name-number-{at:02d}": 0.0625 for at in range(16)}),
    "OnUnknown": "keep",
    "AcceptedJumps": json.dumps(["SVXY:2018-02-06", "OKLO:2024-05-10", "BBAI:2024-11-25", "RGTI:2024-12-17"]),
    "CashReserve": "0.025",
    "MinTradeValue": "12.50",
    "MinTradeShare": "0.0035",
    "PriceAllowance": "0.00075",
    "MaxOrders": "250",
    "MaxOrderValue": "1250000.00",
    "MaxTurnover": "2.05",
    "MaxSymbolWeight": "0.375",
    "MaxDailyLoss": "0.125",
}
"""Every parameter that says how the portfolio is traded, none as its setting's default."""


@pytest.mark.parametrize("service", SERVICES)
def test_sixteen_strategies_and_every_parameter_fit_well_into_the_variables_of_a_function(service: str) -> None:
    """Lambda takes 4,096 bytes of names and values together."""
    long = {"AccountAlias": "a" * 32, "LiveAccountId": "f" * 36, "LiveArmed": "true", "BrokerEnvironment": "live"}
    tags = {f"{name.capitalize()}Tag": "f" * 40 + "-" + "f" * 12 for name in SERVICES}
    variables = environment(stack("cutover", **PORTFOLIO, **long, **tags), service)
    assert sum(len(name) + len(value) for name, value in variables.items()) < 3_000


def test_a_portfolio_parameter_reaches_every_function_that_reads_its_setting_and_an_empty_one_none() -> None:
    """Left empty it is no variable, so that the image's own alchemiser.toml counts."""
    wanted = {
        "strategies.allocations": {"strategy", "monolith"},
        "strategies.on_unknown": {"strategy", "monolith"},
        "data.accepted_jumps": {"data", "monolith"},
        **{f"trading.{name}": {"trading", "monolith"} for name in TradingSettings.model_fields},
    }
    found: dict[str, set[str]] = {}
    for service in SERVICES:
        for name in load_settings(environment(stack("shadow", **PORTFOLIO), service)).sources:
            if name.startswith(probes.PORTFOLIO):
                found.setdefault(name, set()).add(service)
        silent = load_settings(environment(stack("shadow"), service)).sources
        assert not [name for name in silent if name.startswith(probes.PORTFOLIO)], service
    assert found == wanted
    assert {PARAMETERS[name] for name in PORTFOLIO} == set(wanted) == set(PARAMETERS.values())


@pytest.mark.parametrize("service", SERVICES)
def test_whatever_changes_a_function_publishes_a_version_so_that_the_alias_moves(service: str) -> None:
    """SAM compares only the image's address, and Lambda refuses a version without a change: both or neither."""
    changes = {
        "RolloutPhase": "cutover",
        "Stage": "prod",
        "AccountAlias": "other",
        "BrokerEnvironment": "live",
        "LiveArmed": "true",
        "LiveAccountId": "1234",
        "BrokerSecretArn": SHADOW_SECRET,
        "ShadowSecretArn": BROKER_SECRET,
        "DecisionAnchor": "close",
        "DecisionOffsetMinutes": "20",
        **PORTFOLIO,
        **{f"{name.capitalize()}Memory": "3000" for name in SERVICES},
        **{f"{name.capitalize()}Tag": "0000000" for name in SERVICES},
        **{f"{name.capitalize()}Digest": "sha256:" + "f" * 64 for name in SERVICES},
    }
    others = {"ReservedConcurrency"}  # a function's, not a version's
    declared = set(sample_parameters()) | set(section(load(TEMPLATE), "Parameters"))
    untried = {name for name in declared - set(changes) - others if mentions(load(TEMPLATE), name, service)}
    assert untried == {"Registry"}, "a parameter of the function that this test does not change"
    before = stack("shadow")
    for name, value in changes.items():
        after = stack("shadow", **{name: value}) if name != "RolloutPhase" else stack(value)
        changed = function_of(before, service) != function_of(after, service)
        assert changed == (version_of(before, service) != version_of(after, service)), name


def mentions(template: Json, parameter: str, service: str) -> bool:
    function = section(mapping(template, "template"), "Resources")[f"{service.capitalize()}Function"]
    text = json.dumps(function)
    return f'"{parameter}"' in text or f"${{{parameter}}}" in text


def function_of(found: Stack, service: str) -> dict[str, Json]:
    """What Lambda compares when a version is published: tags and concurrency are not part of it."""
    function = found.of_type("AWS::Lambda::Function")[f"{service.capitalize()}Function"]
    return {name: value for name, value in function.items() if name not in {"Tags", "ReservedConcurrentExecutions"}}


def version_of(found: Stack, service: str) -> str:
    (name,) = [name for name in found.resources if re.fullmatch(f"{service.capitalize()}FunctionVersion.*", name)]
    return name


def test_concurrency_is_reserved_for_deliveries_and_watches_at_once_and_can_be_left_out() -> None:
    """Where runs are watched: one watch that works, the next that finds it at work, and a delivery."""
    for service in SERVICES:
        name, wanted = f"{service.capitalize()}Function", 3 if service in {"monolith", "trading"} else 2
        assert properties(stack("shadow").resources[name])["ReservedConcurrentExecutions"] == wanted
        without = properties(stack("shadow", ReservedConcurrency="false").resources[name])
        assert "ReservedConcurrentExecutions" not in without


def test_sources_and_schedules_point_at_the_alias_so_that_a_rollback_is_one_move() -> None:
    found = stack("shadow", WarmStart="true")
    targets = [str(item["FunctionName"]) for item in found.of_type("AWS::Lambda::EventSourceMapping").values()]
    schedules = found.of_type("AWS::Scheduler::Schedule").values()
    targets.extend(str(mapping(item["Target"], "Target")["Arn"]) for item in schedules)
    assert targets
    assert all(target.endswith(":live") for target in targets)


def test_consumers_and_warm_start_are_of_the_last_phase_and_off_unless_asked_for() -> None:
    extra = {"RunEnded", "DataWarmStart", "StrategyWarmStart", "TradingWarmStart"}
    assert not extra & set(stack("modular").resources)
    assert not extra & set(stack("cutover", Consumers="true", WarmStart="true").resources)
    assert extra <= set(stack("modular", Consumers="true", WarmStart="true").resources)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"RolloutPhase": "live"}, "RolloutPhase is 'live'; it may be monolith, staged"),
        ({"DataDigest": "latest"}, "DataDigest is 'latest'; it must look like sha256:"),
        ({"DataTag": "latest"}, "DataTag is 'latest'"),
        ({"BrokerSecretArn": "PKSECRETVALUE"}, "BrokerSecretArn is 13 characters; it must look like arn:"),
        ({"Colour": "red"}, "Colour is not in the template"),
    ],
)
def test_a_wrong_parameter_is_refused_by_name(changes: dict[str, str], words: str) -> None:
    with pytest.raises(TemplateError, match=re.escape(words)):
        stack(**{"phase": changes.pop("RolloutPhase", "monolith"), **changes})


def test_the_outputs_name_everything_that_the_command_reads() -> None:
    assert {"RolloutPhase", "AccountAlias", "Table", "Bucket", "TriggerDeadLetters"} <= set(stack("monolith").outputs)
    assert "TradingFunction" in stack("staged").outputs
    assert "MonolithFunction" not in stack("modular").outputs
