"""The adapters on AWS: each client is made when its adapter is first asked for, all from one session.

Importing this is cheap; botocore comes with the first AwsAdapters.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING
from uuid import uuid4

from alchemiser_common.embedded.environment_secrets import simulated_secrets
from alchemiser_common.errors import InvalidSettings
from alchemiser_common.keys import dead_letter_object
from alchemiser_common.ports.queue import DeadLetter
from alchemiser_common.ports.secrets import Secrets
from alchemiser_common.settings import Backend, Environment, Settings

if TYPE_CHECKING:
    from alchemiser_common.aws.dynamodb_state import DynamoStateStore
    from alchemiser_common.aws.event_bridge import EventBridgeBus
    from alchemiser_common.aws.s3_archive import S3Archive
    from alchemiser_common.aws.sqs_dead_letters import SqsDeadLetters
    from alchemiser_common.aws.sqs_queue import SqsQueue


class AwsAdapters:
    """Opens what `settings.aws` names. Raises InvalidSettings naming the setting that is missing."""

    def __init__(self, settings: Settings) -> None:
        if settings.backend is not Backend.AWS:
            raise InvalidSettings(f"backend is {settings.backend.value}; this needs AWS: set ALCHEMISER_BACKEND=aws")
        from alchemiser_common.aws.clients import AwsClients

        self._settings = settings
        self._aws = settings.aws
        self._clients = AwsClients(settings.aws)

    def state(self) -> "DynamoStateStore":
        """The state table."""
        from alchemiser_common.aws.dynamodb_state import DynamoStateStore

        table = _named("table", self._aws.table)
        return DynamoStateStore(self._clients.dynamodb, table, lambda: uuid4().hex)

    def archive(self) -> "S3Archive":
        """The archive's bucket."""
        from alchemiser_common.aws.s3_archive import S3Archive

        return S3Archive(self._clients.s3, _named("bucket", self._aws.bucket))

    def events(self) -> "EventBridgeBus":
        """The event bus."""
        from alchemiser_common.aws.event_bridge import EventBridgeBus

        return EventBridgeBus(self._clients.events, _named("event_bus", self._aws.event_bus))

    def secrets(self) -> Secrets:
        """The secret with the broker's key; a simulated environment does without."""
        if self._settings.environment is Environment.SIMULATED and not self._aws.broker_secret:
            return simulated_secrets()
        from alchemiser_common.aws.secrets_manager import SecretsManagerSecrets

        return SecretsManagerSecrets(self._clients.secrets, _named("broker_secret", self._aws.broker_secret))

    def market_data_queue(self) -> "SqsQueue":
        """Where the data service publishes."""
        return self._queue("market_data_queue", self._aws.market_data_queue)

    def trade_decision_queue(self) -> "SqsQueue":
        """Where the strategy service publishes."""
        return self._queue("trade_decision_queue", self._aws.trade_decision_queue)

    def dead_letters(self) -> "Sequence[SqsDeadLetters]":
        """Those of both queues; one that is dropped stays in the archive."""
        from alchemiser_common.aws.sqs_dead_letters import SqsDeadLetters

        market_data = _named("market_data_queue", self._aws.market_data_queue)
        trade_decision = _named("trade_decision_queue", self._aws.trade_decision_queue)
        return [SqsDeadLetters(self._clients.sqs, url, keep=self._keep) for url in (market_data, trade_decision)]

    def _keep(self, letter: DeadLetter) -> None:
        key = dead_letter_object(letter.queue, letter.sent_at, letter.message_id)
        self.archive().put(key, letter.body.encode())

    def _queue(self, field: str, url: str) -> "SqsQueue":
        from alchemiser_common.aws.sqs_queue import SqsQueue

        return SqsQueue(self._clients.sqs, _named(field, url))


def _named(field: str, value: str) -> str:
    if not value:
        raise InvalidSettings(
            f"aws.{field} is not set; the deployment's outputs give it: ALCHEMISER_AWS__{field.upper()}=…"
        )
    return value
