"""The `alchemiser` command as a user runs it, in a folder of its own: in this process, or in one of its own.

In this process it costs no start of Python; what a start can break has tests that ask for one.
"""

import io
import logging
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import chdir, contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

from alchemiser_cli import console
from alchemiser_cli.main import main
from alchemiser_common import masking

COMMAND = [sys.executable, "-c", "from alchemiser_cli.main import main; main()"]
_KEPT = ("PATH", "HOME", "LANG", "TMPDIR")
_WIDTH = 160


@dataclass(frozen=True)
class Result:
    code: int
    out: str
    err: str


def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """Nothing of the tester's own settings or keys."""
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    return {**kept, "COLUMNS": str(_WIDTH), "NO_COLOR": "1", **(extra or {})}


def alchemiser(folder: Path, *arguments: str, extra: Mapping[str, str] | None = None) -> Result:
    """What the command prints and how it ends."""
    out, err = io.StringIO(), io.StringIO()
    with _as_in_a_process(environment(extra)), chdir(folder), redirect_stdout(out), redirect_stderr(err):
        try:
            main(arguments)
            code = 0
        except SystemExit as end:
            code = int(end.code or 0)
        except Exception as error:  # noqa: BLE001  (a process ends with a traceback, whatever it is)
            sys.excepthook(type(error), error, error.__traceback__)
            code = 1
    return Result(code, out.getvalue(), err.getvalue())


def alchemiser_process(folder: Path, *arguments: str, extra: Mapping[str, str] | None = None) -> Result:
    """The same in a process of its own."""
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


@contextmanager
def _as_in_a_process(variables: Mapping[str, str]) -> Iterator[None]:
    """The environment, and what the command changes of its process: all as before at the end."""
    environ, hook, root = dict(os.environ), sys.excepthook, logging.getLogger()
    answers, sys.stdin = sys.stdin, io.StringIO()  # nobody answers
    handlers, level, secrets = root.handlers[:], root.level, masking._known[:]
    os.environ.clear()
    os.environ.update(variables)
    for shown in (console.out, console.err):
        shown.width = _WIDTH
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(environ)
        masking._known[:] = secrets
        sys.excepthook = hook
        sys.stdin = answers
        for handler in set(root.handlers) - set(handlers):
            handler.close()
        root.handlers[:] = handlers
        root.setLevel(level)
