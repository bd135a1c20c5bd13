"""What vendors call a column, and how they write a symbol."""

import re
from enum import StrEnum
from functools import cache


class Field(StrEnum):
    """What a column may be."""

    DATE = "date"
    SYMBOL = "symbol"
    OPEN = "open"
    HIGH = "high"
    LOW = "low"
    CLOSE = "close"
    ADJ_CLOSE = "adj_close"
    VOLUME = "volume"
    SPLIT = "split"
    IGNORE = "ignore"
    """Known, and not used."""


# Headings without case, blanks and signs; of several for one field the first that a table has counts.
_SPELLINGS: dict[Field, str] = {
    Field.DATE: "date datetime timestamp day tradingday tradingdate tradedate pricedate asofdate formatteddate "
    "observationdate caldt dt datum time",
    Field.SYMBOL: "symbol ticker tickersymbol sym tic stocksymbol symbols actsymbol instrument code stockcode stock "
    "name",
    Field.OPEN: "open openprice openingprice pxopen eroffnung eröffnung erster",
    Field.HIGH: "high highprice pxhigh hoch",
    Field.LOW: "low lowprice pxlow tief",
    Field.CLOSE: "close closeprice closingprice closelast pxlast schluss schlusskurs last lastprice price "
    "closeclosepriceadjustedforsplits",
    Field.ADJ_CLOSE: "adjclose adjustedclose closeadj closeadjusted adjcloseprice adjustedcloseprice "
    "adjcloseadjustedclosepriceadjustedforsplitsanddividendandorcapitalgaindistributions",
    Field.VOLUME: "volume vol volumen sharevolume totalvolume pxvolume",
    Field.SPLIT: "split splitratio splitfactor stocksplits splitcoefficient splits",
    Field.IGNORE: "vwap vw n tradecount numtrades transactions dividends dividend divcash dividendamount exdividend "
    "capitalgains closeunadj closeunadjusted lastupdated adjopen adjhigh adjlow adjvolume adjustedopen adjustedhigh "
    "adjustedlow adjustedvolume openint openinterest per change changepercent pctchange chg percentchange turnover "
    "marketcap currency exchange figi otc unnamed level0 index bid ask numberoftrades",
}
_FIELDS = {name: field for field, names in _SPELLINGS.items() for name in names.split()}
_RANK = {name: place for names in _SPELLINGS.values() for place, name in enumerate(names.split())}
_SINGLE = {
    "t": Field.DATE, "S": Field.SYMBOL, "T": Field.SYMBOL, "o": Field.OPEN, "h": Field.HIGH, "l": Field.LOW,
    "c": Field.CLOSE, "v": Field.VOLUME, "n": Field.IGNORE, "vw": Field.IGNORE,
}  # fmt: skip
_LOOKS_ADJUSTED = re.compile(r"adj|total.?return|(^|[^a-z])tr($|[^a-z])", re.IGNORECASE)
ADJUSTED_PRICES = {
    Field.OPEN: ("adjopen", "adjustedopen"),
    Field.HIGH: ("adjhigh", "adjustedhigh"),
    Field.LOW: ("adjlow", "adjustedlow"),
    Field.VOLUME: ("adjvolume", "adjustedvolume"),
}
"""What stands in for the raw field where only adjusted ones are there."""

_SHARE_CLASS = re.compile(r"^([A-Z]{1,5})[./\-_ ]([A-Z])$")
_MARKET = re.compile(r"^(?:NASDAQ|NYSE|NYSEARCA|ARCA|AMEX|BATS|US)[:.]|([.\-_]US| US(?: EQUITY)?)$", re.IGNORECASE)
_SYMBOL = re.compile(
    r"^[\^.]?[A-Za-z][A-Za-z0-9]{0,5}([.\-/ ][A-Za-z0-9]{1,4}|_[A-Za-z])?(=[FXfx])?$|^\d{1,4}\.[A-Za-z]{1,3}$"
)
_NOISE = re.compile(
    r"^(daily|day|d|1d|us|history|historical|hist|prices?|data|max|ohlcv?|eod|adjusted|stock|bars|quotes?|usd|download"
    r"|\d{4,8}|\d+y|\(\d+\))$",
    re.IGNORECASE,
)
_NO_SYMBOL = re.compile(
    r"^(data|stocks?|prices?|daily|bars?|ohlcv?|test|file|hist|history|quotes?|csv|table|export|download|market|all|my"
    r"|input|output|out|in|tidy|wide|panel|sample|funds?|etfs?|close|closes|final|new|old|raw|clean|df|one|two)\d*$",
    re.IGNORECASE,
)


@cache
def plain(heading: str) -> str:
    """Without case, blanks, signs and a number in front: ``5. adjusted close`` is `adjustedclose`."""
    return re.sub(r"[\W_]", "", re.sub(r"^\d+[a-z]?\.\s*", "", heading.strip()).lower())


def field_of(heading: str) -> Field | None:
    """What a heading of its own means; None if nothing is known of it."""
    return _FIELDS.get(plain(heading))


def fields_of(headings: list[str]) -> dict[str, Field | None]:
    """What each heading means beside the others: single letters count only if they are all the prices of a bar."""
    short = set("ohlc") <= set(headings)
    return {name: _SINGLE[name] if short and name in _SINGLE else field_of(name) for name in headings}


def rank(heading: str) -> int:
    """Of several columns for one field the lowest is the one that is meant."""
    return _RANK.get(plain(heading), 0)


def looks_adjusted(heading: str) -> bool:
    """Whether a column of unknown name may be one of adjusted prices."""
    return field_of(heading) is None and bool(_LOOKS_ADJUSTED.search(heading))


def looks_like_symbol(text: str) -> bool:
    """Whether it may be a ticker."""
    return bool(_SYMBOL.match(_MARKET.sub("", text.strip())))


def symbol_of(text: str) -> str:
    """As the project writes it: capitals, no market's name, a class of shares as BRK.B whatever stands before the B."""
    return _SHARE_CLASS.sub(r"\1.\2", _MARKET.sub("", text.strip().upper()))


def symbol_of_stem(stem: str, *, among_others: bool) -> str | None:
    """The symbol that a file's name gives; None if it may be none.

    A word such as `data` is a name of a file on its own; in capitals among other files it is a symbol.
    """
    if _SHARE_CLASS.match(stem.upper()) and not stem.upper().endswith(("_D", " D")):
        return symbol_of(stem)
    parts = [part for part in re.split(r"[_\s]+", _MARKET.sub("", stem)) if part]
    if len(parts) > 1:
        parts = [part for part in parts if not _NOISE.match(part)]
    if len(parts) != 1:
        return None
    name = re.sub(r"-(1d|daily|d|us|\d+)$", "", parts[0], flags=re.IGNORECASE)
    a_word = _NO_SYMBOL.match(name) and not (among_others and (name.isupper() or name != stem))
    return symbol_of(name) if looks_like_symbol(name) and not a_word else None
