"""AWS Lambda's way into a service: the log set up and the service built at the first event, then kept.

Asked for its version, a function answers without either: no AWS, no secret, no broker. Every other probe goes through
the real start, and what cannot be answered is answered with the reason.
"""

import logging
import sys
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Protocol

from alchemiser_common.errors import AlchemiserError
from alchemiser_common.lambda_events import Event, is_version_probe, version_answer
from alchemiser_common.masking import masked
from alchemiser_common.messages.base import Frozen
from alchemiser_common.ports.clock import TimeLeft
from alchemiser_common.probes import Composition, ProbeFailure, composition_answer
from alchemiser_common.settings import Settings
from alchemiser_common.settings_files import read_settings
from alchemiser_common.settings_loading import LoadedSettings
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
        self._started: tuple[Handle, LoadedSettings] | None = None

    def __call__(self, event: Event, context: Context) -> dict[str, object]:
        """Answer one event. Raises what the service raises, and InvalidSettings or MissingSecret if it cannot start."""
        if is_version_probe(event):
            return version_answer(self._service, self._variables).model_dump(mode="json")
        if "probe" in event:
            return self._probed(event, context)
        try:
            return self._answer(event, context).model_dump(mode="json")
        except AlchemiserError:
            raise  # its text is masked
        except Exception as error:
            # The runtime prints it and hands it to whoever invoked: a library's error may quote what it sent.
            error.args = tuple(masked(part) if isinstance(part, str) else part for part in error.args)
            raise

    def _probed(self, event: Event, context: Context) -> dict[str, object]:
        """The answer, or why there is none: whoever tries a build needs the whole reason, and no retry."""
        try:
            answer = self._answer(event, context)
        except AlchemiserError as error:
            answer = ProbeFailure(probe=str(event["probe"]), error=type(error).__name__, reason=str(error))
        return answer.model_dump(mode="json")

    def _answer(self, event: Event, context: Context) -> Frozen:
        if self._started is None:
            self._started = self._start()
        handle, loaded = self._started
        answer = handle(event, lambda: timedelta(milliseconds=context.get_remaining_time_in_millis()))
        if isinstance(answer, Composition):
            return composition_answer(version_answer(self._service, self._variables), answer, loaded)
        return answer

    def _start(self) -> tuple[Handle, LoadedSettings]:
        logging.getLogger().handlers.clear()  # the runtime's own would print every line again
        log_to(sys.stdout, service=self._service)
        try:
            loaded = read_settings(self._variables, Path.cwd())
            return self._build(loaded.settings, self._variables), loaded
        except AlchemiserError as error:
            _log.error("function cannot start", extra={"error": type(error).__name__, "reason": str(error)})
            raise
