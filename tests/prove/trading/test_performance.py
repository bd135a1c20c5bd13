"""What the records say was earned, over thousands of simulated sessions: to the cent what the exchange's account shows.

PROVE_YEARS says how many histories of SESSIONS sessions are traded; by itself
``pytest -q -s --timeout 7200 tests/prove/trading/test_performance.py``.
"""

import os
from collections.abc import Callable
from pathlib import Path

from alchemiser_simulator.market.changes import MadeSplit
from support.traded_sessions import Told, check_performance, check_symbols, traded_sessions

YEARS = int(os.environ.get("PROVE_YEARS", "8"))
SESSIONS = 250


def test_profit_is_to_the_cent_what_the_account_shows(
    tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    all_told: list[Told] = []
    for seed in range(YEARS):
        folder = tmp_path / str(seed)
        folder.mkdir()
        with traded_sessions(seed, SESSIONS, folder) as (rig, reports, told):
            for number, report in enumerate(reports, 1):
                assert report.account_after is not None, report.reason
                if number % 10 == 0:
                    check_performance(rig, told)
            check_symbols(rig, told)
        all_told.append(told)
    sums = {
        "sessions": sum(told.sessions for told in all_told),
        "transfers": sum(amount != 0 for told in all_told for amount in told.transferred),
        "partial": sum(told.partial for told in all_told),
        "splits": sum(isinstance(change, MadeSplit) for told in all_told for change in told.changes),
        "dividends": sum(not isinstance(change, MadeSplit) for told in all_told for change in told.changes),
    }
    record_property("profit to the cent", str(sums))
    assert YEARS < 2 or min(sums.values()) > 0, "something never happened"
