"""The rules of the built-in strategies a second time, as plain ifs written from their tables. The trees must agree."""

from collections.abc import Callable, Mapping

type Read = Callable[[str, str, int], float]
"""(metric, symbol, window) to a value."""
type Weights = dict[str, float]

OVERBOUGHT = {
    "QQQE": 79, "VTV": 79, "VOX": 79, "TECL": 79, "VOOG": 79, "VOOV": 79,
    "XLP": 75, "TQQQ": 79, "XLY": 80, "FAS": 80, "SPY": 80,
}  # fmt: skip


def nuclear(read: Read, *, real_volatility: bool = False) -> Weights:
    def r10(symbol: str) -> float:
        return read("rsi", symbol, 10)

    hedge = {"UVXY": 0.75, "BTAL": 0.25}
    if r10("SPY") > 81:
        return {"UVXY": 1.0}
    if r10("SPY") > 79:
        return {"UVXY": 1.0} if max(map(r10, ("IOO", "TQQQ", "VTV", "XLF"))) > 81 else hedge
    if r10("VOX") > 79:
        return {"UVXY": 1.0} if r10("XLF") > 81 else hedge
    if r10("TQQQ") < 30:
        return {"TQQQ": 1.0}
    if r10("SPY") < 30:
        return {"UPRO": 1.0}
    if read("current-price", "SPY", 0) > read("moving-average-price", "SPY", 200):
        names = ["SMR", "BWXT", "LEU", "EXC", "NLR", "OKLO"]
        names.sort(key=lambda symbol: -read("moving-average-return", symbol, 90))
        return dict.fromkeys(names[:3], 1 / 3)
    first, second = bear_votes(read)
    if first == second:
        return {first: 1.0}
    if real_volatility:
        risk = {symbol: read("stdev-return", symbol, 13) for symbol in (first, second)}
    else:
        risk = {symbol: 0.20 + 0.30 * abs(50 - r10(symbol)) / 100 for symbol in (first, second)}
    total = 1 / risk[first] + 1 / risk[second]
    return {symbol: 1 / value / total for symbol, value in risk.items()}


def bear_votes(read: Read) -> tuple[str, str]:
    psq = read("rsi", "PSQ", 20)
    bonds, firm = read("rsi", "TLT", 20) > psq, read("rsi", "IEF", 10) > psq
    up = read("current-price", "TQQQ", 0) > read("moving-average-price", "TQQQ", 20)
    if read("rsi", "PSQ", 10) < 35:
        return "SQQQ", "SQQQ"
    if read("cumulative-return", "QQQ", 60) < -10:
        first = "TQQQ" if bonds else "PSQ"
    elif up:
        first = "TQQQ" if bonds else "SQQQ"
    else:
        first = "SQQQ" if firm else "QQQ" if bonds else "SQQQ"
    return first, ("TQQQ" if up else "QQQ") if bonds else "SQQQ"


def tecl(read: Read) -> Weights:  # noqa: C901 - a table
    def r10(symbol: str) -> float:
        return read("rsi", symbol, 10)

    bull = read("current-price", "SPY", 0) > read("moving-average-price", "SPY", 200)
    if bull and (r10("TQQQ") > 79 or r10("SPY") > 80):
        return {"UVXY": 0.25, "BIL": 0.75}
    if not bull:
        if r10("TQQQ") < 31:
            return {"TECL": 1.0}
        if r10("SPXL") < 29:
            return {"SPXL": 1.0}
        if r10("UVXY") > 84:
            return {"UVXY": 0.15, "BIL": 0.85}
        if r10("UVXY") > 74:
            return {"BIL": 1.0}
    if r10("XLK") > r10("KMLM"):
        return {"BIL": 1.0} if r10("XLK") > 81 else {"TECL": 1.0}
    if r10("XLK") < 29:
        return {"TECL": 1.0}
    if bull:
        return {"BIL": 1.0}
    return {"SQQQ": 1.0} if read("rsi", "SQQQ", 9) >= read("rsi", "BSV", 9) else {"BSV": 1.0}


def klm(read: Read, name: str, *, intended: bool = False) -> Weights:  # noqa: C901 - a table
    if name == "530/18":
        return klm_530(read, intended=intended)

    def r10(symbol: str) -> float:
        return read("rsi", symbol, 10)

    def lowest(metric: str, window: int, *symbols: str) -> str:
        return min(symbols, key=lambda symbol: read(metric, symbol, window))

    def highest(metric: str, window: int, *symbols: str) -> str:
        return max(symbols, key=lambda symbol: read(metric, symbol, window))

    if any(r10(symbol) > level for symbol, level in OVERBOUGHT.items()):
        return {"UVXY": 1.0}
    gate = {"1280/26": "", "nova": "UVIX" if intended else ""}.get(name, "UVXY")
    if gate and read("rsi", gate, 21) > 65:
        return {"VIXM": 1.0} if read("rsi", "SPY", 21) > 30 else {"SPXL": 1.0}
    for symbol, buy in (("TQQQ", "TECL"), ("SOXL", "SOXL"), ("SPXL", "SPXL")):
        if r10(symbol) < 30:
            return {buy: 1.0}
    if name in {"506/38", "1280/26", "410/38"} and r10("LABU") < 25:
        return {"LABU": 1.0}
    if r10("XLK") > r10("KMLM"):
        return technology(name, lowest, highest, r10, intended=intended)
    if name in {"1280/26", "1200/28"}:
        return {highest("rsi", 10, "SQQQ", "TLT"): 1.0}
    if name == "830/21":
        if intended and read("moving-average-return", "BND", 20) > 0:
            return {lowest("rsi", 10, "KMLM", "SPLV"): 1.0}
        return {highest("rsi", 10, "TLT", "LABD", "TZA"): 1.0}
    rotators = {"506/38": ("UUP", "FTLS", "KMLM"), "410/38": ("UUP", "FTLS", "KMLM", "SSO")}
    return {lowest("stdev-return", 6, *rotators.get(name, ("FTLS", "KMLM", "SSO", "UUP"))): 1.0}


def technology(
    name: str,
    lowest: Callable[..., str],
    highest: Callable[..., str],
    r10: Callable[[str], float],
    *,
    intended: bool,
) -> Weights:
    if name in {"506/38", "410/38"}:
        return {"FNGU": 1.0}
    if name == "1280/26":
        return dict.fromkeys(sorted(("TECL", "SOXL", "SVIX"), key=r10)[:2], 0.5)
    if name == "1200/28":
        return {lowest("rsi", 10, "TECL", "SOXL", "SVIX"): 1.0}
    if name == "520/22":
        return {lowest("rsi", 10, "TECL", "SVIX"): 1.0}
    if name == "830/21":
        return {highest("rsi", 10, "TECL", "SOXL", "SVIX"): 1.0}
    if not intended:
        return {"FNGO": 1.0}
    return {highest("rsi", 11, "FNGO", "TSLA", "MSFT", "AAPL", "NVDA", "GOOGL", "AMZN"): 1.0}


HARD = {"UVXY": 0.667, "VIXM": 0.333}
MEDIUM = {"UVXY": 1 / 3, "VXX": 1 / 3, "VIXM": 1 / 3}
SOFT = {"VIXY": 1 / 3, "VXX": 1 / 3, "VIXM": 1 / 3}
WAIT = {"BTAL": 0.5, "BIL": 0.5}
TIERS: tuple[tuple[str, float, float, Mapping[str, float], Mapping[str, float]], ...] = (
    ("SPY", 80, 82.5, HARD, MEDIUM),
    ("IOO", 80, 82.5, HARD, MEDIUM),
    ("QQQ", 79, 82.5, HARD, MEDIUM),
    ("VTV", 79, 85, MEDIUM, SOFT),
    ("XLP", 77, 85, MEDIUM, SOFT),
    ("XLF", 81, 85, MEDIUM, SOFT),
    ("RETL", 82, 85, SOFT, WAIT),
)


def klm_530(read: Read, *, intended: bool) -> Weights:  # noqa: C901 - a table
    def r10(symbol: str) -> float:
        return read("rsi", symbol, 10)

    for symbol, entry, extreme, worse, bad in TIERS:
        if r10(symbol) > entry:
            return dict(worse if r10(symbol) > extreme else bad)
    if read("rsi", "SPY", 70) > 63:
        if intended and read("rsi", "AGG", 15) > read("rsi", "QQQ", 15):
            return dict.fromkeys(("TQQQ", "SPXL", "SOXL", "FNGU", "ERX"), 0.2)
        return {"GLD": 0.5, "SLV": 0.25, "PDBC": 0.25}
    if r10("VOX") > 79 or r10("XLP") > 75:
        return dict(SOFT)
    if intended and read("cumulative-return", "TQQQ", 6) < -12:
        if read("cumulative-return", "TQQQ", 1) > 5.5:
            return dict(MEDIUM)
        for symbol, level, buy in (("TQQQ", 31, "TECL"), ("SOXL", 30, "SOXL"), ("SPXL", 30, "SPXL")):
            if r10(symbol) < level:
                return {buy: 1.0}
    if r10("XLK") > r10("KMLM"):
        choice = min((r10("TECL"), 0, "TECL"), (r10("SVXY"), 1, "SVXY"), (50.0, 2, ""))[2]
        if choice:
            return {choice: 1.0}
        if not intended:
            return {"FNGU": 1.0}
        leaders = ("FNGU", "SPXL", "XLE", "XLK", "AGG")
        leader = max(leaders, key=lambda symbol: read("moving-average-return", symbol, 20))
        return {"FNGU": 1.0} if leader == "FNGU" else {"FNGU": 0.5, leader: 0.5}
    calm = sorted(("SVXY", "VIXM", "FTLS", "KMLM", "UUP"), key=lambda symbol: read("stdev-return", symbol, 6))
    return dict.fromkeys(calm[:3], 1 / 3)
