"""A trading run on DynamoDB, started over once for every request it makes and every way that request can fail."""

from collections.abc import Callable
from pathlib import Path

import pytest

from support.aws import Aws
from support.dynamodb_sweep import sweep
from support.fault_proxy import Strike

type Record = Callable[[str, object], None]


@pytest.mark.parametrize("strike", [Strike.LOST_ANSWER, Strike.LOST_REQUEST, Strike.UNAVAILABLE, Strike.THROTTLE])
def test_a_run_trades_each_leg_once_whichever_request_is_struck(
    aws: Aws, tmp_path: Path, strike: Strike, record_property: Record
) -> None:
    with sweep(aws, tmp_path) as struck:
        requests = struck.run(None, Strike.PASS)
        for at in range(requests):
            try:
                struck.run(at, strike)
            except AssertionError as error:
                raise AssertionError(f"{strike.value} at request {at} of {requests}: {error}") from error
    record_property(f"DynamoDB requests struck: {strike.value}", f"{requests} of {requests}, each leg traded once")
