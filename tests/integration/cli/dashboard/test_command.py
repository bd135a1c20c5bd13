"""`alchemiser dashboard` as a process: what it prints, that it serves, and how it ends."""

import re
import signal
import subprocess
from pathlib import Path
from urllib.request import Request, urlopen

from support.command import COMMAND, environment


def test_it_prints_an_address_that_opens_and_ends_with_an_interrupt(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [*COMMAND, "dashboard", "--no-open", "--port", "0"],
        cwd=tmp_path,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        found = re.fullmatch(r"Dashboard: (http://127\.0\.0\.1:\d+/)\?token=([\w-]{43})\n", process.stdout.readline())
        assert found is not None
        with urlopen(f"{found[1]}?token={found[2]}") as answer:
            cookie = answer.headers["set-cookie"].partition(";")[0]
        with urlopen(Request(found[1], headers={"cookie": cookie})) as answer:
            assert b"nothing was ever run" in answer.read()
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=30)
    finally:
        process.kill()
    assert process.returncode == 130, said
    assert "Traceback" not in said
    assert list(tmp_path.iterdir()) == []
