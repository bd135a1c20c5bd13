"""The event bus on EventBridge: one entry an event, its kind as the detail type that rules select on."""

from typing import TYPE_CHECKING

from alchemiser_common.aws.faults import Asking
from alchemiser_common.errors import StoreUnavailable
from alchemiser_common.messages.event import RunEvent

if TYPE_CHECKING:
    from mypy_boto3_events.client import EventBridgeClient

SOURCE = "alchemiser"
"""The source that rules select on."""


class EventBridgeBus:
    """Publishes to the bus of that name."""

    def __init__(self, client: "EventBridgeClient", bus: str) -> None:
        self._client = client
        self._bus = bus

    def publish(self, event: RunEvent) -> None:
        """Hand the event over. Raises StoreUnavailable also if the call succeeded and the bus did not take the event,
        InvalidSettings if the bus is not there.
        """
        with Asking(f"event bus {self._bus}", "aws.event_bus"):
            answer = self._client.put_events(
                Entries=[
                    {
                        "EventBusName": self._bus,
                        "Source": SOURCE,
                        "DetailType": event.event.event_name,
                        "Detail": event.model_dump_json(),
                    }
                ]
            )
        if answer["FailedEntryCount"]:
            (entry,) = answer["Entries"]
            raise StoreUnavailable(
                f"event bus {self._bus} did not take event {event.event_id}: "
                f"{entry.get('ErrorCode')}: {entry.get('ErrorMessage')}"
            )
