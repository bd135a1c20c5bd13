"""JSON log lines that all carry the run they belong to."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import TextIO

from aws_lambda_powertools.logging.formatter import LambdaPowertoolsFormatter

from alchemiser_common.ids import RunRef
from alchemiser_common.masking import masked
from alchemiser_common.private_files import make_private_file, make_private_folder

_NOISY = ("urllib3", "botocore", "asyncio", "uvicorn")


_RUN: ContextVar[RunRef | None] = ContextVar("alchemiser_run", default=None)
_DRY: ContextVar[bool] = ContextVar("alchemiser_dry_walk", default=False)


class _Masking(LambdaPowertoolsFormatter):
    """JSON lines in which no loaded secret is readable, whoever put it there."""

    def format(self, record: logging.LogRecord) -> str:
        return masked(super().format(record))


@contextmanager
def run_scope(run: RunRef) -> Iterator[None]:
    """Every line logged inside carries the run, whoever logs it and whichever handler writes it."""
    token = _RUN.set(run)
    try:
        yield
    finally:
        _RUN.reset(token)


@contextmanager
def dry_scope() -> Iterator[None]:
    """Every line logged inside says `dry_walk`: the order machine's lines are of orders that nobody sent."""
    token = _DRY.set(True)
    try:
        yield
    finally:
        _DRY.reset(token)


def log_to(target: Path | TextIO, *, service: str, level: int = logging.INFO) -> logging.Handler:
    """Send this process's log as JSON lines to a file or stream; returns the handler, for `stop_logging`.

    It is one handler on the root logger: lines of libraries carry the run id too.
    """
    handler: logging.Handler
    if isinstance(target, Path):
        make_private_folder(target.parent)
        make_private_file(target)
        handler = logging.FileHandler(target, encoding="utf-8")
    else:
        handler = logging.StreamHandler(target)
    handler.setFormatter(_Masking(utc=True, service=service))
    handler.addFilter(_stamp)
    root = logging.getLogger()
    root.addHandler(handler)
    root.setLevel(level)
    for name in _NOISY:
        logging.getLogger(name).setLevel(logging.WARNING)
    return handler


def stop_logging(handler: logging.Handler) -> None:
    """Take a handler away and close it."""
    logging.getLogger().removeHandler(handler)
    handler.close()


def _stamp(record: logging.LogRecord) -> bool:
    run = _RUN.get()
    if run is not None:
        record.run_id, record.cycle_id, record.pipeline = str(run.run_id), run.cycle_id, run.pipeline.value
    if _DRY.get():
        record.dry_walk = True
    return True
