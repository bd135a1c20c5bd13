"""What the broker must have said when a case's plan was made, as far as plan and snapshot show it. Pure; USD."""

from collections.abc import Mapping
from decimal import Decimal

import numpy as np

from alchemiser_cli.cases.case import Case
from alchemiser_common.messages.reasons import LegReason
from alchemiser_common.messages.snapshot import MarketSnapshot
from alchemiser_common.probes import PlannedFrom
from alchemiser_common.records.plan import Plan
from alchemiser_common.records.run import LastClose

_WHOLE_SHARES = frozenset({LegReason.LESS_THAN_ONE_SHARE, LegReason.PART_OF_A_SHARE_STAYS})
_NO_PRICE = frozenset({LegReason.NO_PRICE, LegReason.PRICES_DISAGREE})


def last_closes(snapshot: MarketSnapshot | None) -> Mapping[str, Decimal]:
    """The last bar's closes, to the last digit; empty without a snapshot."""
    if snapshot is None:
        return {}
    last = zip(snapshot.bars.symbols, snapshot.bars.closes[-1].tolist(), strict=True)
    return {symbol: Decimal(repr(close)) for symbol, close in last if not np.isnan(close)}


def planned_from(case: Case, plan: Plan) -> PlannedFrom:
    """What the plan was made from. A symbol that it neither trades nor finds held has the snapshot's last close."""
    prices = {
        **last_closes(case.snapshot),
        **{position.symbol: position.price for position in plan.positions},
        **{leg.symbol: leg.price for leg in plan.legs},
    }
    none = _skipped(plan, _NO_PRICE)
    whole = {leg.symbol for leg in plan.legs if not leg.fractionable} | _skipped(plan, _WHOLE_SHARES)
    return PlannedFrom(
        at=plan.made_at,
        account=plan.account,
        positions=plan.positions,
        unmanaged=plan.unmanaged,
        prices=tuple(LastClose(symbol=name, price=price) for name, price in sorted(prices.items()) if name not in none),
        unknown=tuple(sorted(_skipped(plan, {LegReason.UNKNOWN_SYMBOL}))),
        untradable=tuple(sorted(_skipped(plan, {LegReason.UNTRADABLE}))),
        whole_shares=tuple(sorted(whole)),
        holdings=plan.holdings,
    )


def _skipped(plan: Plan, causes: frozenset[LegReason] | set[LegReason]) -> set[str]:
    return {leg.symbol for leg in plan.skipped if leg.cause in causes}
