"""Builds strategies: every combinator checks what it is given and returns the one node with that content.

Children come first, so a parser works bottom-up with its own stack. Nothing here recurses. Every method raises
StrategyError for what the language does not allow, naming the operator, the value and what is allowed.
"""

import math
import re
from collections.abc import Hashable, Sequence

from alchemiser_strategy.engine import nodes as n
from alchemiser_strategy.engine.metrics import VOLATILITY, Windows, measure, whole
from alchemiser_strategy.errors import StrategyError

_SYMBOL = re.compile(r"[A-Z0-9][A-Z0-9./-]{0,19}")
_LONG_FORM = re.compile(r"(?:([A-Za-z_-]+)::)?(.*?)(?://(.*))?")
_PAIR = re.compile(r"[A-Z0-9]+[/-](?:USD[CT]?|BTC)")
"""How a crypto asset is written without its class; the letters after a share's slash are those of its class."""
_EQUITIES = "EQUITIES"
_MAX_CANDIDATES = 100_000


class Builder:
    """Makes the nodes of one strategy (or of several that shall share nodes).

    Invariant: two nodes made by one builder have equal content if and only if they are the same object, so nodes are
    compared and hashed by identity, in no time, at any size. Parts of different builders do not mix.

    >>> b = Builder()
    >>> calm = b.compare("<", b.indicator("rsi", "SPY", 10), b.number(70))
    >>> root = b.if_(calm, b.asset("TQQQ"), b.weight_equal([b.asset("BIL"), b.asset("GLD")]))
    >>> b.symphony("calm", root).rebalance.frequency.value
    'daily'
    """

    def __init__(self) -> None:
        self._known: dict[Hashable, n.Node] = {}
        """Every node by its type and content; parts are in the content by identity."""
        self._first: dict[n.Portfolio, str] = {}
        """The first symbol that each portfolio names: what ties are broken by."""
        self._labels: dict[n.Portfolio, str] = {}
        self._stated = 0
        """How often a node was asked for, known or new."""

    def _shared[T: n.Node](self, node: T, *content: Hashable) -> T:
        self._stated += 1
        return self._known.setdefault((type(node), *content), node)  # type: ignore[return-value]

    # --- portfolios

    def asset(self, symbol: str, label: str | None = None) -> n.Portfolio:
        """All weight in one symbol.

        The long form ``EQUITIES::XLK//USD`` means ``XLK``; ``BRK/B`` becomes ``BRK.B``, as the broker spells it. Any
        other class of assets is refused: its name is not a share's.
        """
        ticker = self._symbol(symbol)
        node = self._shared(n.Asset(ticker), ticker)
        self._first.setdefault(node, ticker)
        if label:
            self._labels.setdefault(node, label)
        return node

    def cash(self) -> n.Portfolio:
        """Nothing: the share stays in cash."""
        node = self._shared(n.Cash())
        self._first.setdefault(node, "cash")
        return node

    def group(self, name: str, body: Sequence[n.Portfolio]) -> n.Portfolio:
        """A named body; several items are an equal weight over them. The name is only remembered for explanations."""
        node = self.weight_equal(body, operator=f"group {name!r}")
        self._labels.setdefault(node, name)
        return node

    def if_(
        self,
        condition: n.Condition,
        then: n.Portfolio | Sequence[n.Portfolio],
        otherwise: n.Portfolio | Sequence[n.Portfolio] | None,
    ) -> n.Portfolio:
        """One of two portfolios. A branch of several items is an equal weight over them.

        There is always an else: a rule that says nothing when its condition is false cannot be held.
        """
        if otherwise is None or (isinstance(otherwise, Sequence) and not otherwise):
            raise StrategyError("if has no else branch: nothing would be held while the condition is false")
        yes, no = self._branch(then, "then branch of if"), self._branch(otherwise, "else branch of if")
        return self._portfolio(self._shared(n.Choice(condition, yes, no), condition, yes, no), yes)

    def weight_equal(self, children: Sequence[n.Portfolio], *, operator: str = "weight-equal") -> n.Portfolio:
        """Each child 1/n whatever its inner size; the same child twice has two shares; one child is itself."""
        if not children:
            raise StrategyError(f"{operator} is empty; it needs at least one child")
        return self._weighted(tuple([1.0 / len(children)] * len(children)), tuple(children))

    def weight_specified(self, weights: Sequence[float], children: Sequence[n.Portfolio]) -> n.Portfolio:
        """Children by given weights, normalised by their sum; a weight of zero leaves its child out."""
        if len(weights) != len(children):
            raise StrategyError(f"weight-specified has {len(weights)} weights for {len(children)} children")
        for weight in weights:
            if not math.isfinite(weight) or weight < 0:
                raise StrategyError(f"weight-specified has weight {weight!r}; weights must be 0 or more")
        kept = [(float(weight), child) for weight, child in zip(weights, children, strict=True) if weight > 0]
        total = math.fsum(weight for weight, _ in kept)
        if not 0 < total < math.inf:
            raise StrategyError(
                f"weight-specified has weights that sum to {total!r}; the sum must be positive and finite"
            )
        return self._weighted(tuple(weight / total for weight, _ in kept), tuple(child for _, child in kept))

    def weight_inverse_volatility(self, window: int | str, children: Sequence[n.Portfolio]) -> n.Portfolio:
        """Children by 1 / volatility, the sample standard deviation of the last `window` simple returns."""
        return self.weight_inverse(VOLATILITY.name, window, children)

    def weight_inverse(self, name: str, windows: Windows, children: Sequence[n.Portfolio]) -> n.Portfolio:
        """Children by the inverse of any measure that cannot be negative (an extension of the language)."""
        what = measure(name, windows)
        if not what.metric.risk:
            raise StrategyError(f"weight-inverse cannot use {name}: it is no measure of risk")
        if not children:
            raise StrategyError("weight-inverse-volatility is empty; it needs at least one child")
        if len(children) == 1:
            return children[0]
        members = tuple(children)
        return self._portfolio(self._shared(n.InverseWeighted(what, members), what, members), members[0])

    def filter_(
        self,
        name: str,
        windows: Windows,
        select: str,
        k: int | str,
        children: Sequence[n.Portfolio],
        *,
        ties: n.Ties = n.Ties.ALPHABETICAL,
    ) -> n.Portfolio:
        """The `k` children ranked ``top`` or ``bottom`` by a metric, in equal shares.

        An asset listed twice competes once, and so does cash. A filter whose only child is a filter ranks that one's
        winners.
        """
        what = measure(name, windows)
        try:
            end = n.Select(select)
        except ValueError:
            raise StrategyError(f"filter selects {select!r}; it must be top or bottom") from None
        count = whole(f"filter select-{select}", k, _MAX_CANDIDATES)
        if not children:
            raise StrategyError("filter has no candidates; it needs at least one child")
        only = children[0]
        pool = only if len(children) == 1 and isinstance(only, n.Filter) else None
        members = pool.children if pool is not None else self._candidates(children, ties)
        node = n.Filter(what, end, count, ties, members, pool)
        return self._portfolio(self._shared(node, what, end, count, ties, members, pool), members[0])

    # --- conditions and operands

    def compare(self, operator: str, left: n.Operand, right: n.Operand) -> n.Condition:
        """``>``, ``<``, ``>=``, ``<=``, ``=`` or ``!=`` between two operands."""
        try:
            sign = n.Operator(operator)
        except ValueError:
            known = " ".join(n.Operator)
            raise StrategyError(f"unknown comparison {operator!r}; known: {known}") from None
        return self._shared(n.Compare(sign, left, right), sign, left, right)

    def and_(self, parts: Sequence[n.Condition]) -> n.Condition:
        """True if all parts are, tried in order; the first false one settles it."""
        if not parts:
            raise StrategyError("and is empty; it needs at least one condition")
        return parts[0] if len(parts) == 1 else self._shared(n.AllOf(tuple(parts)), tuple(parts))

    def or_(self, parts: Sequence[n.Condition]) -> n.Condition:
        """True if some part is, tried in order; the first true one settles it."""
        if not parts:
            raise StrategyError("or is empty; it needs at least one condition")
        return parts[0] if len(parts) == 1 else self._shared(n.AnyOf(tuple(parts)), tuple(parts))

    def not_(self, part: n.Condition) -> n.Condition:
        """True if the part is false."""
        return self._shared(n.Negation(part), part)

    def indicator(self, name: str, symbol: str, windows: Windows = None) -> n.Operand:
        """A metric of a symbol's closes; windows in sessions, the metric's defaults if None."""
        what, ticker = measure(name, windows), self._symbol(symbol)
        return self._shared(n.Reading(what, ticker), what, ticker)

    def number(self, value: float) -> n.Operand:
        """A constant operand."""
        number = float(value)
        if not math.isfinite(number):
            raise StrategyError(f"number {value!r} is not finite")
        return self._shared(n.Number(number), number)

    # --- the whole

    def symphony(
        self, name: str, root: n.Portfolio, *, frequency: str | None = None, threshold: float | None = None
    ) -> n.Symphony:
        """A finished strategy. It rebalances by calendar (daily if neither is given) or by threshold, not by both.

        Some symbol must be held under some condition: nothing but cash is no strategy.
        """
        if not self._names_an_asset(root):
            raise StrategyError("the strategy names no asset: it would hold nothing but cash")
        if frequency is not None and threshold is not None:
            raise StrategyError("a strategy has either a rebalance frequency or a rebalance threshold, not both")
        try:
            period = n.Frequency(frequency or "daily")
        except ValueError:
            known = ", ".join(n.Frequency)
            raise StrategyError(f"unknown rebalance frequency {frequency!r}; known: {known}") from None
        if threshold is not None and not 0 < threshold < 1:
            raise StrategyError(f"rebalance threshold is {threshold!r}; it must be a weight between 0 and 1")
        return n.Symphony(name, root, n.Rebalance(period, threshold), dict(self._labels), self._stated)

    # --- helpers

    # A class that is dropped silently makes another asset of it: CRYPTO::BTC//USD is no share, and BTC is a fund.
    @staticmethod
    def _symbol(text: str) -> str:
        long = _LONG_FORM.fullmatch(text)
        kind, ticker, currency = long.groups() if long else (None, text, None)
        if kind is not None and kind != _EQUITIES:
            raise StrategyError(f"symbol {text!r} is of the asset class {kind}; only {_EQUITIES} can be held")
        if currency is not None and (kind is None or currency != "USD"):
            raise StrategyError(
                f"symbol {text!r} names {'no asset class' if kind is None else f'the currency {currency}'}; "
                f"expected {_EQUITIES}::{ticker}//USD, or {ticker} alone"
            )
        if _PAIR.fullmatch(ticker):
            raise StrategyError(f"symbol {text!r} is a pair of the asset class CRYPTO; only {_EQUITIES} can be held")
        if not _SYMBOL.fullmatch(ticker):
            raise StrategyError(f"symbol {text!r} is no ticker: 1 to 20 of A-Z, 0-9, '.', '/' and '-'")
        return ticker.replace("/", ".")

    @staticmethod
    def _names_an_asset(root: n.Portfolio) -> bool:
        """Whether there is an asset somewhere below; stops at the first."""
        seen: set[n.Portfolio] = set()
        todo = [root]
        while todo:
            node = todo.pop()
            if isinstance(node, n.Asset):
                return True
            below = [child for child in n.children_of(node) if child not in seen]
            seen.update(below)
            todo += below
        return False

    def _portfolio[T: n.Portfolio](self, node: T, leading: n.Portfolio) -> T:
        self._first.setdefault(node, self._leading(leading))
        return node

    def _leading(self, node: n.Portfolio) -> str:
        if node not in self._first:
            raise StrategyError("a part was made by another builder; one builder makes all parts of a strategy")
        return self._first[node]

    def _branch(self, branch: n.Portfolio | Sequence[n.Portfolio], operator: str) -> n.Portfolio:
        return self.weight_equal(branch, operator=operator) if isinstance(branch, Sequence) else branch

    def _weighted(self, shares: tuple[float, ...], members: tuple[n.Portfolio, ...]) -> n.Portfolio:
        if len(members) == 1:
            return members[0]
        return self._portfolio(self._shared(n.Weighted(shares, members), shares, members), members[0])

    def _candidates(self, children: Sequence[n.Portfolio], ties: n.Ties) -> tuple[n.Portfolio, ...]:
        """Candidates in the order that ties are broken in, each asset once."""
        seen: set[n.Portfolio] = set()
        once: list[n.Portfolio] = []
        for child in children:
            if child not in seen:
                once.append(child)
            if isinstance(child, n.Asset | n.Cash):
                seen.add(child)
        return tuple(sorted(once, key=self._leading) if ties is n.Ties.ALPHABETICAL else once)
