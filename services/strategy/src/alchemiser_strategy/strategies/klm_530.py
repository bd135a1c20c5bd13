"""KLM variant 530/18 as a tree: volatility hedges by how hot the market is, then dips, then technology or a rotator."""

from alchemiser_strategy.engine.nodes import Condition, Portfolio
from alchemiser_strategy.strategies.vocabulary import Vocabulary


def variant_530(b: Vocabulary, *, intended: bool) -> Portfolio:
    """The variant. As built, RSI(15), the returns of TQQQ and every 20-day mean return were never computed.

    The hedges of three thirds, written down as 0.333 each, are exact thirds here.
    """
    hard = b.mix(UVXY=66.7, VIXM=33.3)
    medium = b.weight_equal(b.assets(["UVXY", "VXX", "VIXM"]))
    soft = b.weight_equal(b.assets(["VIXY", "VXX", "VIXM"]))
    wait = b.mix(BTAL=50, BIL=50)

    def tier(
        symbol: str, entry: float, extreme: float, worse: Portfolio, bad: Portfolio
    ) -> tuple[Condition, Portfolio]:
        return b.above(symbol, entry), b.if_(b.above(symbol, extreme), worse, bad)

    rotation = _rotation(b, intended=intended)
    return b.first_of(
        [
            tier("SPY", 80, 82.5, hard, medium),
            tier("IOO", 80, 82.5, hard, medium),
            tier("QQQ", 79, 82.5, hard, medium),
            tier("VTV", 79, 85, medium, soft),
            tier("XLP", 77, 85, medium, soft),
            tier("XLF", 81, 85, medium, soft),
            tier("RETL", 82, 85, soft, wait),
            (b.above("SPY", 63, window=70), _overextended(b, intended=intended)),
            (b.above("VOX", 79), soft),
            (b.above("XLP", 75), soft),
        ],
        _after_fall(b, medium, rotation) if intended else rotation,
    )


def _overextended(b: Vocabulary, *, intended: bool) -> Portfolio:
    commodities = b.mix(GLD=50, SLV=25, PDBC=25)
    leverage = b.weight_equal(b.assets(["TQQQ", "SPXL", "SOXL", "FNGU", "ERX"]))
    return b.if_(b.compare(">", b.rsi("AGG", 15), b.rsi("QQQ", 15)), leverage, commodities) if intended else commodities


def _after_fall(b: Vocabulary, hedge: Portfolio, rotation: Portfolio) -> Portfolio:
    week = b.compare("<", b.indicator("cumulative-return", "TQQQ", 6), b.number(-12))
    bounce = b.compare(">", b.indicator("cumulative-return", "TQQQ", 1), b.number(5.5))
    dips = b.first_of(
        [
            (b.below("TQQQ", 31), b.asset("TECL")),
            (b.below("SOXL", 30), b.asset("SOXL")),
            (b.below("SPXL", 30), b.asset("SPXL")),
        ],
        rotation,
    )
    return b.if_(week, b.if_(bounce, hedge, dips), rotation)


def _rotation(b: Vocabulary, *, intended: bool) -> Portfolio:
    def no_hotter(symbol: str) -> Condition:
        return b.compare("<=", b.rsi(symbol), b.number(50))

    fngu = b.asset("FNGU")
    leader = b.pick("moving-average-return", 20, "top", 1, ["FNGU", "SPXL", "XLE", "XLK", "AGG"])
    technology = b.first_of(
        [
            (b.and_([b.compare("<=", b.rsi("TECL"), b.rsi("SVXY")), no_hotter("TECL")]), b.asset("TECL")),
            (no_hotter("SVXY"), b.asset("SVXY")),
        ],
        # If the leader is FNGU itself both halves are FNGU.
        b.weight_equal([fngu, leader]) if intended else fngu,
    )
    calm = b.pick("stdev-return", 6, "bottom", 3, ["SVXY", "VIXM", "FTLS", "KMLM", "UUP"])
    return b.if_(b.compare(">", b.rsi("XLK"), b.rsi("KMLM")), technology, calm)
