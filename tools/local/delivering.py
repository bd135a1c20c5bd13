"""The event source's process: one mapping a thread, each from when its queue is there until it is told to stop.

The watch for runs that nobody works on is a thread here too: it is the other way in which AWS starts the function.
"""

import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from threading import Event as Flag
from threading import Lock, Thread
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from alchemiser_common.errors import InvalidSettings
from local.event_source import EventSource
from local.functions import Answered, Function

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

    from local.aws import LocalAws

_log = logging.getLogger(__name__)
_MAP = re.compile(r"(?P<queue>[\w.-]+)=(?P<url>https?://[^,]+),(?P<seconds>\d+)")
_WATCH = re.compile(r"(?P<url>https?://[^,]+),(?P<seconds>\d+),(?P<every>\d+)")
_BUSY_SECONDS = 1.0
"""The watch waits for the function no longer than this: whoever has it longer is working on a run."""


@dataclass(frozen=True, slots=True)
class Map:
    """Which function gets a queue's messages."""

    queue: str
    url: str
    timeout: timedelta


@dataclass(frozen=True, slots=True)
class Watch:
    """Which function is asked, and how often, to go on with a run that nobody works on."""

    url: str
    timeout: timedelta
    every: timedelta


def read_map(text: str) -> Map:
    """QUEUE=URL,SECONDS. Raises InvalidSettings."""
    found = _MAP.fullmatch(text)
    if found is None:
        raise InvalidSettings(f"--map is {text!r}; give QUEUE=URL,SECONDS, e.g. decisions.fifo=http://trading:8080,45")
    return Map(found["queue"], found["url"], timedelta(seconds=int(found["seconds"])))


def read_watch(text: str) -> Watch:
    """URL,SECONDS,EVERY. Raises InvalidSettings."""
    found = _WATCH.fullmatch(text)
    if found is None:
        raise InvalidSettings(f"--watch is {text!r}; give URL,SECONDS,EVERY, e.g. http://trading:8080,45,30")
    return Watch(found["url"], timedelta(seconds=int(found["seconds"])), timedelta(seconds=int(found["every"])))


# A container holds one function and takes one event at a time, where Lambda would start another: a lock for each
# function keeps a delivery and the watch apart.
def deliver_all(aws: "LocalAws", maps: Sequence[Map], stop: Flag, watches: Sequence[Watch] = ()) -> None:
    """Run every mapping and watch until `stop` is set; returns when what is being delivered has come to its end."""
    locks = {url: Lock() for url in [item.url for item in maps] + [item.url for item in watches]}
    threads = [
        Thread(target=_deliver, args=(aws.clients.sqs, item, locks[item.url], stop), name=item.queue) for item in maps
    ]
    threads += [Thread(target=_watch, args=(item, locks[item.url], stop), name=f"watch {item.url}") for item in watches]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _deliver(sqs: "SQSClient", item: Map, busy: Lock, stop: Flag) -> None:
    function = Function(_host(item.url), item.url, timeout=item.timeout)
    while not stop.is_set():
        try:
            source = EventSource(sqs, sqs.get_queue_url(QueueName=item.queue)["QueueUrl"], function)
        except (BotoCoreError, ClientError, InvalidSettings) as error:
            _log.warning("no mapping yet", extra={"queue": item.queue, "reason": str(error)})
            stop.wait(2)
        else:
            _log.info("mapping is on", extra={"queue": item.queue, "function": item.url})
            source.run(stop, busy)


def _watch(item: Watch, busy: Lock, stop: Flag) -> None:
    function = Function(_host(item.url), item.url, timeout=item.timeout)
    while not stop.wait(item.every.total_seconds()):
        if not busy.acquire(timeout=_BUSY_SECONDS):
            continue  # at work: it would find the lease held
        try:
            outcome = function.invoke({"watch": "overdue"})
        finally:
            busy.release()
        if isinstance(outcome, Answered):
            _log.info("watched", extra={"function": function.name, "answer": outcome.text})
        else:
            _log.warning("watch failed", extra={"function": function.name, "detail": str(outcome)})


def _host(url: str) -> str:
    """The function's name is its container's."""
    return url.partition("://")[2].partition(":")[0]
