"""`alchemiser dashboard` as a process: what it prints, that it serves, and how it ends."""

import signal
import subprocess
from pathlib import Path

from support.command import COMMAND, environment
from support.dashboards import entered


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
        assert b"nothing was ever run" in entered(process)()
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=30)
    finally:
        process.kill()
    assert process.returncode == 130, said
    assert "Traceback" not in said
    assert list(tmp_path.iterdir()) == []
