"""The event source's process: one mapping a thread, each from when its queue is there until it is told to stop."""

import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from threading import Event as Flag
from threading import Thread
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from alchemiser_common.errors import InvalidSettings
from local.event_source import EventSource
from local.functions import Function

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

    from local.aws import LocalAws

_log = logging.getLogger(__name__)
_MAP = re.compile(r"(?P<queue>[\w.-]+)=(?P<url>https?://[^,]+),(?P<seconds>\d+)")


@dataclass(frozen=True, slots=True)
class Map:
    """Which function gets a queue's messages."""

    queue: str
    url: str
    timeout: timedelta


def read_map(text: str) -> Map:
    """QUEUE=URL,SECONDS. Raises InvalidSettings."""
    found = _MAP.fullmatch(text)
    if found is None:
        raise InvalidSettings(f"--map is {text!r}; give QUEUE=URL,SECONDS, e.g. decisions.fifo=http://trading:8080,45")
    return Map(found["queue"], found["url"], timedelta(seconds=int(found["seconds"])))


def deliver_all(aws: "LocalAws", maps: Sequence[Map], stop: Flag) -> None:
    """Run every mapping until `stop` is set; returns when what is being delivered has come to its end."""
    threads = [Thread(target=_deliver, args=(aws.clients.sqs, item, stop), name=item.queue) for item in maps]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _deliver(sqs: "SQSClient", item: Map, stop: Flag) -> None:
    function = Function(_host(item.url), item.url, timeout=item.timeout)
    while not stop.is_set():
        try:
            source = EventSource(sqs, sqs.get_queue_url(QueueName=item.queue)["QueueUrl"], function)
        except (BotoCoreError, ClientError, InvalidSettings) as error:
            _log.warning("no mapping yet", extra={"queue": item.queue, "reason": str(error)})
            stop.wait(2)
        else:
            _log.info("mapping is on", extra={"queue": item.queue, "function": item.url})
            source.run(stop)


def _host(url: str) -> str:
    """The function's name is its container's."""
    return url.partition("://")[2].partition(":")[0]
