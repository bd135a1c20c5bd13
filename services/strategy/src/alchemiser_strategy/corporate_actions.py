"""What issuers do to shares, as an account of a backtest meets it: one rule for every kind. Pure. Shares and USD.

Before a day's open each share of a symbol becomes parts: shares of one symbol or several, and cash.

==========================  ===================================  =======
kind                        shares                               cash
==========================  ===================================  =======
split, stock dividend       more or fewer of the same symbol     none
new name, stock merger      of another symbol                    or some
cash dividend               as many of the same symbol           its rate
spin-off                    as many, and some of another symbol  none
cash merger                 none                                 its rate
removed as worthless        none                                 none
==========================  ===================================  =======
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date


@dataclass(frozen=True, slots=True)
class ShareAction:
    """What becomes of one share of `symbol` before the open of `day`."""

    symbol: str
    day: date
    shares: Mapping[str, float]
    """Shares by symbol, above 0 each; of the same symbol where it stays."""
    cash: float = 0.0
    """USD."""


@dataclass(frozen=True, slots=True)
class CorporateActions:
    """What happens to the symbols of a market beside that their prices move."""

    actions: Sequence[ShareAction] = ()
    """In the order in which they take effect."""
    ends: Mapping[str, date] = field(default_factory=dict)
    """The first day on which a symbol does not trade any more: what is still held of it keeps its last price."""

    def reachable(self, symbols: Iterable[str]) -> tuple[str, ...]:
        """All that shares of these symbols may be or become, sorted."""
        found = set(symbols)
        # In the order of time, but a later action of the list may lead to the symbol of an earlier one of its day.
        while more := {new for one in self.actions if one.symbol in found for new in one.shares} - found:
            found |= more
        return tuple(sorted(found))
