"""Some of the sessions that ``make prove`` trades by the thousand: profit to the cent."""

from pathlib import Path

from support.traded_sessions import check_performance, check_symbols, traded_sessions


def test_profit_is_to_the_cent_what_the_account_shows(tmp_path: Path) -> None:
    with traded_sessions(11, 12, tmp_path) as (rig, reports, told):
        for report in reports:
            assert report.account_after is not None, report.reason
            check_performance(rig, told)
        check_symbols(rig, told)
    assert any(told.transferred)
