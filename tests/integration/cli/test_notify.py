"""A message after each run: through real channels, once, and without ever changing how the run ended."""

import json
import socket
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from support.command import Result, alchemiser

SECRET = "hush-hush-hush-hush"
ONE = {"ALCHEMISER_STRATEGIES__ALLOCATIONS": '{"tecl": 1.0}'}


@dataclass
class Mailbox:
    """A mail server's."""

    mails: list[str] = field(default_factory=list)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        content = envelope.content
        self.mails.append(content if isinstance(content, str) else (content or b"").decode())
        return "250 taken"


@dataclass
class Receiver:
    """A server that is posted to, and called by the heartbeat."""

    address: str
    posted: list[dict[str, str]] = field(default_factory=list)
    beats: int = 0
    answers: int = 200


@pytest.fixture
def mail() -> Iterator[tuple[Mailbox, str]]:
    mailbox = Mailbox()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    controller = Controller(mailbox, hostname="127.0.0.1", port=port)
    controller.start()
    try:
        yield mailbox, f"mailto://127.0.0.1:{port}/?from=line@example.org&to=ann@example.org"
    finally:
        controller.stop()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            found.posted.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self._answer()

        def do_GET(self) -> None:
            found.beats += 1
            self._answer()

        def _answer(self) -> None:
            self.send_response(found.answers)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    found = Receiver(f"127.0.0.1:{server.server_address[1]}")
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield found
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def run(folder: Path, *arguments: str, urls: str, heartbeat: str = "") -> Result:
    return alchemiser(folder, *arguments, extra=ONE | {"APPRISE_URLS": urls, "HEARTBEAT_URL": heartbeat})


def test_each_channel_is_told_of_a_run_once(tmp_path: Path, mail: tuple[Mailbox, str], receiver: Receiver) -> None:
    mailbox, address = mail
    log = tmp_path / "told.txt"
    urls = f"{address} json://{receiver.address}/{SECRET} file://{log}"
    for _ in range(2):
        ran = run(tmp_path, "run", "--json", urls=urls, heartbeat=f"http://{receiver.address}/beat")
        assert ran.code == 0, ran.err
    told = json.loads(ran.out)
    shown = json.loads(alchemiser(tmp_path, "show", "--json", extra=ONE).out)
    equity = float(shown["report"]["account_after"]["equity"])
    (posted,) = receiver.posted
    title = f"demo (simulated): completed, {equity - 100_000:+,.2f} USD"
    assert posted["title"].startswith(title)
    assert posted["type"] == "info"
    for words in (
        f"modular run {told['run_id'][:8]} of 2020-02-03 14:45 UTC: completed",
        f"equity: {equity:,.2f} USD",
        *(f"{leg['side']} {leg['filled']}" for leg in shown["report"]["legs"]),
        f"more: alchemiser show {told['run_id'][:8]}",
    ):
        assert words in posted["message"]
    assert log.read_text() == f"{posted['title']}\n{posted['message']}\n\n"
    assert log.stat().st_mode & 0o077 == 0
    (letter,) = mailbox.mails
    assert "ann@example.org" in letter
    assert receiver.beats == 1


def test_a_failing_channel_is_told_of_through_the_others_and_changes_nothing(
    tmp_path: Path, receiver: Receiver
) -> None:
    dead = f"json://127.0.0.1:9/{SECRET}"
    receiver_url = f"json://{receiver.address}/"
    ran = run(tmp_path, "run", "--json", urls=f"{dead} {receiver_url} nonsense")
    assert ran.code == 0, ran.err
    assert json.loads(ran.out)["status"] == "completed"
    run_told, failure = receiver.posted
    assert "completed" in run_told["title"]
    assert failure["title"] == "a channel does not take messages"
    assert failure["message"].splitlines() == [
        "channel 1 (json) did not take the message",
        "channel 3 (no URL) has a URL that is none of apprise's",
    ]
    assert "channel 1 (json) did not take the message" in ran.err
    logs = "".join(file.read_text() for file in tmp_path.rglob("*.log"))
    assert SECRET not in ran.out + ran.err + failure["message"] + logs


def test_a_run_that_was_stopped_is_told_as_a_failure_with_what_needs_a_hand(tmp_path: Path, receiver: Receiver) -> None:
    url = f"json://{receiver.address}/"
    first = run(tmp_path, "run", urls="")
    assert first.code == 0, first.err
    run(tmp_path, "halt", "--reason", "odd prices", "--who", "ann", urls="")
    receiver.answers = 500
    ran = run(tmp_path, "run", "--next", "--json", urls=url, heartbeat=f"http://{receiver.address}/beat")
    assert json.loads(ran.out)["status"] == "halted"
    (posted,) = receiver.posted
    assert (posted["type"], "halted" in posted["title"]) == ("failure", True)
    assert "needs a hand: trading is halted since " in posted["message"]
    assert "nothing was traded" in posted["message"]
    assert "channel 1 (json) did not take the message" in ran.err
    assert "the heartbeat was not taken: it was answered 500" in ran.err


def test_the_channels_are_tried_by_a_command(tmp_path: Path, receiver: Receiver) -> None:
    url = f"json://{receiver.address}/{SECRET}"
    well = run(tmp_path, "notify", "test", urls=url, heartbeat=f"http://{receiver.address}/beat")
    assert (well.code, receiver.beats) == (0, 1), well.err
    assert "1 of 1 channels took the message: 1 (json)" in well.out
    receiver.answers = 404
    ill = run(tmp_path, "notify", "test", "--json", urls=url)
    assert (ill.code, json.loads(ill.out)["failed"]) == (1, ["channel 1 (json) did not take the message"])
    none = run(tmp_path, "notify", "test", urls="")
    assert (none.code, "put APPRISE_URLS" in none.err) == (2, True)
    assert SECRET not in well.out + well.err + ill.out + ill.err
