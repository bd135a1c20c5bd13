"""compose.yaml says what deploy/template.yaml says, and opens nothing but loopback."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from alchemiser_cli.stage.guards import trader_of
from alchemiser_cli.stage.names import PHASES
from alchemiser_common.ids import Pipeline
from alchemiser_common.settings_loading import load_settings
from local.delivering import read_map, read_watch
from local.phase import SECRET, SHADOW, SWITCHES, LocalPhase
from local.provision import in_real_time
from local.stage import local_stack

ROOT = Path(__file__).resolve().parents[3]
SERVICES: dict[str, dict[str, Any]] = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]
FUNCTIONS = ("data", "strategy", "trading", "monolith")
STACK = local_stack("demo")
SPEED = 20.0


PHASE = {name: LocalPhase(local_stack("demo", phase=name)) for name in PHASES}


def variables(service: str) -> dict[str, str]:
    found = SERVICES[service]["environment"]
    assert isinstance(found, dict)
    return found


def deployed(service: str) -> dict[str, Any]:
    """Properties of the function in the template's own words; the monolith's are those of its last phase."""
    stack = STACK if service != "monolith" else local_stack("demo", phase="cutover")
    return dict(stack.of_type("AWS::Lambda::Function")[f"{service.capitalize()}Function"])


@pytest.mark.parametrize("service", FUNCTIONS)
def test_settings_are_valid_and_name_what_the_template_names(service: str) -> None:
    own = variables(service)
    assert load_settings(own).settings.backend == "aws"
    wanted = {
        name: value
        for name, value in deployed(service)["Environment"]["Variables"].items()
        if name in {f"ALCHEMISER_AWS__{own}" for own in ("STAGE", "TABLE", "BUCKET", "EVENT_BUS")}
        or name.endswith("_QUEUE")
    }
    assert "ALCHEMISER_AWS__STAGE" in wanted, "without a stage a function counts nothing"
    for name, value in wanted.items():
        assert own[name].rpartition("/")[2] == str(value).rpartition("/")[2], name


@pytest.mark.parametrize("service", FUNCTIONS)
def test_a_function_has_the_templates_time_and_memory(service: str) -> None:
    properties = deployed(service)
    own = variables(service)
    assert int(own["AWS_LAMBDA_FUNCTION_TIMEOUT"]) == in_real_time(properties["Timeout"], SPEED).total_seconds()
    assert int(own["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"]) == properties["MemorySize"]


def test_the_event_source_knows_queues_functions_and_time_outs() -> None:
    maps = [read_map(part.removeprefix("--map=")) for part in SERVICES["event-source"]["command"] if "--map=" in part]
    assert [item.queue for item in maps] == [
        str(STACK.outputs[name]).rpartition("/")[2] for name in ("MarketDataQueue", "TradeDecisionQueue")
    ]
    for item, service in zip(maps, ("strategy", "trading"), strict=True):
        assert item.url == f"http://{service}:8080"
        assert item.timeout.total_seconds() == int(variables(service)["AWS_LAMBDA_FUNCTION_TIMEOUT"])


def test_the_trading_function_is_watched_every_ten_minutes_of_the_exchange() -> None:
    (watch,) = [
        read_watch(part.removeprefix("--watch=")) for part in SERVICES["event-source"]["command"] if "--watch=" in part
    ]
    assert (watch.url, watch.every) == ("http://trading:8080", in_real_time(600, SPEED))
    assert watch.timeout.total_seconds() == int(variables("trading")["AWS_LAMBDA_FUNCTION_TIMEOUT"])


@pytest.mark.parametrize("service", SERVICES)
def test_containers_are_shut_in(service: str) -> None:
    own = SERVICES[service]
    assert own["read_only"] is True
    assert own["user"] == "65532:65532"
    assert own["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in own["security_opt"]
    assert own["mem_limit"]
    assert all(port.startswith("127.0.0.1:") for port in own.get("ports", []))


def test_the_strategy_holds_no_name_of_a_secret_or_a_table() -> None:
    """Of the archive it knows the bucket: a snapshot that is too large for the queue comes from there."""
    assert not {"ALCHEMISER_AWS__BROKER_SECRET", "ALCHEMISER_AWS__TABLE"} & set(variables("strategy"))
    assert variables("strategy")["ALCHEMISER_AWS__BUCKET"] == variables("data")["ALCHEMISER_AWS__BUCKET"]
    assert variables("trading")["ALCHEMISER_AWS__BROKER_SECRET"] == SECRET


def deployed_variables(phase: str, service: str) -> dict[str, Any]:
    functions = PHASE[phase].stack.of_type("AWS::Lambda::Function")
    return dict(functions[f"{service.capitalize()}Function"]["Environment"]["Variables"])  # type: ignore[call-overload,index,arg-type]


@pytest.mark.parametrize("phase", PHASES)
def test_in_a_phase_the_containers_are_the_templates_functions_with_its_switches(phase: str) -> None:
    changed: Any = PHASE[phase].override()["services"]
    for service in FUNCTIONS:
        if service not in PHASE[phase].services:
            assert changed[service] == {"scale": 0}, service
            continue
        told = variables(service) | changed[service]["environment"]
        settings, wanted = load_settings(told).settings, deployed_variables(phase, service)
        assert (settings.aws.phase, settings.aws.stage) == (phase, wanted["ALCHEMISER_AWS__STAGE"])
        if service in {"monolith", "trading"}:
            trades = trader_of(phase) is (Pipeline.MONOLITH if service == "monolith" else Pipeline.MODULAR)
            assert (settings.shadow, settings.aws.broker_secret) == (not trades, SECRET if trades else SHADOW)
        if service == "monolith":
            assert settings.compared == (phase == "shadow")
        unlike = {name for name in ("ALCHEMISER_SHADOW", "ALCHEMISER_COMPARED") if told.get(name) != wanted.get(name)}
        assert not unlike, (service, unlike)


@pytest.mark.parametrize("service", FUNCTIONS)
def test_no_other_variable_hangs_on_the_phase(service: str) -> None:
    """A switch that the template gets and the containers do not would make them another phase's."""
    found = [deployed_variables(phase, service) for phase in PHASES if service in PHASE[phase].services]
    names = {name for own in found for name in own}
    hangs = {name for name in names if len({str(own.get(name)) for own in found}) > 1}
    assert hangs <= {*SWITCHES, "ALCHEMISER_AWS__REVISION"}


@pytest.mark.parametrize(
    ("phase", "services", "scheduled", "watched", "queues"),
    [
        ("monolith", {"monolith"}, {"monolith"}, "monolith", 0),
        ("staged", set(FUNCTIONS), {"monolith"}, "monolith", 0),
        ("shadow", set(FUNCTIONS), {"monolith", "data"}, "monolith", 2),
        ("cutover", set(FUNCTIONS), {"data"}, "trading", 2),
        ("modular", set(FUNCTIONS) - {"monolith"}, {"data"}, "trading", 2),
    ],
)
def test_a_phase_says_who_is_there_fired_fed_and_watched(
    phase: str, services: set[str], scheduled: set[str], watched: str, queues: int
) -> None:
    local = PHASE[phase]
    assert (set(local.services), set(local.scheduled), local.watched) == (services, scheduled, watched)
    changed: Any = local.override()["services"]
    if not queues:
        assert changed["event-source"] == {"scale": 0}, "it has nothing to do"
        return
    command = changed["event-source"]["command"]
    assert sum(part.startswith("--map=") for part in command) == queues
    asked = [read_watch(part.removeprefix("--watch=")).url for part in command if "--watch=" in part]
    assert asked == ([] if watched in scheduled else [f"http://{watched}:8080"]), "one process invokes a container"
