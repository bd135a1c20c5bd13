"""What a bug in a command prints."""

import os
import re
import subprocess
import sys
from pathlib import Path

BUG = """
from alchemiser_cli.commands import demo
from alchemiser_cli.main import main
from alchemiser_common.masking import mask_from_now_on

def broken() -> None:
    raise RuntimeError("sent hush-hush-hush to nowhere")

mask_from_now_on("hush-hush-hush")
for command in demo.app.registered_commands:
    command.callback = broken
    command.name = "demo"
main(["demo"])
"""


def test_a_bug_is_one_line_and_its_traceback_is_kept_without_a_secret_that_was_loaded(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", BUG],
        env={**os.environ, "TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("error: RuntimeError: sent …masked… to nowhere: this is a fault of alchemiser's own")
    assert "hush" not in done.stderr
    assert "Traceback" not in done.stderr
    kept = tmp_path / re.findall(r"alchemiser-\w+\.txt", done.stderr)[0]
    assert "Traceback" in kept.read_text("utf-8")
    assert "hush" not in kept.read_text("utf-8")
    assert kept.stat().st_mode & 0o077 == 0
