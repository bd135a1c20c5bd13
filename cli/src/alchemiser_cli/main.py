"""The `alchemiser` command's entry. Imports nothing heavy: from its first line on, Ctrl-C ends it with one line."""

import os
import sys
from collections.abc import Sequence

from alchemiser_cli.interruption import told_at_once


def main(arguments: Sequence[str] | None = None) -> None:
    """Entry point. Only the sub-command that is asked for is imported."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    # Read by numpy and Arrow when they are imported: nothing here multiplies matrices, and files are read once.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")
    with told_at_once():
        from alchemiser_cli.application import run_command
    run_command(given)
