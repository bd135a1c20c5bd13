"""What a bug in a command prints."""

import subprocess
import sys

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


def test_the_traceback_of_a_bug_shows_no_secret_that_was_loaded() -> None:
    done = subprocess.run([sys.executable, "-c", BUG], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert "RuntimeError: sent …masked… to nowhere" in done.stderr
    assert "hush" not in done.stderr
