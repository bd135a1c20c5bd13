"""Other backtesters on weights that are given to them. Runs in an environment of its own, where they are installed.

python -m benchmarks.peer_portfolios NAME INPUT.npz OUTPUT.npz REPEATS; prints seconds as JSON. Orders fill at the
close they were decided on, shares are fractional, nothing costs anything, and everyone starts with 1,000,000.
"""

import gc
import json
import sys
import time
import warnings
from collections.abc import Callable
from importlib import import_module
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.rotation import weights

CASH = 1_000_000.0
_RESERVE = 100 * CASH
"""Cash beside the account: backtrader drops an order that overdraws it, if only by a rounding or until a sale."""
type Equity = np.ndarray[tuple[int], np.dtype[np.float64]]
type Simulation = Callable[[pd.DataFrame, pd.DataFrame], Equity]


def vectorbt() -> Simulation:
    """Compiled by numba: the first call is slow."""
    vbt: Any = import_module("vectorbt")

    def simulate(closes: pd.DataFrame, targets: pd.DataFrame) -> Equity:
        portfolio = vbt.Portfolio.from_orders(
            closes,
            size=targets,
            size_type="targetpercent",
            cash_sharing=True,
            group_by=True,
            call_seq="auto",
            fees=0.0,
            init_cash=CASH,
            freq="1D",
        )
        return np.asarray(portfolio.value(), dtype=np.float64)

    return simulate


def bt() -> Simulation:
    """A tree of securities, walked every day."""
    library: Any = import_module("bt")

    def simulate(closes: pd.DataFrame, targets: pd.DataFrame) -> Equity:
        steps = [library.algos.WeighTarget(targets), library.algos.Rebalance()]
        strategy = library.Strategy("rotation", steps)
        test = library.Backtest(strategy, closes, initial_capital=CASH, integer_positions=False, progress_bar=False)
        test.run()
        return np.asarray(test.strategy.data["value"].loc[closes.index], dtype=np.float64)

    return simulate


def backtrader() -> Simulation:
    """Event by event; cheats on close, as the others do."""
    library: Any = import_module("backtrader")

    class Fractional(library.CommInfoBase):  # type: ignore[misc]  # the library has no types
        def getsize(self, price: float, cash: float) -> float:
            return cash / price

    class Rotation(library.Strategy):  # type: ignore[misc]  # the library has no types
        params = (("targets", None),)

        def __init__(self) -> None:
            self.equity: list[float] = []

        def next(self) -> None:
            row = self.p.targets[len(self.equity)]
            self.equity.append(self.broker.getvalue() - _RESERVE)
            for data, share in zip(self.datas, row, strict=True):
                self.order_target_value(data, target=share * self.equity[-1])

    def simulate(closes: pd.DataFrame, targets: pd.DataFrame) -> Equity:
        cerebro = library.Cerebro(stdstats=False)
        for symbol in closes.columns:
            column = closes[symbol]
            frame = pd.DataFrame({"open": column, "high": column, "low": column, "close": column})
            cerebro.adddata(library.feeds.PandasData(dataname=frame, volume=None, openinterest=None), name=symbol)
        cerebro.broker.setcash(CASH + _RESERVE)
        cerebro.broker.set_coc(True)
        cerebro.broker.set_checksubmit(False)
        cerebro.broker.addcommissioninfo(Fractional(commission=0.0, stocklike=True))
        cerebro.addstrategy(Rotation, targets=targets.to_numpy())
        return np.asarray(cerebro.run()[0].equity)

    return simulate


PEERS: dict[str, Callable[[], Simulation]] = {"vectorbt": vectorbt, "bt": bt, "backtrader": backtrader}


def main(name: str, given: str, found: str, repeats: int) -> None:
    """Simulate once cold and then warm; write weights and equity, print the seconds of each."""
    warnings.simplefilter("ignore")
    data = np.load(given)
    closes = pd.DataFrame(data["closes"], index=pd.to_datetime(data["days"]), columns=data["symbols"].tolist())
    targets, weighing = _measured(lambda: weights(closes))
    began = time.perf_counter()
    simulate = PEERS[name]()
    loading = time.perf_counter() - began
    equity, cold = _measured(lambda: simulate(closes, targets))
    runs = [_measured(lambda: simulate(closes, targets))[1] for _ in range(repeats)]
    np.savez(found, weights=targets.to_numpy(), equity=equity / equity[0])
    seconds = {
        "import": loading,
        "pandas": weighing[0],
        "cold": cold[0],
        "walls": [wall for wall, _ in runs],
        "cpus": [cpu for _, cpu in runs],
    }
    sys.stdout.write(json.dumps(seconds))


def _measured[T](work: Callable[[], T]) -> tuple[T, tuple[float, float]]:
    gc.collect()
    cpu, wall = time.process_time(), time.perf_counter()
    made = work()
    return made, (time.perf_counter() - wall, time.process_time() - cpu)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]))
