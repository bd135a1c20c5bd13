"""The eight KLM variants as trees: overbought chain, volatility gate, dip chain, then technology or a rotator."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from alchemiser_strategy.engine.nodes import Condition, Portfolio
from alchemiser_strategy.strategies.klm_530 import variant_530
from alchemiser_strategy.strategies.vocabulary import RSI, Vocabulary


class Reading(StrEnum):
    """Which reading of the rules: as they ran, values that were never computed included, or as they were meant."""

    AS_BUILT = "as-built"
    INTENDED = "intended"


@dataclass(frozen=True, slots=True)
class _Recipe:
    """What tells one variant from another; `gate` is the volatility fund that opens the gate, None if it stays shut."""

    gate: str | None
    labu_dip: bool
    technology: Portfolio
    rotator: Portfolio


_OVERBOUGHT: Mapping[str, float] = {
    "QQQE": 79, "VTV": 79, "VOX": 79, "TECL": 79, "VOOG": 79, "VOOV": 79,
    "XLP": 75, "TQQQ": 79, "XLY": 80, "FAS": 80, "SPY": 80,
}  # fmt: skip
_NOVA = ("FNGO", "TSLA", "MSFT", "AAPL", "NVDA", "GOOGL", "AMZN")


def variant_names() -> tuple[str, ...]:
    """In the order that ties are broken in."""
    return ("506/38", "1280/26", "1200/28", "520/22", "530/18", "410/38", "nova", "830/21")


def variant(b: Vocabulary, name: str, reading: Reading) -> Portfolio:
    """One variant's tree; `name` is one of `variant_names`."""
    intended = reading is Reading.INTENDED
    if name == "530/18":
        return variant_530(b, intended=intended)
    return _assembled(b, _recipe(b, name, intended=intended))


def _recipe(b: Vocabulary, name: str, *, intended: bool) -> _Recipe:
    def calmest(*symbols: str) -> Portfolio:
        return b.pick("stdev-return", 6, "bottom", 1, symbols)

    def by_rsi(select: str, *symbols: str, k: int = 1) -> Portfolio:
        return b.pick(RSI, 10, select, k, symbols)

    fngu = b.asset("FNGU")
    bonds = by_rsi("top", "SQQQ", "TLT")
    four = calmest("FTLS", "KMLM", "SSO", "UUP")
    falling = by_rsi("top", "TLT", "LABD", "TZA")
    rising = b.compare(">", b.indicator("moving-average-return", "BND", 20), b.number(0))
    recipes = {
        "506/38": _Recipe("UVXY", True, fngu, calmest("UUP", "FTLS", "KMLM")),
        "1280/26": _Recipe(None, True, by_rsi("bottom", "TECL", "SOXL", "SVIX", k=2), bonds),
        "1200/28": _Recipe("UVXY", False, by_rsi("bottom", "TECL", "SOXL", "SVIX"), bonds),
        "520/22": _Recipe("UVXY", False, by_rsi("bottom", "TECL", "SVIX"), four),
        "410/38": _Recipe("UVXY", True, fngu, calmest("UUP", "FTLS", "KMLM", "SSO")),
        # As built neither UVIX nor RSI(11) was ever read: the gate stayed shut and FNGO always won.
        "nova": _Recipe("UVIX", False, b.pick(RSI, 11, "top", 1, _NOVA), four)
        if intended
        else _Recipe(None, False, b.asset("FNGO"), four),
        # As built the mean return of BND read 0, which is not above 0.
        "830/21": _Recipe(
            "UVXY",
            False,
            by_rsi("top", "TECL", "SOXL", "SVIX"),
            b.if_(rising, by_rsi("bottom", "KMLM", "SPLV"), falling) if intended else falling,
        ),
    }
    return recipes[name]


def _assembled(b: Vocabulary, recipe: _Recipe) -> Portfolio:
    hold = b.asset
    overbought = b.or_([b.above(symbol, level) for symbol, level in _OVERBOUGHT.items()])
    dips: list[tuple[Condition, Portfolio]] = [
        (b.below("TQQQ", 30), hold("TECL")),
        (b.below("SOXL", 30), hold("SOXL")),
        (b.below("SPXL", 30), hold("SPXL")),
    ]
    if recipe.labu_dip:
        dips.append((b.below("LABU", 25), hold("LABU")))
    switch = b.if_(b.compare(">", b.rsi("XLK"), b.rsi("KMLM")), recipe.technology, recipe.rotator)
    calm = b.first_of(dips, switch)
    if recipe.gate is not None:
        panic = b.if_(b.above("SPY", 30, window=21), hold("VIXM"), hold("SPXL"))
        calm = b.if_(b.above(recipe.gate, 65, window=21), panic, calm)
    return b.if_(overbought, hold("UVXY"), calm)
