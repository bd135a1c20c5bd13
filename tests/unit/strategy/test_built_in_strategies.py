"""The built-in strategies decide what their tables say: published vectors, and plain rules over thousands of cases."""

import math
import random
from collections.abc import Callable

import numpy as np
import pytest

from alchemiser_strategy.bars import Floats
from alchemiser_strategy.engine import last_day
from alchemiser_strategy.engine.explain import explain
from alchemiser_strategy.engine.graph import Graph, SeriesKey, lay_out
from alchemiser_strategy.engine.history import history
from alchemiser_strategy.engine.indicators import Key, LastDay
from alchemiser_strategy.engine.metrics import measure
from alchemiser_strategy.engine.nodes import Symphony
from alchemiser_strategy.registry import build_portfolio
from alchemiser_strategy.strategies.klm import klm, klm_ensemble
from alchemiser_strategy.strategies.klm_variants import Reading, variant, variant_names
from alchemiser_strategy.strategies.nuclear import nuclear, nuclear_volatility
from alchemiser_strategy.strategies.tecl import tecl
from alchemiser_strategy.strategies.vocabulary import Vocabulary
from unit.strategy import arithmetic, rules
from unit.strategy.cases import UNIVERSE, WAVES, bars_of, snapshot_of, wave

THIRD = 1 / 3
DEFAULT = {"nuclear": 0.3, "tecl": 0.5, "klm": 0.2}
CONSOLIDATED = (
    {"SQQQ": 0.146370613, "QQQ": 0.153629387, "TECL": 0.5, "FNGU": 0.2},
    {"QQQ": 0.3, "SPXL": 0.7},
    {"BWXT": 0.1, "LEU": 0.1, "EXC": 0.1, "BIL": 0.5, "UUP": 0.2},
    {"TQQQ": 0.3, "BSV": 0.5, "KMLM": 0.2},
)
VARIANTS: dict[str, tuple[dict[str, float], ...]] = {
    "506/38": ({"FNGU": 1}, {"SPXL": 1}, {"UUP": 1}, {"KMLM": 1}),
    "1280/26": ({"TECL": 0.5, "SOXL": 0.5}, {"SPXL": 1}, {"TLT": 1}, {"TLT": 1}),
    "1200/28": ({"TECL": 1}, {"SPXL": 1}, {"TLT": 1}, {"TLT": 1}),
    "520/22": ({"TECL": 1}, {"SPXL": 1}, {"UUP": 1}, {"KMLM": 1}),
    "530/18": (
        {"TECL": 1},
        {"TECL": 1},
        {"SVXY": THIRD, "UUP": THIRD, "VIXM": THIRD},
        {"SVXY": THIRD, "KMLM": THIRD, "UUP": THIRD},
    ),
    "410/38": ({"FNGU": 1}, {"SPXL": 1}, {"UUP": 1}, {"KMLM": 1}),
    "nova": ({"FNGO": 1}, {"SPXL": 1}, {"UUP": 1}, {"KMLM": 1}),
    "830/21": ({"SVIX": 1}, {"SPXL": 1}, {"LABD": 1}, {"TLT": 1}),
}
# Variants hold these without reading them; the published price sets do not have them.
NEVER_FETCHED = ("FNGO", "GLD", "SLV", "PDBC")


def variant_tree(name: str, reading: Reading) -> Symphony:
    b = Vocabulary()
    return b.symphony(name, variant(b, name, reading))


TREES: dict[str, tuple[Symphony, Callable[[rules.Read], rules.Weights]]] = {
    "nuclear": (nuclear(), rules.nuclear),
    "nuclear-volatility": (nuclear_volatility(), lambda read: rules.nuclear(read, real_volatility=True)),
    "tecl": (tecl(), rules.tecl),
    "klm": (klm(), lambda read: rules.klm(read, "506/38")),
} | {
    f"klm {name} {reading.value}": (
        variant_tree(name, reading),
        lambda read, name=name, reading=reading: rules.klm(read, name, intended=reading is Reading.INTENDED),
    )
    for name in variant_names()
    for reading in Reading
}


@pytest.mark.parametrize(("numbers", "expected"), list(zip(WAVES, CONSOLIDATED, strict=True)))
def test_the_default_portfolio_decides_the_published_targets(
    numbers: tuple[float, float, float], expected: dict[str, float]
) -> None:
    decision = build_portfolio(DEFAULT).evaluate(snapshot_of(bars_of(wave(*numbers))))
    assert {target.symbol: target.weight for target in decision.targets} == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("name", variant_names())
def test_every_klm_variant_as_built_decides_the_published_weights(name: str) -> None:
    for numbers, expected in zip(WAVES, VARIANTS[name], strict=True):
        prices = wave(*numbers) | {symbol: np.linspace(50, 60, 252) for symbol in NEVER_FETCHED}
        assert explain(variant_tree(name, Reading.AS_BUILT), bars_of(prices)).weights == pytest.approx(expected)


class RandomReadings:
    """Indicator values on, a hair beside and around every threshold; equal ones are common."""

    LEVELS = (25, 29, 30, 31, 35, 50, 63, 65, 74, 75, 77, 79, 80, 81, 82, 82.5, 84, 85)

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._values: dict[tuple[str, str, int], float] = {}
        self._hot = self._random.choice((0.0, 0.02, 0.1, 0.4))
        """How often a value is above the middle: most rules are only reached while nothing is hot."""

    def read(self, metric: str, symbol: str, window: int) -> float:
        key = (metric, symbol, window)
        if key not in self._values:
            self._values[key] = self._drawn(metric)
        return self._values[key]

    def symbol(self, key: Key) -> float:
        what, symbol = key
        if what.metric.name == "rsi-volatility":
            return 0.20 + 0.30 * abs(50 - self.read("rsi", symbol, what.windows[0])) / 100
        return self.read(what.metric.name.removesuffix("-zero-seed"), symbol, what.windows[0] if what.windows else 0)

    def portfolio(self, key: SeriesKey) -> float:
        raise AssertionError(f"no built-in rule ranks a portfolio here: {key}")

    def _drawn(self, metric: str) -> float:
        pick = self._random
        beside = pick.choice((0.0, 1e-9, -1e-9, 1.0, -1.0))
        match metric:
            case "rsi":
                if pick.random() < self._hot:
                    return pick.choice((pick.choice(self.LEVELS[6:]), 80, 81)) + beside
                return pick.choice((pick.choice(self.LEVELS[:6]) + beside, pick.uniform(26, 75), 40.0))
            case "cumulative-return":
                return pick.choice((-12, -10, 0, 5.5)) + beside
            case "moving-average-return":
                return pick.choice((-0.1, 0.0, 1e-9, 0.2))
            case "stdev-return":
                return pick.choice((0.5, 1.0, 2.0))
            case _:
                return 100.0 + beside


@pytest.mark.parametrize("name", sorted(TREES))
def test_trees_and_plain_rules_agree_on_and_around_every_threshold(name: str) -> None:
    symphony, rule = TREES[name]
    graph: Graph = lay_out(symphony.root)
    outcomes = set()
    for seed in range(4000):
        readings = RandomReadings(seed)
        expected = rule(readings.read)
        weights = last_day.weights(graph, last_day.evaluated(graph, readings))
        assert weights == pytest.approx(expected, abs=1e-12), f"indicator set {seed}"
        outcomes.add(tuple(sorted(expected)))
    assert len(outcomes) >= 6, f"the cases reach too few outcomes: {outcomes}"


def random_prices(seed: int, days: int) -> dict[str, Floats]:
    rng = np.random.default_rng(seed)
    symbols = (*UNIVERSE, *NEVER_FETCHED, "UVIX", "TSLA", "MSFT", "AAPL", "NVDA", "GOOGL", "AMZN", "ERX", "XLE")
    swing = rng.uniform(0.002, 0.04, len(symbols))
    trend = rng.normal(0, 0.004)
    return {
        symbol: 100 * np.exp(np.cumsum(rng.normal(trend * rng.normal(), swing[k], days)))
        for k, symbol in enumerate(symbols)
    }


class PlainReadings:
    """Indicator values of a price set in the plainest arithmetic, each worked out once."""

    def __init__(self, prices: dict[str, Floats]) -> None:
        self._closes = {symbol: closes.tolist() for symbol, closes in prices.items()}
        self._values: dict[tuple[str, str, int], float] = {}

    def read(self, metric: str, symbol: str, window: int) -> float:
        key = (metric, symbol, window)
        if key not in self._values:
            windows = [window] if window else []
            self._values[key] = arithmetic.value(
                "rsi-zero-seed" if metric == "rsi" else metric, self._closes[symbol], *windows
            )
        return self._values[key]


def test_trees_and_plain_rules_agree_on_random_bars_and_so_does_history() -> None:
    for seed in range(12):
        prices = random_prices(seed, 260)
        bars, plain = bars_of(prices), PlainReadings(prices)
        for name, (symphony, rule) in TREES.items():
            expected = rule(plain.read)
            assert explain(symphony, bars).weights == pytest.approx(expected, abs=1e-12), f"{name}, bars {seed}"
            if name in {"nuclear", "tecl", "klm"}:
                past = history(symphony, bars)
                row = {s: w for s, w in zip(past.symbols, past.weights[-1], strict=True) if w > 0}
                assert row == pytest.approx(expected, abs=1e-12)


def test_the_ensemble_takes_the_variant_whose_simulated_returns_were_most_volatile() -> None:
    bars = bars_of(random_prices(3, 300))
    spread = {}
    for name in variant_names():
        past = history(variant_tree(name, Reading.INTENDED), bars)
        closes = np.stack([bars.of(symbol) for symbol in past.symbols], axis=1)
        daily = (past.weights[-6:-1] * (closes[-5:] / closes[-6:-1] - 1)).sum(axis=1)
        spread[name] = float(daily.std(ddof=1))
    winner = max(spread, key=spread.__getitem__)
    assert explain(klm_ensemble(), bars).weights == explain(variant_tree(winner, Reading.INTENDED), bars).weights


@pytest.mark.parametrize(
    ("metric", "window", "expected"),
    [
        ("rsi-zero-seed", 9, 70.702214),
        ("rsi-zero-seed", 10, 68.027239),
        ("rsi-zero-seed", 20, 57.467223),
        ("rsi-zero-seed", 21, 57.096662),
        ("rsi-zero-seed", 70, 53.958518),
        ("moving-average-price", 20, 119.946056),
        ("moving-average-price", 200, 114.739258),
        ("moving-average-return", 90, 0.01818825),
        ("moving-average-return", 20, -0.25252037),
        ("cumulative-return", 60, 0.438730),
        ("cumulative-return", 6, 8.248926),
        ("stdev-return", 6, 0.3558366),
        ("stdev-return", 5, 0.2543430),
    ],
)
def test_indicators_have_their_published_values(metric: str, window: int, expected: float) -> None:
    t = np.arange(252)
    bars = bars_of({"X": 100 + 10 * np.sin(t / 5) + 0.1 * t})
    assert LastDay(bars)[measure(metric, window), "X"][0] == pytest.approx(expected, abs=6e-7)


def test_a_short_series_has_its_published_strengths_and_none_where_bars_are_too_few() -> None:
    last = LastDay(bars_of({"X": np.array([50, 51.5, 50.8, 52.1, 51.9, 53.0, 52.2])}))
    assert last[measure("rsi-zero-seed", 3), "X"][0] == pytest.approx(56.164384, abs=6e-7)
    assert last[measure("rsi-zero-seed", 6), "X"][0] == pytest.approx(64.025617, abs=6e-7)
    assert math.isnan(last[measure("rsi-zero-seed", 10), "X"][0]), (
        "7 bars: the monolith reads 66.516637, this engine nothing"
    )


def test_what_follows_from_the_indicators_has_its_published_value_too() -> None:
    t = np.arange(252)
    closes = 100 + 10 * np.sin(t / 5) + 0.1 * t
    today, yesterday = LastDay(bars_of({"X": closes})), LastDay(bars_of({"X": closes[:-1]}))
    average = measure("moving-average-price", 20)
    change = 100 * (today[average, "X"][0] / yesterday[average, "X"][0] - 1)
    assert change == pytest.approx(-0.27577328, abs=6e-9)
    yearly = today[measure("stdev-return", 90), "X"][0] / 100 * math.sqrt(252)
    assert yearly == pytest.approx(0.18436778, abs=6e-9)
