"""The `alchemiser` command as a user runs it: a process of its own in a folder of its own."""

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

COMMAND = [sys.executable, "-c", "from alchemiser_cli.main import main; main()"]
_KEPT = ("PATH", "HOME", "LANG", "TMPDIR")


@dataclass(frozen=True)
class Result:
    code: int
    out: str
    err: str


def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """Nothing of the tester's own settings or keys."""
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    return {**kept, "COLUMNS": "160", "NO_COLOR": "1", **(extra or {})}


def alchemiser(folder: Path, *arguments: str, extra: Mapping[str, str] | None = None) -> Result:
    done = subprocess.run(
        [*COMMAND, *arguments],
        cwd=folder,
        env=environment(extra),
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    return Result(done.returncode, done.stdout, done.stderr)
