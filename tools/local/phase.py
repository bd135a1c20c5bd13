"""A phase of the rollout on the containers: which are there, with which switches, who is scheduled and who is watched.

In: the template in that phase, as a deployment expands it, and compose.yaml. Out: what compose.yaml is changed by.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from alchemiser_cli.stage.names import SERVICES
from alchemiser_common.json_value import Json
from deploy.expand import Stack
from deploy.sample import BROKER_SECRET, SHADOW_SECRET
from deploy.template import ROOT, mapping, sequence

COMPOSE = ROOT / "compose.yaml"
SECRET, SHADOW = "alchemiser-local-broker", "alchemiser-local-shadow"
"""The key that trades, and the one of the pipeline that only plans."""
SWITCHES = ("ALCHEMISER_AWS__PHASE", "ALCHEMISER_AWS__BROKER_SECRET", "ALCHEMISER_SHADOW", "ALCHEMISER_COMPARED")
"""The variables that a phase changes; ALCHEMISER_AWS__REVISION changes too, so that Lambda publishes a version."""
_HERE = {BROKER_SECRET: SECRET, SHADOW_SECRET: SHADOW}
_WATCH = '{"watch": "overdue"}'


@dataclass(frozen=True)
class LocalPhase:
    """What a phase's stack says."""

    stack: Stack

    @property
    def services(self) -> tuple[str, ...]:
        """Those that have a function."""
        there = self.stack.of_type("AWS::Lambda::Function")
        return tuple(service for service in SERVICES if f"{service.capitalize()}Function" in there)

    @property
    def scheduled(self) -> tuple[str, ...]:
        """Whose function gets the decision time; both pipelines' in shadow."""
        return tuple(self._target(own) for own in self._schedules() if own["Input"] != _WATCH)

    @property
    def watched(self) -> str:
        """Whose function is asked to go on with a run that nobody works on."""
        (service,) = (self._target(own) for own in self._schedules() if own["Input"] == _WATCH)
        return service

    @property
    def flowing(self) -> bool:
        """Whether the queues feed their functions."""
        return bool(self.stack.of_type("AWS::Lambda::EventSourceMapping"))

    def switches(self, service: str) -> dict[str, str]:
        """The variables of a service's function that the phase decides, secrets by their names here."""
        function = self.stack.of_type("AWS::Lambda::Function")[f"{service.capitalize()}Function"]
        variables = mapping(mapping(function["Environment"], "Environment")["Variables"], "Variables")
        found = {name: str(variables[name]) for name in SWITCHES if name in variables}
        return {name: _HERE.get(value, value) for name, value in found.items()}

    def override(self, compose: Path = COMPOSE) -> dict[str, Json]:
        """What `docker compose --file` takes after compose.yaml: who is not in the phase goes."""
        there = set(self.services)
        known = mapping(mapping(yaml.safe_load(compose.read_text("utf-8")), "compose")["services"], "services")
        changed: dict[str, Json] = {
            service: {"environment": dict(self.switches(service))} if service in there else {"scale": 0}
            for service in SERVICES
        }
        source = mapping(known["event-source"], "event-source")
        feeding = [str(part) for part in sequence(source["command"], "command")]
        changed["event-source"] = {"command": list(self._feeding(feeding))} if self.flowing else {"scale": 0}
        return {"services": changed}

    # A container takes one event at a time and the emulator falls over a second one, where Lambda would start another.
    # So only one process may invoke a function: the trading function is the event source's; the monolith is invoked by
    # whoever fires the schedule (`make cycle`), and by them for the watch, too.
    def _feeding(self, command: list[str]) -> list[str]:
        """The event source's command: its queues, and the watch if it asks a function that they feed."""
        return [part for part in command if "--watch=" not in part or f"//{self.watched}:" in part]

    def _schedules(self) -> list[Mapping[str, Json]]:
        own = self.stack.of_type("AWS::Scheduler::Schedule").values()
        return [mapping(item["Target"], "Target") for item in own if item["State"] == "ENABLED"]

    def _target(self, target: Mapping[str, Json]) -> str:
        """The service of `arn:…:function:alchemiser-STAGE-SERVICE:live`."""
        return str(target["Arn"]).split(":")[-2].rpartition("-")[2]


def override_text(phase: LocalPhase) -> str:
    """The override as Compose reads it; JSON is YAML."""
    return json.dumps(phase.override(), indent=1) + "\n"
