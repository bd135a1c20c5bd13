"""The dashboard on a real port of loopback, and requests to it as bytes would make them."""

import http.client
import re
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Thread
from urllib.request import Request, urlopen

from alchemiser_cli.dashboard.application import application
from alchemiser_cli.dashboard.security import Access
from alchemiser_cli.dashboard.server import listen, server_of
from alchemiser_cli.dashboard.source import Source
from alchemiser_cli.dashboard.switches import Switch, Switches


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    text: str


@dataclass(frozen=True)
class Dashboard:
    access: Access

    @property
    def base(self) -> str:
        return f"http://{self.access.hosts[0]}"

    def get(self, path: str, **headers: str) -> Answer:
        """As a browser that has the cookie; a header that is given replaces its own, an empty one is left out."""
        return self.ask("GET", path, headers=headers)

    def ask(
        self, method: str, path: str, *, body: str | None = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        usual = {"host": self.access.hosts[0], "cookie": f"{self.access.cookie}={self.access.token}"}
        sent = {name: value for name, value in {**usual, **(headers or {})}.items() if value}
        connection = http.client.HTTPConnection("127.0.0.1", self.access.port, timeout=30)
        try:
            connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
            for name, value in sent.items():
                connection.putheader(name, value)
            if body is not None:
                connection.putheader("content-length", str(len(body.encode())))
            connection.endheaders(None if body is None else body.encode())
            answer = connection.getresponse()
            told = {name.lower(): value for name, value in answer.getheaders()}
            return Answer(answer.status, told, answer.read().decode())
        finally:
            connection.close()


@contextmanager
def dashboard(source: Source, switch: Switch | None = None) -> Iterator[Dashboard]:
    """Served until the block ends; with `switch`, changes can be asked for."""
    listener = listen(0)
    access = Access(listener.getsockname()[1], "a-token-that-only-the-address-has")
    server = server_of(application(source, access, None if switch is None else Switches(switch, access, "tester")))
    thread = Thread(target=server.run, args=([listener],))
    thread.start()
    try:
        yield Dashboard(access)
    finally:
        server.should_exit = True
        thread.join()
        listener.close()


def entered(process: subprocess.Popen[str]) -> Callable[[], bytes]:
    """Opens the address that a command has printed first, as a browser does; gives the first page, each time anew."""
    assert process.stdout is not None
    found = re.fullmatch(r"Dashboard: (http://127\.0\.0\.1:\d+/)\?token=([\w-]{43})\n", process.stdout.readline())
    assert found is not None
    with urlopen(f"{found[1]}?token={found[2]}") as answer:
        cookie = answer.headers["set-cookie"].partition(";")[0]

    def page() -> bytes:
        with urlopen(Request(found[1], headers={"cookie": cookie})) as answer:
            whole: bytes = answer.read()
            return whole

    return page
