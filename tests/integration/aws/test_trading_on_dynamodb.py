"""Trading with its state in DynamoDB: a run trades each leg once, whichever answers are lost on the way."""

from pathlib import Path

from support.aws import Aws
from support.dynamodb_sweep import sweep
from support.fault_proxy import Strike


def test_lost_answers_at_some_of_the_requests_change_nothing(aws: Aws, tmp_path: Path) -> None:
    """Every request is struck in `make prove`."""
    with sweep(aws, tmp_path) as struck:
        requests = struck.run(None, Strike.PASS)
        for at in range(2, requests, requests // 6):
            struck.run(at, Strike.LOST_ANSWER)
