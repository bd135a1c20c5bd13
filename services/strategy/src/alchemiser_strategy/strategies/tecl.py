"""The TECL strategy as one tree: trend of SPY first, then overbought and oversold funds, then technology or cash."""

from alchemiser_strategy.engine.nodes import Portfolio, Symphony
from alchemiser_strategy.strategies.vocabulary import RSI, Vocabulary


def tecl() -> Symphony:
    """The rules as they have always traded."""
    b = Vocabulary()
    hold = b.asset

    def technology_or(otherwise: Portfolio) -> Portfolio:
        strong = b.if_(b.above("XLK", 81), hold("BIL"), hold("TECL"))
        weak = b.if_(b.below("XLK", 29), hold("TECL"), otherwise)
        return b.group("technology", [b.if_(b.compare(">", b.rsi("XLK"), b.rsi("KMLM")), strong, weak)])

    overbought = b.or_([b.above("TQQQ", 79), b.above("SPY", 80)])
    bull = b.if_(overbought, b.mix(UVXY=25, BIL=75), technology_or(hold("BIL")))
    bear = b.first_of(
        [
            (b.below("TQQQ", 31), hold("TECL")),
            (b.below("SPXL", 29), hold("SPXL")),
            (b.above("UVXY", 84), b.mix(UVXY=15, BIL=85)),
            (b.above("UVXY", 74), hold("BIL")),
        ],
        technology_or(b.pick(RSI, 9, "top", 1, ["SQQQ", "BSV"])),
    )
    return b.symphony("tecl", b.if_(b.uptrend("SPY", 200), b.group("bull", [bull]), b.group("bear", [bear])))
