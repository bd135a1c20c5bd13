"""The smaller files of the portfolio of real shape, over the days on which a symbol of theirs is delisted.

The whole of it, over a year, is `tests/prove/portfolio`.
"""

from bisect import bisect_left
from collections.abc import Iterator
from pathlib import Path

import pytest

from alchemiser_cli.price_file import PriceFile
from alchemiser_cli.research import Share
from alchemiser_strategy.parsers import parse_symphony
from alchemiser_strategy.strategy import TreeStrategy
from benchmarks import market, portfolio
from support.portfolio_line import Stock, open_line
from support.portfolio_tally import Tally
from support.portfolio_ways import OtherWays

FIRST, COUNT = portfolio.DELISTED["IEI"] - 1, 3
LARGEST = 8_000


@pytest.fixture(autouse=True)
def random_walks(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The same prices on every machine."""
    monkeypatch.setattr(market, "real_file", lambda: None)
    for made in (portfolio.market_history, portfolio.price_file):
        made.cache_clear()
    yield
    for made in (portfolio.market_history, portfolio.price_file):
        made.cache_clear()


def test_what_is_young_or_gone_costs_no_session_and_three_ways_lead_to_one_decision(tmp_path: Path) -> None:
    texts = portfolio.symphonies(LARGEST)
    sessions = portfolio.span()[FIRST : FIRST + COUNT]
    dates = portfolio.market_history().dates
    shares = [Share(TreeStrategy(parse_symphony(text), name=name), 1 / len(texts)) for name, text in texts.items()]
    ways = OtherWays(shares, PriceFile(portfolio.price_file()), dates[bisect_left(dates, sessions[0]) - 1])
    tally = Tally()
    stock = Stock(texts, portfolio.market_history(), portfolio.events())
    with open_line(tmp_path, stock, sessions[0]) as line:
        for session in line.market.sessions_from(sessions[0], COUNT):
            ran = line.run(session)
            tally.add(ran)
            tally.compared(ways.compare(ran.signals, dates[bisect_left(dates, session.day) - 1]))
    assert tally.refused == []
    assert tally.differences == []
    assert tally.decisions == COUNT * len(texts)
    assert set(tally.verdicts) == {"identical"}
    assert tally.holds > COUNT, "some strategies hold"
    assert tally.for_holders == []
    assert "IEI" in tally.left_out, "the delisted candidate is named"
    assert tally.unknown == []
