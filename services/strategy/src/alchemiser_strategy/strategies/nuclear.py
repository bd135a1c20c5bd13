"""The nuclear strategy as one tree: hedge what is hot, buy dips, nuclear shares in a bull market, else two votes."""

from alchemiser_strategy.engine.nodes import Portfolio, Symphony
from alchemiser_strategy.strategies.vocabulary import Vocabulary

_NUCLEAR = ("SMR", "BWXT", "LEU", "EXC", "NLR", "OKLO")


def nuclear() -> Symphony:
    """As it has always traded: the bear blend is weighed by a stand-in for volatility, made from the RSI."""
    return _strategy("nuclear", "rsi-volatility", 10)


def nuclear_volatility() -> Symphony:
    """As its author meant it: the bear blend is weighed by the volatility of 14 closes."""
    return _strategy("nuclear-volatility", "stdev-return", 13)


def _strategy(name: str, risk: str, window: int) -> Symphony:
    b = Vocabulary()
    hold = b.asset
    hedge = b.mix(UVXY=75, BTAL=25)
    others_hot = b.or_([b.above(symbol, 81) for symbol in ("IOO", "TQQQ", "VTV", "XLF")])
    basket = b.pick("moving-average-return", 90, "top", 3, _NUCLEAR)
    root = b.first_of(
        [
            (b.above("SPY", 81), hold("UVXY")),
            (b.above("SPY", 79), b.if_(others_hot, hold("UVXY"), hedge)),
            (b.above("VOX", 79), b.if_(b.above("XLF", 81), hold("UVXY"), hedge)),
            (b.below("TQQQ", 30), hold("TQQQ")),
            (b.below("SPY", 30), hold("UPRO")),
            (b.uptrend("SPY", 200), b.group("nuclear basket", [basket])),
        ],
        b.group("bear", [_bear(b, risk, window)]),
    )
    return b.symphony(name, root)


def _bear(b: Vocabulary, risk: str, window: int) -> Portfolio:
    """Two votes; where they differ, both funds by inverse risk. Each leaf is the outcome of both votes together."""

    def blend(first: str, second: str) -> Portfolio:
        return b.weight_inverse(risk, window, b.assets([first, second]))

    weak = b.compare("<", b.indicator("cumulative-return", "QQQ", 60), b.number(-10))
    rising = b.uptrend("TQQQ", 20)
    bonds_strong = b.compare(">", b.rsi("TLT", 20), b.rsi("PSQ", 20))
    # The windows differ on purpose: 10 days of IEF against 20 of PSQ is what has always traded.
    bonds_firm = b.compare(">", b.rsi("IEF", 10), b.rsi("PSQ", 20))
    tqqq, qqq, sqqq = b.asset("TQQQ"), b.asset("QQQ"), b.asset("SQQQ")
    after_fall = b.if_(bonds_strong, b.if_(rising, tqqq, blend("TQQQ", "QQQ")), blend("PSQ", "SQQQ"))
    falling = b.if_(bonds_strong, b.if_(bonds_firm, blend("SQQQ", "QQQ"), qqq), sqqq)
    calm = b.if_(rising, b.if_(bonds_strong, tqqq, sqqq), falling)
    return b.if_(b.below("PSQ", 35), sqqq, b.if_(weak, after_fall, calm))
