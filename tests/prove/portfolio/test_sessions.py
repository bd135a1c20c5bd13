"""A portfolio of real shape, traded for a year: no refusal, one decision in three ways, no order for who holds."""

import os
from bisect import bisect_left
from pathlib import Path

from alchemiser_cli.price_file import PriceFile
from alchemiser_cli.research import Share
from alchemiser_strategy.parsers import parse_symphony
from alchemiser_strategy.strategy import TreeStrategy
from benchmarks import market, portfolio
from support.portfolio_line import Stock, open_line
from support.portfolio_tally import Tally
from support.portfolio_ways import OtherWays

THOROUGH = 10
"""Every so many sessions `decide` works out for itself what was held."""
SESSIONS = int(os.environ.get("PROVE_SESSIONS", portfolio.SESSIONS))


def stock() -> Stock:
    """The committed recipe."""
    return Stock(portfolio.symphonies(), portfolio.market_history(), portfolio.events())


def test_every_session_trades_what_decide_and_the_backtest_say(tmp_path: Path, figures: dict[str, object]) -> None:
    recipe = stock()
    sessions = portfolio.span()[:SESSIONS]
    dates = portfolio.market_history().dates
    shares = [
        Share(TreeStrategy(parse_symphony(text), name=name), 1 / len(recipe.texts))
        for name, text in recipe.texts.items()
    ]
    ways = OtherWays(shares, PriceFile(portfolio.price_file()), dates[bisect_left(dates, sessions[0]) - 1])
    tally = Tally()
    with open_line(tmp_path, recipe, sessions[0]) as line:
        for number, session in enumerate(line.market.sessions_from(sessions[0], len(sessions))):
            ran = line.run(session)
            tally.add(ran)
            as_of = dates[bisect_left(dates, session.day) - 1]
            tally.compared(ways.compare(ran.signals, as_of, thorough=number % THOROUGH == 0))
    figures |= {"prices": market.source() if market.real_file() else "seeded random walks", **tally.table()}
    assert tally.refused == []
    assert tally.differences == []
    assert tally.decisions == len(sessions) * len(shares)
    assert tally.for_holders == []
    assert tally.unknown == []
    assert set(tally.verdicts) == {"identical"}
