"""A function's container as seen from outside: an HTTP server that answers as the emulator does, by a script."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

from local.functions import INVOCATIONS

type Reply = tuple[int, str] | None
"""Status and body; None: the connection breaks in the middle."""
type Behaviour = Callable[[dict[str, object]], Reply]

OK = (200, "null")
RAISED = (200, json.dumps({"errorMessage": "bad", "errorType": "ValueError", "stackTrace": []}))
EXITED = (502, json.dumps({"errorType": "Runtime.ExitError", "errorMessage": "Runtime exited with error"}))
OVERRUN = (200, "Task timed out after 3.00 seconds")


@dataclass
class FakeFunction:
    """Where it answers and what it was handed."""

    url: str
    behave: Behaviour
    events: list[dict[str, object]] = field(default_factory=list)

    @property
    def bodies(self) -> list[str]:
        return [body_of(event) for event in self.events]


def record_of(event: dict[str, object]) -> dict[str, Any]:
    """The one message of an SQS event."""
    records = event["Records"]
    assert isinstance(records, list)
    assert len(records) == 1, "batch size is 1"
    return dict(records[0])


def body_of(event: dict[str, object]) -> str:
    """What was sent."""
    return str(record_of(event)["body"])


def failing(event: dict[str, object]) -> Reply:
    """The function says that it did not handle the message."""
    return 200, json.dumps({"batchItemFailures": [{"itemIdentifier": record_of(event)["messageId"]}]})


def slow(seconds: float, reply: Reply = OK) -> Behaviour:
    def behave(event: dict[str, object]) -> Reply:
        time.sleep(seconds)
        return reply

    return behave


@contextmanager
def fake_function(behave: Behaviour) -> Iterator[FakeFunction]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            assert self.path == INVOCATIONS
            event = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            fake.events.append(event)
            reply = fake.behave(event)
            if reply is None:
                self.connection.close()
                return
            status, text = reply
            self.send_response(status)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  (the base class's name)
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    fake = FakeFunction(f"http://127.0.0.1:{server.server_port}", behave)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield fake
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
