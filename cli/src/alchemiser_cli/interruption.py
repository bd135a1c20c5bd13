"""Ctrl-C where there is nothing to clean up: one line and the exit code, at once, without a traceback.

While modules are imported an exception out of nowhere would pass through the import machinery and other people's code,
which may swallow it, wrap it, or print it. So none is raised there.
"""

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

INTERRUPTED = "interrupted; nothing is half-written, run the same command to go on"
CODE = 130


@contextmanager
def told_at_once() -> Iterator[None]:
    """While inside, Ctrl-C ends the process. Does nothing where signals are not this thread's to handle."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, _end)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _end(_number: int, _frame: FrameType | None) -> None:
    os.write(sys.__stderr__.fileno() if sys.__stderr__ is not None else 2, f"error: {INTERRUPTED}\n".encode())
    os._exit(CODE)
