"""The TECL strategy as one tree: trend of SPY first, then overbought and oversold funds, then technology or cash."""

from alchemiser_strategy.engine.builder import Builder
from alchemiser_strategy.engine.nodes import Condition, Operand, Portfolio, Symphony, Ties


def tecl() -> Symphony:
    """The rules as they have always traded."""
    b = Builder()

    def rsi(symbol: str) -> Operand:
        return b.indicator("rsi", symbol, 10)

    def above(symbol: str, level: float) -> Condition:
        return b.compare(">", rsi(symbol), b.number(level))

    def below(symbol: str, level: float) -> Condition:
        return b.compare("<", rsi(symbol), b.number(level))

    def hedge(percent: float) -> Portfolio:
        return b.weight_specified([percent, 100 - percent], [b.asset("UVXY"), b.asset("BIL")])

    def technology_or(otherwise: Portfolio) -> Portfolio:
        strong = b.if_(above("XLK", 81), b.asset("BIL"), b.asset("TECL"))
        weak = b.if_(below("XLK", 29), b.asset("TECL"), otherwise)
        return b.group("technology", [b.if_(b.compare(">", rsi("XLK"), rsi("KMLM")), strong, weak)])

    overbought = b.or_([above("TQQQ", 79), above("SPY", 80)])
    bull = b.if_(overbought, hedge(25), technology_or(b.asset("BIL")))
    # Equal strength goes to SQQQ: the candidates are tried in this order.
    shelter = b.filter_("rsi", 9, "top", 1, [b.asset("SQQQ"), b.asset("BSV")], ties=Ties.LISTED)
    panic = b.if_(above("UVXY", 84), hedge(15), b.if_(above("UVXY", 74), b.asset("BIL"), technology_or(shelter)))
    bear = b.if_(below("TQQQ", 31), b.asset("TECL"), b.if_(below("SPXL", 29), b.asset("SPXL"), panic))
    trend = b.compare(">", b.indicator("current-price", "SPY"), b.indicator("moving-average-price", "SPY", 200))
    return b.symphony("tecl", b.if_(trend, b.group("bull", [bull]), b.group("bear", [bear])))
