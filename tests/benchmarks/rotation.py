"""The one rule set that all backtesters are given: a rotation over ten ETFs, as symphony text and in pandas.

Imports nothing of this project: it is also read in the peers' environment.
"""

import pandas as pd

SYMBOLS = ("AGG", "IEF", "QQQ", "SPY", "TLT", "UUP", "VTV", "XLF", "XLK", "XLY")
DAYS = 3_774
_GROWTH = ["QQQ", "VTV", "XLF", "XLK", "XLY"]
_SAFE = ["AGG", "IEF", "TLT", "UUP"]

TEXT = """
(defsymphony "Rotation" {:asset-class "EQUITIES", :rebalance-frequency :daily}
 (weight-equal
  [(if (> (rsi "QQQ" {:window 10}) 79)
    [(asset "UUP" nil)]
    [(if (> (current-price "SPY") (moving-average-price "SPY" {:window 200}))
      [(filter (rsi {:window 20}) (select-top 3)
        [(asset "QQQ" nil) (asset "VTV" nil) (asset "XLF" nil) (asset "XLK" nil) (asset "XLY" nil)])]
      [(if (< (rsi "SPY" {:window 10}) 30)
        [(weight-specified 0.6 (asset "SPY" nil) 0.4 (asset "TLT" nil))]
        [(filter (moving-average-return {:window 20}) (select-top 2)
          [(asset "AGG" nil) (asset "IEF" nil) (asset "TLT" nil) (asset "UUP" nil)])])])])]))
"""


def rsi(closes: pd.DataFrame, window: int) -> pd.DataFrame:
    """Wilder's, from zero at the first bar."""
    change = closes.diff()
    gain = change.clip(lower=0).fillna(0).ewm(alpha=1 / window, adjust=False).mean()
    loss = (-change).clip(lower=0).fillna(0).ewm(alpha=1 / window, adjust=False).mean()
    value = 100 * gain / (gain + loss)
    value.iloc[:window] = float("nan")
    return value


def weights(closes: pd.DataFrame) -> pd.DataFrame:
    """The rotation's weights at every close, (days, symbols).

    A day on which something is unknown keeps what is held: nothing, or UUP alone, which cannot drift.
    """
    fast, slow = rsi(closes, 10), rsi(closes, 20)
    average = closes["SPY"].rolling(200).mean()
    returns = closes.pct_change().rolling(20).mean()
    hot = fast["QQQ"] > 79
    told = fast["QQQ"].notna() & average.notna() & ~hot
    bull = told & (closes["SPY"] > average)
    low = told & ~bull & (fast["SPY"] < 30)
    rest = told & ~bull & ~low
    growth = _best(slow[_GROWTH], 3).reindex(columns=closes.columns, fill_value=0.0)
    safe = _best(returns[_SAFE], 2).reindex(columns=closes.columns, fill_value=0.0)
    held = growth.mul(bull.astype(float), axis=0) + safe.mul(rest.astype(float), axis=0)
    held.loc[hot, "UUP"] = 1.0
    held.loc[low, "SPY"], held.loc[low, "TLT"] = 0.6, 0.4
    return held.where(told | hot).ffill().fillna(0.0)


def _best(values: pd.DataFrame, count: int) -> pd.DataFrame:
    return (values.rank(axis=1, ascending=False, method="first") <= count) / count
