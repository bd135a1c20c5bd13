"""What the strategy Lambda does in a new process: decode a snapshot message, evaluate, encode the decision.

python -m benchmarks.lambda_path MESSAGE.json
"""

import sys
from pathlib import Path

from alchemiser_common.messages.snapshot import MarketSnapshot
from alchemiser_common.messages.wire import decode, encode
from alchemiser_common.settings import StrategySettings
from alchemiser_strategy.registry import build_portfolio


def main(message: Path) -> str:
    """The decision as queue text."""
    snapshot = decode(message.read_bytes(), MarketSnapshot)
    return encode(build_portfolio(StrategySettings().allocations).evaluate(snapshot))


if __name__ == "__main__":
    sys.stdout.write(main(Path(sys.argv[1])))
