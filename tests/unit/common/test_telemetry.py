"""Every log line of a run carries the run, whoever wrote it."""

import io
import json
import logging
import threading
from datetime import UTC, datetime

from alchemiser_common.ids import Pipeline, RunRef
from alchemiser_common.telemetry import log_to, run_scope, stop_logging

RUN = RunRef.of("demo", datetime(2026, 1, 5, 14, 45, tzinfo=UTC), Pipeline.MODULAR)


def test_lines_of_ours_and_of_libraries_carry_the_run_inside_its_scope_only() -> None:
    stream = io.StringIO()
    handler = log_to(stream, service="test")
    try:
        logging.getLogger("alchemiser_data").info("before")
        with run_scope(RUN):
            logging.getLogger("alchemiser_data").info("inside", extra={"symbols": 3})
            logging.getLogger("some.library").warning("inside, from a library")
            other = threading.Thread(target=lambda: logging.getLogger("elsewhere").info("another thread"))
            other.start()
            other.join()
        logging.getLogger("alchemiser_data").info("after")
    finally:
        stop_logging(handler)
    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert [line.get("run_id") for line in lines] == [None, str(RUN.run_id), str(RUN.run_id), None, None]
    assert lines[1]["symbols"] == 3
    assert lines[1]["cycle_id"] == RUN.cycle_id
    assert lines[1]["pipeline"] == "modular"
    assert lines[1]["service"] == "test"
