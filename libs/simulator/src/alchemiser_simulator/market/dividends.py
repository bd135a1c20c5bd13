"""The cash dividends that a price file knows without saying so: what its adjusted closes leave out of its closes.

In: a history. Out: the same prices with the dividends as corporate actions. Must never change a price.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import numpy as np

from alchemiser_simulator.market.actions import CashDividend
from alchemiser_simulator.market.derive import previous_present
from alchemiser_simulator.market.history import Distribution, PriceHistory

_PLACES = Decimal("0.0001")
_LEAST = 2e-5  # of the price: below it the adjusted close's own rounding looks like a dividend


# With t the ratio close / adjusted close in shares of the last day, a dividend d before day n shows as
#
#     t(n-1) / t(n) = c / (c - d)        c the close of the day before
#
# since whoever adjusts for it multiplies what lies before by (c - d) / c. So 1 - t(n) / t(n-1) = d / c.
def with_dividends(history: PriceHistory) -> PriceHistory:
    """The history with its implied dividends, to the hundredth of a cent, on days without a split or another action;
    as it is without adjusted closes.
    """
    if history.adjusted_close is None:
        return history
    taken = {(one.symbol, one.day) for one in (*history.actions, *history.splits)}
    found: list[tuple[CashDividend, Distribution]] = []
    for symbol, column in history.positions.items():
        closes = history.close[:, column] / history.split_factors(symbol, history.dates[-1])
        ratios = closes / history.adjusted_close[:, column]
        shares = 1 - ratios / previous_present(ratios)
        for row in np.flatnonzero(shares > _LEAST):
            day = history.dates[row]
            if (symbol, day) in taken:
                continue
            before = float(previous_present(history.close[:, column])[row])
            rate = Decimal(str(before * float(shares[row]))).quantize(_PLACES)
            if rate > 0:
                action = CashDividend(symbol=symbol, day=day, rate=rate)
                found.append((action, Distribution(symbol, day, rate, float(1 - shares[row]))))
    return replace(
        history,
        actions=(*history.actions, *(action for action, _ in found)),
        distributions=(*history.distributions, *(paid for _, paid in found)),
        _columns={},
    )
