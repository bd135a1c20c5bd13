"""Questions about many symbols, asked a group at a time: a symbol that the broker refuses costs the others nothing."""

import logging
from collections.abc import Callable, Mapping, Sequence

from alchemiser_common.errors import BrokerRefused

_log = logging.getLogger(__name__)
GROUP = 300
"""Symbols a request: they stand in its URL."""
_NOT_FOUND = 404
_ABOUT_A_SYMBOL = frozenset({400, _NOT_FOUND, 422})


# Alpaca refuses a whole request for one malformed symbol (400 "invalid symbol: BRK/B"). Halving finds it:
#
#     A B C D   refused        the culprit C costs two requests for each halving, 2 log2(300) = 17 at most
#     A B | C D         fine | refused
#           C | D              refused alone: left out, logged  | fine
#
# A request that is refused for another reason, a date for example, is refused for a single symbol, too, without a word
# about symbols. That is raised at the end of the first halvings: a fault of ours must not look like unknown symbols.
def ask_in_groups[R](
    what: str, symbols: Sequence[str], ask: Callable[[Sequence[str]], Mapping[str, R]]
) -> dict[str, R]:
    """Answers by symbol; a symbol that is refused alone is left out and named in the log.

    `ask` is called with 1..GROUP different symbols. Raises what it raises; BrokerRefused if no symbol is the reason.
    """
    wanted = list(dict.fromkeys(symbols))
    found: dict[str, R] = {}
    for first in range(0, len(wanted), GROUP):
        found.update(_halved(what, wanted[first : first + GROUP], ask))
    return found


def about_a_symbol(error: BrokerRefused) -> bool:
    """Whether it is a refusal with which Alpaca answers a symbol that is malformed or unknown."""
    return error.status in _ABOUT_A_SYMBOL and error.explained


def _halved[R](what: str, symbols: Sequence[str], ask: Callable[[Sequence[str]], Mapping[str, R]]) -> dict[str, R]:
    try:
        return dict(ask(symbols))
    except BrokerRefused as error:
        if not about_a_symbol(error):
            raise
        if len(symbols) == 1:
            if not _about(symbols[0], error):
                raise
            _log.warning(
                "symbol left out: the broker refuses it",
                extra={"asked_for": what, "symbol": symbols[0], "reason": str(error)},
            )
            return {}
    middle = len(symbols) // 2
    return _halved(what, symbols[:middle], ask) | _halved(what, symbols[middle:], ask)


def _about(symbol: str, error: BrokerRefused) -> bool:
    text = str(error)
    return error.status == _NOT_FOUND or "symbol" in text.lower() or symbol in text
