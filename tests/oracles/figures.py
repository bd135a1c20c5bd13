"""What two maintained libraries make of a curve and a benchmark: JSON in on stdin, JSON out. Runs in .venv-oracles."""

import json
import sys
import warnings

import empyrical
import pandas as pd
import quantstats.stats as qs

warnings.simplefilter("ignore")


def figures(days: list[str], equity: list[float], benchmark: list[float], window: int) -> dict[str, dict[str, object]]:
    """By library and figure; what a library does not have is left out."""
    index = pd.DatetimeIndex(days)
    mine = pd.Series(equity, index).pct_change().dropna()
    other = pd.Series(benchmark, index).pct_change().dropna()
    greeks = qs.greeks(mine, other, prepare_returns=False)
    falls = qs.drawdown_details(qs.to_drawdown_series(mine)).sort_values("max drawdown").head(5)
    years = empyrical.aggregate_returns(mine, "yearly")
    return {
        "empyrical": {
            "total_return": empyrical.cum_returns_final(mine),
            "cagr": empyrical.annual_return(mine),
            "volatility": empyrical.annual_volatility(mine),
            "sharpe": empyrical.sharpe_ratio(mine),
            "sortino": empyrical.sortino_ratio(mine),
            "max_drawdown": empyrical.max_drawdown(mine),
            "calmar": empyrical.calmar_ratio(mine),
            "beta": empyrical.beta(mine, other),
            "alpha": ((1 + empyrical.alpha(mine, other)) ** (1 / 252) - 1) * 252,  # it compounds a year
            "up_capture": empyrical.up_capture(mine, other),
            "down_capture": empyrical.down_capture(mine, other),
            "rolling_sharpe": empyrical.roll_sharpe_ratio(mine, window).tolist(),
            "years": {str(year): value for year, value in years.items()},
        },
        "quantstats": {
            "total_return": qs.comp(mine),
            "volatility": qs.volatility(mine),
            "sharpe": qs.sharpe(mine),
            "sortino": qs.sortino(mine),
            "max_drawdown": qs.max_drawdown(mine),
            "cagr": qs.cagr(mine, periods=252),
            "calmar": qs.calmar(mine, periods=252),
            "beta": greeks["beta"],
            "alpha": greeks["alpha"],
            "correlation_squared": qs.r_squared(mine, other, prepare_returns=False),
            "rolling_sharpe": qs.rolling_sharpe(mine, rolling_period=window).dropna().tolist(),
            "worst": [value / 100 for value in falls["max drawdown"].tolist()],
            "excess": qs.comp(mine) - qs.comp(other),
        },
        "pandas": {"correlation": mine.corr(other)},
    }


if __name__ == "__main__":
    json.dump([figures(**case) for case in json.load(sys.stdin)], sys.stdout)
