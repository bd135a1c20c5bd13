"""AWS Lambda's way into a service: the log set up and the service built at the first event, then kept.

Asked for its version, a function answers without either: no AWS, no secret, no broker.
"""

import logging
import sys
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Protocol

from alchemiser_common.errors import AlchemiserError
from alchemiser_common.lambda_events import Event, is_version_probe, version_answer
from alchemiser_common.messages.base import Frozen
from alchemiser_common.ports.clock import TimeLeft
from alchemiser_common.settings import Settings
from alchemiser_common.settings_files import read_settings
from alchemiser_common.telemetry import log_to

_log = logging.getLogger(__name__)

type Handle = Callable[[Event, TimeLeft], Frozen]
"""A service's answer to an event; the second argument is what remains of the invocation."""
type Build = Callable[[Settings, Mapping[str, str]], Handle]
"""Composes a service from settings and the variables they come from."""


class Context(Protocol):
    """What of Lambda's context is used."""

    def get_remaining_time_in_millis(self) -> int:
        """Until the invocation is ended."""
        ...


class LambdaEntry:
    """The handler of the function `service`; `variables` is the process's environment."""

    def __init__(self, service: str, build: Build, variables: Mapping[str, str]) -> None:
        self._service = service
        self._build = build
        self._variables = variables
        self._handle: Handle | None = None

    def __call__(self, event: Event, context: Context) -> dict[str, object]:
        """Answer one event. Raises what the service raises, and InvalidSettings or MissingSecret if it cannot start."""
        if is_version_probe(event):
            return version_answer(self._service, self._variables).model_dump(mode="json")
        if self._handle is None:
            self._handle = self._start()
        answer = self._handle(event, lambda: timedelta(milliseconds=context.get_remaining_time_in_millis()))
        return answer.model_dump(mode="json")

    def _start(self) -> Handle:
        logging.getLogger().handlers.clear()  # the runtime's own would print every line again
        log_to(sys.stdout, service=self._service)
        try:
            settings = read_settings(self._variables, Path.cwd()).settings
            return self._build(settings, self._variables)
        except AlchemiserError as error:
            _log.error("function cannot start", extra={"error": type(error).__name__, "reason": str(error)})
            raise
