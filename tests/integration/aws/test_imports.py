"""What a function imports before its first event. Counts are stable where times are not; `make bench` has the times."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from support.command import environment
from support.functions import cold_process

NOBODY = {
    *("boto3", "s3transfer", "sqlite3", "typer", "rich", "httpx"),
    *("alchemiser_cli", "alchemiser_simulator"),
}
WITH_ALPACA = NOBODY | {"exchange_calendars", "pyarrow.parquet"}
BUDGETS = {
    "data": (1180, WITH_ALPACA | {"alchemiser_strategy", "alchemiser_trading", "alchemiser_monolith"}),
    "strategy": (
        640,
        NOBODY | {"pandas", "alpaca", "requests", "websockets", "alchemiser_data", "alchemiser_trading"},
    ),
    "trading": (1220, WITH_ALPACA | {"alchemiser_strategy", "alchemiser_data", "alchemiser_monolith"}),
    "monolith": (1300, WITH_ALPACA),
}
"""For each function: modules at most, and modules that must not be among them."""


@pytest.mark.parametrize("service", BUDGETS)
def test_a_function_imports_what_it_needs_and_little_more(service: str, tmp_path: Path) -> None:
    most, forbidden = BUDGETS[service]
    said = cold_process(service, "import json, sys; print(json.dumps(sorted(sys.modules)))", {}, tmp_path)
    assert said.returncode == 0, said.stderr
    modules = json.loads(said.stdout)
    assert forbidden.intersection(modules) == set(), "the start path has grown heavier; import it where it is used"
    assert len(modules) <= most, f"{len(modules)} modules; raise the budget only for what every start needs"


def test_a_command_on_the_embedded_backend_meets_neither_aws_nor_alpaca(tmp_path: Path) -> None:
    code = """
import sys
from alchemiser_cli.main import main
try:
    main(["runs"])
finally:
    print(*sys.modules)
"""
    command = [sys.executable, "-c", code]
    done = subprocess.run(
        command, cwd=tmp_path, env=environment(), capture_output=True, text=True, timeout=60, check=False
    )
    modules = set(done.stdout.split())
    assert modules.intersection({"botocore", "pandas", "alpaca"}) == set()
    assert "alchemiser_common.embedded.adapters" in modules
