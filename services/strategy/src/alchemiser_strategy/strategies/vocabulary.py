"""The few phrases that the built-in rules are written in."""

from collections.abc import Sequence

from alchemiser_strategy.engine.builder import Builder
from alchemiser_strategy.engine.nodes import Condition, Operand, Portfolio, Ties

RSI = "rsi-zero-seed"
"""The metric that the built-in rules call RSI: its averages begin at zero, as in the system that they come from."""


class Vocabulary(Builder):
    """A builder that says ``above("SPY", 79)`` for a 10-day RSI and breaks ties as the rules list their candidates."""

    def rsi(self, symbol: str, window: int = 10) -> Operand:
        """RSI of a symbol, 0 to 100; the window in sessions."""
        return self.indicator(RSI, symbol, window)

    def above(self, symbol: str, level: float, window: int = 10) -> Condition:
        """RSI strictly above a level."""
        return self.compare(">", self.rsi(symbol, window), self.number(level))

    def below(self, symbol: str, level: float, window: int = 10) -> Condition:
        """RSI strictly below a level."""
        return self.compare("<", self.rsi(symbol, window), self.number(level))

    def uptrend(self, symbol: str, window: int) -> Condition:
        """Last close strictly above its moving average."""
        average = self.indicator("moving-average-price", symbol, window)
        return self.compare(">", self.indicator("current-price", symbol), average)

    def assets(self, symbols: Sequence[str]) -> list[Portfolio]:
        """One asset for each symbol."""
        return [self.asset(symbol) for symbol in symbols]

    def pick(self, name: str, window: int, select: str, k: int, symbols: Sequence[str]) -> Portfolio:
        """The k best or worst of some symbols; equals in the order they are listed in."""
        return self.filter_(name, window, select, k, self.assets(symbols), ties=Ties.LISTED)

    def mix(self, **percent: float) -> Portfolio:
        """Symbols with their shares in percent."""
        return self.weight_specified(list(percent.values()), self.assets(list(percent)))

    def first_of(self, rules: Sequence[tuple[Condition, Portfolio]], otherwise: Portfolio) -> Portfolio:
        """The portfolio of the first condition that holds."""
        result = otherwise
        for condition, portfolio in reversed(rules):
            result = self.if_(condition, portfolio, result)
        return result
