"""An HTTP proxy that does to chosen requests what networks and AWS do: throttle, fail, lose the answer, stall."""

import http.client
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from enum import StrEnum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

_OWN_HEADERS = {"connection", "content-length", "transfer-encoding", "server", "date"}


class Strike(StrEnum):
    PASS = "pass"
    THROTTLE = "throttle"
    """Answered as AWS throttles; nothing happens."""
    UNAVAILABLE = "unavailable"
    """503 with an HTML body; nothing happens."""
    LOST_REQUEST = "lost-request"
    """The connection breaks before AWS sees the request."""
    LOST_ANSWER = "lost-answer"
    """AWS does what was asked, and the connection breaks before it says so."""
    STALL = "stall"
    """AWS does what was asked, and answers after the client's patience."""


@dataclass
class FaultProxy:
    """Strikes the coming requests in the order of `plan`, then lets them pass; `seen` counts what came."""

    upstream: str
    plan: list[Strike] = field(default_factory=list)
    answers: list[tuple[int, bytes]] = field(default_factory=list)
    """Answers of AWS to give instead of asking it, before the plan is looked at."""
    stall_seconds: float = 0.6
    seen: int = 0
    bodies: list[bytes] = field(default_factory=list)
    """What was asked, in order."""
    asked: list[str] = field(default_factory=list)
    """Which operation each request since the last `strike` was, as far as its head says it."""
    url: str = ""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def strike(self, *strikes: Strike) -> None:
        with self._lock:
            self.plan[:] = strikes
            self.seen = 0
            self.asked.clear()

    def answer(self, status: int, code: str, **more: object) -> None:
        """The next answer is this error of AWS's JSON protocol."""
        body = {"__type": code, "message": f"{code} for a test"} | more
        self.answers.append((status, json.dumps(body).encode()))

    def next(self) -> tuple[tuple[int, bytes] | None, Strike]:
        """What the coming request gets: a prepared answer, or a strike."""
        with self._lock:
            self.seen += 1
            if self.answers:
                return self.answers.pop(0), Strike.PASS
            return None, self.plan.pop(0) if self.plan else Strike.PASS


def _action(body: bytes) -> str:
    """The operation of AWS's query protocol."""
    return next((part[7:].decode() for part in body.split(b"&") if part.startswith(b"Action=")), "")


class _Server(ThreadingHTTPServer):
    def __init__(self, proxy: FaultProxy) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.proxy = proxy
        proxy.url = f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"  # S3's client asks before it sends a body

    def handle_any(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        proxy = self.server.proxy
        proxy.bodies.append(body)
        proxy.asked.append(f"{self.command} {self.headers.get('X-Amz-Target', self.path)} {_action(body)}".strip())
        prepared, strike = proxy.next()
        if prepared is not None:
            self._reply(*prepared)
            return
        match strike:
            case Strike.PASS:
                self._reply(*self._ask(body))
            case Strike.THROTTLE:
                self._reply(400, json.dumps({"__type": "ThrottlingException", "message": "slow down"}).encode())
            case Strike.UNAVAILABLE:
                self._reply(503, b"<html>Service Unavailable</html>")
            case Strike.LOST_REQUEST:
                self.close_connection = True
            case Strike.LOST_ANSWER:
                self._ask(body)
                self.close_connection = True
            case Strike.STALL:
                answer = self._ask(body)
                time.sleep(proxy.stall_seconds)
                self._reply(*answer)

    do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = handle_any  # noqa: N815

    def _ask(self, body: bytes) -> tuple[int, bytes, dict[str, str]]:
        connection = http.client.HTTPConnection(urlsplit(self.server.proxy.upstream).netloc, timeout=60)
        connection.request(self.command, self.path, body, dict(self.headers))
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        kept = {name: value for name, value in answer.getheaders() if name.lower() not in _OWN_HEADERS}
        return answer.status, content, kept

    def _reply(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        with suppress(BrokenPipeError, ConnectionResetError):  # the client gave up
            self.send_response(status)
            for name, value in (headers or {}).items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


@contextmanager
def fault_proxy(upstream: str) -> Iterator[FaultProxy]:
    """The proxy, up while inside."""
    proxy = FaultProxy(upstream)
    server = _Server(proxy)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield proxy
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
