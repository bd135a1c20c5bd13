"""Functions of a stage as containers that stay warm: one for a function, its image and environment, as on Lambda.

A container whose function gets another image or other settings is stopped and not removed, so that what it said can be
read; whoever started the stage removes all of them by their label.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from threading import Lock

from images.docker import docker
from images.function import RunningImage, started
from local.functions import Outcome

LABEL = "alchemiser-stage"


@dataclass
class _Kept:
    image: str
    variables: Mapping[str, str]
    running: RunningImage
    busy: Lock = field(default_factory=Lock)
    """A container takes one event at a time."""

    def is_of(self, image: str, variables: Mapping[str, str]) -> bool:
        return (self.image, self.variables) == (image, variables)

    def alive(self) -> bool:
        return docker("container", "inspect", "--format", "{{.State.Running}}", self.running.container) == "true"


class WarmContainers:
    """The containers of one stage, known by `label`."""

    def __init__(self, label: str) -> None:
        self._label = label
        self._kept: dict[str, _Kept] = {}
        self._starting: defaultdict[str, Lock] = defaultdict(Lock)

    def invoke(
        self, function: str, image: str, variables: Mapping[str, str], event: bytes, timeout: timedelta
    ) -> Outcome:
        """What the function's container comes to; one is started if there is none, or none such."""
        kept = self._ready(function, image, variables, timeout)
        with kept.busy:
            return kept.running.function.send(event)

    def _ready(self, function: str, image: str, variables: Mapping[str, str], timeout: timedelta) -> _Kept:
        with self._starting[function]:
            kept = self._kept.get(function)
            if kept is None or not kept.is_of(image, variables) or not kept.alive():
                if kept is not None and kept.alive():
                    docker("container", "kill", kept.running.container)
                labels = {LABEL: self._label, "function": function}
                running = started(image, environment=variables, labels=labels, timeout=timeout)
                kept = self._kept[function] = _Kept(image, dict(variables), running)
            return kept
