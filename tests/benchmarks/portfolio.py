"""A portfolio of the shape of a real one: 16 symphonies of 1 KB to 2.2 MB, 250 symbols, prices at four decimals.

python -m benchmarks.portfolio --out DIR     (with tests/ on the path)
Writes DIR/strategies (what goes into images), DIR/alchemiser.toml (for commands that run in DIR) and
DIR/prices.parquet. The recipe gives the same symphonies on any machine. Prices are those that ALCHEMISER_MARKET_DATA
names, or seeded random walks where there are none.
"""

import argparse
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path

import numpy as np

from alchemiser_simulator import PriceHistory
from alchemiser_simulator.market.changes import Delisted, MadeSplit, MarketChange, Renamed, SkippedBars, changed
from benchmarks import market
from benchmarks.symphony_generator import Manner, symphony_of_size
from support.price_files import real_prices, write_closes

SESSIONS = 250
"""The last ones of the panel: the span in which the young begin to trade and others cease to."""
LONGEST = 751
"""Bars of the longest window."""
_USUAL_MEMORIES = (5, 7, 10, 10, 10, 14, 14, 20, 21, 30, 45)
"""Windows of recursive indicators, in sessions; `_LONG_MEMORY` has those to 200 as well."""
_LONG_MEMORY = "income"
_RANDOM_DAYS = 4_000
_DECIMALS = 4
_LEAST_PRICE = 0.0001

_OLD = """
AA AAPL AGG AGQ ALGN AMD AMGN AMZN AR AVGO BABA BBH BIL BNDX BOND BRK/B BSV BWX BX CAT CORP COST CSCO CURE DAC DBA DBB
DBC DIA DLN DOG DRIP DRV DUSL EDC EFA EMB EQT EUO EURL EVN EXC FAAR FAS FAZ FMF FNGD FNGU FTGC FTLS FXI GBIL GDX GE GLD
GLL GLTR GNRC GOOGL GS HD HYG IBM IEF INFY IOO ISCB ITA IWM JKHY JNJ JPM JYNT KKR KTOS LABD LEU LIN LQD LTL MA MCD MHD
MNST MOS MSFT NAIL NFLX NLR NVDA NVO OSS OXY PAYC PGR PILL PMM PSQ QCOM QLD QQQ QQQE ROM ROST RWM SAA SCHW SFM SH SHV
SHY SON SOXX SPHB SPLV SPXL SPXU SPY SQM SRTY SSO STIP SVXY TBT TECL TIP TLH TLT TMUS TMV TNA TPR TQQQ TRV TSM TZA UCO
UDN UDOW UGE UGL UPRO URTY USD USDU USMV UTSL UUP UVXY UYG V VBF VDE VGSH VIXY VOOG VOX VPU VRTX VTI VTR WELL WTMF XBI
XLB XLC XLE XLI XLP XLRE XLU XLV XLY XOM XRT XTL YANG YCS
""".split()
YOUNG = """
EEM UYM BTAL QID SLV SOXS URA COM SIMO MU BKT BWXT FDN RETL PDBC DRN ERX IYR SPXT TSLA UNG EWZ JDST AXP
""".split()
"""Their first bar is cut to lie within the span, one every ten sessions."""
RECENT = """
AAPX AIRO AMZZ HG NRGD NRGU SPAI SPYU UMAC
ACHR AMZU AVUV BAM BBAI BITX COIN CONL CTA DBMF DULL EVTL FBL FNGG FNGS GDXD GDXU GGLL HIBL HIBS HOOD JOBY KMLM NVDL
OILD OKLO ONDS PLTR RGTI SHNY SMR SOFI SVIX URNM UVIX WANT
""".split()
"""Began to trade within seven years of the span; some of them have fewer bars than the longest window all along."""
DELISTED = {"ASML": 120, "IEI": 131}
"""Symbols that cease to trade, with the session of the span from which on they do."""
RENAMED = ("FCG", "FCGX", 140)
"""A symbol, what it is called later, and the session from which on it is."""
SPLIT = ("QQQ", 2.0, 70)
GAPS = {"SPLV": (90,), "XTL": (100, 101)}
"""Sessions of the span on which the bars feed shows no bar of the symbol."""
BROKERS_SPELLING = {"BRK/B": "BRK.B"}

_GATE = """(defsymphony "Gold gate"
 {:asset-class "EQUITIES", :rebalance-frequency :daily}
 (weight-equal
  [(if (> (rsi "SHNY" {:window 10}) 55)
    [(weight-inverse-volatility 20 [(asset "SHNY" "Gold 3x") (asset "GLD" "Gold") (asset "BRK/B" "Berkshire")])]
    [(filter (cumulative-return {:window 60}) (select-top 2)
      [(asset "GLD" "Gold") (asset "BIL" "Bills") (asset "TLT" "Bonds") (asset "AIRO" nil) (asset "SLV" nil)])])
   (if (> (current-price "SPY") (moving-average-price "SPY" {:window 751}))
    [(asset "SPY" "Market")]
    [(if (< (rsi "TLT" {:window 200}) 50)
      [(asset "BIL" "Bills")]
      [(asset "TLT" "Bonds")])])
   (group "Leaders of funds that are younger than their longest window"
    [(filter (max-drawdown {:window 120}) (select-bottom 3)
      [(asset "NRGU" "Energy 3x") (asset "SPYU" "Market 4x") (asset "GDXU" "Miners 3x") (asset "XLU" "Utilities")
       (asset "IEI" "Notes, delisted") (asset "FCG" "Gas, renamed") (asset "VGSH" "Notes") (asset "USMV" "Calm")])])]))
"""
"""Rests on a young fund, a class share, the longest window and the longest memory."""


@dataclass(frozen=True)
class Part:
    """One generated file: about that many bytes, and its rebalancing rule."""

    name: str
    size: int
    rebalance: str = ":rebalance-frequency :daily"


_PARTS = (
    Part("alpha", 2_000),
    Part("bonds", 3_000, ":rebalance-frequency :monthly"),
    Part("calm", 5_000, ":rebalance-threshold 0.05"),
    Part("drift", 8_000, ":rebalance-frequency :yearly"),
    Part("energy", 12_000, ":rebalance-frequency :weekly"),
    Part("faith", 20_000),
    Part("growth", 30_000, ":rebalance-threshold 0.1"),
    Part("hedge", 45_000, ":rebalance-frequency :quarterly"),
    Part("income", 70_000),
    Part("jump", 110_000, ":rebalance-frequency :weekly"),
    Part("kinetic", 180_000),
    Part("ladder", 300_000, ":rebalance-threshold 0.05"),
    Part("momentum", 600_000),
    Part("nasdaq", 1_100_000, ":rebalance-frequency :monthly"),
    Part("omega", 2_200_000),
)
SYMBOLS = tuple(sorted({*_OLD, *YOUNG, *RECENT, *DELISTED, RENAMED[0]}))
"""As symphonies spell them."""


def symphonies(largest: int | None = None) -> dict[str, str]:
    """The text of each file, by the strategy's name; `largest` leaves out those of more bytes."""
    guests = (*YOUNG, *RECENT, *DELISTED, RENAMED[0])
    texts = {"gate": _GATE}
    for seed, part in enumerate(_PARTS, start=1):
        if largest is not None and part.size > largest:
            break
        few = max(2, len(guests) * part.size // 200_000)
        shifted = tuple(guests[(7 * seed + at) % len(guests)] for at in range(min(few, len(guests))))
        memories = (*_USUAL_MEMORIES, 90, 200) if part.name == _LONG_MEMORY else _USUAL_MEMORIES
        manner = Manner(part.rebalance, shifted, (252, 500, LONGEST - 1), memories)
        texts[part.name] = symphony_of_size(part.size, seed, _OLD, manner)
    return texts


def at_broker(symbol: str) -> str:
    """The symbol in the broker's spelling."""
    return BROKERS_SPELLING.get(symbol, symbol)


@cache
def market_history() -> PriceHistory:
    """What the exchange is given: closes at four decimals, the young without what came before. Events are apart."""
    dates, panel = _panel()
    closes = np.maximum(np.round(panel, _DECIMALS), _LEAST_PRICE)
    names = [at_broker(symbol) for symbol in SYMBOLS]
    for number, symbol in enumerate(YOUNG):
        closes[: len(dates) - SESSIONS + 10 * number + 3, names.index(symbol)] = np.nan
    order = np.argsort(np.array(names))
    return PriceHistory(tuple(dates), tuple(names[at] for at in order), closes[:, order], source="portfolio")


def events() -> tuple[MarketChange, ...]:
    """What befalls the exchange within the span."""
    days = span()
    symbol, into, at = RENAMED
    split, ratio, on = SPLIT
    return (
        *(Delisted(symbol=name, day=days[number]) for name, number in DELISTED.items()),
        *(SkippedBars(symbol=name, days=tuple(days[n] for n in numbers)) for name, numbers in GAPS.items()),
        Renamed(symbol=symbol, day=days[at], into=into),
        MadeSplit(symbol=split, day=days[on], ratio=ratio),
    )


@cache
def price_file() -> PriceHistory:
    """What a price file of the same feed holds afterwards: ended symbols end, skipped bars are missing."""
    after = changed(market_history(), events())
    closes = after.close.copy()
    for symbol, day in after.skipped:
        closes[after.dates.index(day), after.positions[symbol]] = np.nan
    split, _, on = SPLIT
    column = after.positions[split]
    closes[:, column] /= after.split_factors(split, span()[on])
    return PriceHistory(after.dates, after.symbols, closes, source="portfolio")


def span() -> tuple[date, ...]:
    """The sessions that are traded."""
    return market_history().dates[-SESSIONS:]


def _panel() -> tuple[Sequence[date], "np.ndarray[tuple[int, int], np.dtype[np.float64]]"]:
    """Dates, and closes (days, symbols) in the order of SYMBOLS."""
    real = market.real_file()
    if real is None:
        bars = market.random_bars(SYMBOLS, _RANDOM_DAYS)
        closes = bars.closes.copy()
        for number, symbol in enumerate(RECENT):
            closes[: _RANDOM_DAYS - SESSIONS - 34 - 30 * number, SYMBOLS.index(symbol)] = np.nan
        return bars.dates, closes
    history = real_prices(real)
    spelt = [symbol if symbol in history.positions else at_broker(symbol) for symbol in SYMBOLS]
    return history.dates, np.stack([history.bars(symbol).close for symbol in spelt], axis=1)


def write(folder: Path) -> None:
    """The files of the portfolio."""
    texts = symphonies()
    strategies = folder / "strategies"
    strategies.mkdir(parents=True, exist_ok=True)
    for name, text in texts.items():
        (strategies / f"{name}.clj").write_text(text, "utf-8")
    (strategies / "alchemiser.toml").write_text(configuration(texts), "utf-8")
    (folder / "alchemiser.toml").write_text(configuration(texts, strategies.name), "utf-8")
    prices = price_file()
    write_closes(folder / "prices.parquet", prices.dates, prices.symbols, prices.close)


def configuration(names: Iterable[str], folder: str | None = None) -> str:
    """The settings of the portfolio as TOML: equal shares, and limits that leave room for many legs.

    `folder` is where the strategies lie, for a file that lies elsewhere.
    """
    names = list(names)
    shares = "".join(f"{name} = {1 / len(names)!r}\n" for name in names)
    place = f'folder = "{folder}"\n' if folder is not None else ""
    return (
        f'[strategies]\n{place}on_unknown = "keep"\n\n'
        f"[strategies.allocations]\n{shares}\n[trading]\nmax_orders = 1000\n"
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """The command line; see the top of the file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, metavar="DIR")
    folder = parser.parse_args(arguments).out
    write(folder)
    sizes = [path.stat().st_size for path in (folder / "strategies").glob("*.clj")]
    sys.stdout.write(
        f"{folder}: {len(sizes)} symphonies of {min(sizes):,} to {max(sizes):,} bytes, {len(SYMBOLS)} symbols, "
        f"{market.source() if market.real_file() else 'seeded random walks'}\n"
    )


if __name__ == "__main__":
    main()
