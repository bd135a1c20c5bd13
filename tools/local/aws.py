"""Where the local AWS answers, for the containers that work with it and for what sets it up."""

from dataclasses import dataclass
from functools import cached_property

from alchemiser_common.aws.clients import AwsClients, keyed_session
from alchemiser_common.settings import AwsSettings

REGION = "us-east-1"
LOCAL_KEY = "local"
"""Anybody's; it opens nothing."""
_PATIENCE_SECONDS = 60.0
"""moto answers one request at a time, and makes a whole stack in one."""


@dataclass(frozen=True)
class LocalAws:
    """Where the local AWS answers."""

    endpoint: str

    @cached_property
    def clients(self) -> AwsClients:
        """Its clients, whatever credentials the surroundings have."""
        patient = {"connect_timeout_seconds": _PATIENCE_SECONDS, "read_timeout_seconds": _PATIENCE_SECONDS}
        settings = AwsSettings(region=REGION, endpoint_url=self.endpoint, attempts=5, **patient)
        return AwsClients(settings, keyed_session(LOCAL_KEY, LOCAL_KEY))
