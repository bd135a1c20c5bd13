"""How a single Lambda usually starts: every library at the top of the module, and a client made there too."""

import boto3
import numpy  # noqa: ICN001, F401
import pandas  # noqa: ICN001, F401
import pydantic  # noqa: F401
from alpaca.data.historical import StockHistoricalDataClient  # noqa: F401
from alpaca.trading.client import TradingClient  # noqa: F401

_queue = boto3.client("sqs", region_name="us-east-1")


def handler(_event: object, _context: object) -> dict[str, str]:
    """Say that it is there."""
    return {"service": "naive"}
