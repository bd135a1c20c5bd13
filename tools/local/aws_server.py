"""moto as a local AWS: serves one request at a time, until it is killed.

moto checks a condition and writes without a lock; what AWS does in one step, it does only while nobody else asks.
`POST /clock` with a number moves the clock of its queues forward by that many seconds.
"""

import logging
import sys
import time
from collections.abc import Callable, Iterable

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from moto.sqs import models as sqs
from werkzeug.serving import make_server

type Environ = dict[str, object]
type Start = Callable[[str, list[tuple[str, str]]], object]


class MovableClock:
    """moto's own clock, moved forward, in the place where its queues look."""

    def __init__(self) -> None:
        self._ahead = 0.0
        # moto's queue module has imported the two functions by name; that is where it looks them up.
        vars(sqs).update(unix_time=self.seconds, unix_time_millis=lambda: self.seconds() * 1000)

    def seconds(self) -> float:
        """The queues' time, as seconds since 1970."""
        return time.time() + self._ahead

    def advance(self, seconds: float) -> None:
        """Move it forward."""
        self._ahead += seconds


def serve_aws(host: str = "127.0.0.1", port: int = 0) -> None:
    """Print the address and serve. Port 0: any free one."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    clock = MovableClock()
    moto = DomainDispatcherApplication(create_backend_app)

    def application(environ: Environ, start: Start) -> Iterable[bytes]:
        if environ["PATH_INFO"] == "/clock":
            clock.advance(float(environ["wsgi.input"].read(int(str(environ["CONTENT_LENGTH"])))))  # type: ignore[attr-defined]
            start("204 No Content", [])
            return []
        answer: Iterable[bytes] = moto(environ, start)
        return answer

    server = make_server(host, port, application, threaded=False, request_handler=MotoRequestHandler)
    sys.stdout.write(f"http://{host}:{server.server_port}\n")
    sys.stdout.flush()
    server.serve_forever()


if __name__ == "__main__":
    serve_aws()
