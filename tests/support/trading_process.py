"""A trading process of its own: ``python -m support.trading_process URL FOLDER WORKER``, to be killed by a test.

Delivers the switch of `trading_runs` once, on the exchange at URL and the state in FOLDER; prints the report's status.
"""

import random
import sys
from pathlib import Path

from pydantic import SecretStr

from alchemiser_common.alpaca.broker import AlpacaBroker
from alchemiser_common.embedded.directory_archive import DirectoryArchive
from alchemiser_common.embedded.sqlite_state import SqliteStateStore
from alchemiser_common.errors import TransientError
from alchemiser_common.ports.secrets import BrokerCredentials
from alchemiser_simulator import SimulatorControl
from support.trading_rig import QUARTER_HOUR, ExchangeClock, Rig, rig_settings
from support.trading_runs import SWITCH

STILL_RUNNING = 75
"""Exit code of a delivery that must be repeated."""


def main(url: str, folder: Path, worker: str) -> int:
    with SimulatorControl(url) as control:
        clock = ExchangeClock(control, control.clock().now)
        credentials = BrokerCredentials(key_id=SecretStr("PKTEST"), secret_key=SecretStr("test"))
        broker = AlpacaBroker(credentials, clock, random.Random(7), paper=True, trading_url=url, data_url=url)
        state = SqliteStateStore(folder / "state.sqlite")
        rig = Rig(control, clock, broker, state, DirectoryArchive(folder / "archive"), rig_settings())
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        try:
            report = rig.service(worker=worker).execute(rig.decision(SWITCH), time_left=lambda: QUARTER_HOUR)
        except TransientError as error:
            sys.stdout.write(f"{type(error).__name__}: {error}\n")
            return STILL_RUNNING
        sys.stdout.write(f"{report.status.value}\n")
        return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1], Path(sys.argv[2]), sys.argv[3]))
