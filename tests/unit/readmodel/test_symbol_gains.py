"""What each symbol earned, from plan to plan: exact as long as nobody but the runs moved its shares."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from alchemiser_common.ids import Side
from alchemiser_common.messages.report import ExecutionReport, LegReport, LegStatus
from alchemiser_readmodel.symbol_gains import PlannedRun, symbol_gains
from support.messages import make_report
from support.plans import planned, position

SYMBOLS = ("AAA", "BBB")


def run(shares: dict[str, Decimal], prices: dict[str, Decimal], fills: dict[str, Decimal]) -> PlannedRun:
    """A run that held `shares` and then filled (below 0: sold) at 1 USD over the price."""
    held = tuple(position(symbol, str(count), str(prices[symbol])) for symbol, count in shares.items() if count)
    legs = tuple(
        LegReport(
            symbol=symbol,
            side=Side.BUY if count > 0 else Side.SELL,
            status=LegStatus.FILLED,
            intended=abs(count),
            filled=abs(count),
            average_price=prices[symbol] + 1,
        )
        for symbol, count in fills.items()
        if count
    )
    return PlannedRun(planned({}, cash="1000", positions=held), report(*legs))


def report(*legs: LegReport) -> ExecutionReport:
    return make_report(legs=legs)


amounts = st.integers(-20, 20)
prices = st.integers(1, 300)


@given(st.lists(st.tuples(amounts, amounts, prices, prices), min_size=2, max_size=20))
def test_the_gains_add_up_to_the_change_of_all_values_less_what_was_paid(
    steps: list[tuple[int, int, int, int]],
) -> None:
    shares, runs, paid, begun = dict.fromkeys(SYMBOLS, Decimal(0)), [], Decimal(0), Decimal(0)
    for number, (first, second, a, b) in enumerate(steps):
        quoted = dict(zip(SYMBOLS, map(Decimal, (a, b)), strict=True))
        fills = {
            symbol: max(Decimal(wanted), -shares[symbol])
            for symbol, wanted in zip(SYMBOLS, (first, second), strict=True)
        }
        runs.append(run(shares, quoted, fills))
        value = sum((shares[symbol] * quoted[symbol] for symbol in SYMBOLS), Decimal(0))
        begun = value if number == 0 else begun
        if number < len(steps) - 1:
            paid += sum((count * (quoted[symbol] + 1) for symbol, count in fills.items()), Decimal(0))
            shares = {symbol: shares[symbol] + fills[symbol] for symbol in SYMBOLS}
    gains = symbol_gains(runs)
    assert sum((item.profit for item in gains), Decimal(0)) == value - begun - paid
    assert not any(item.untold for item in gains)


def test_shares_that_somebody_else_moved_are_named_and_not_counted() -> None:
    ten, one = {"AAA": Decimal(10)}, {"AAA": Decimal(100)}
    split = run({"AAA": Decimal(30)}, {"AAA": Decimal(34)}, {})
    gains = symbol_gains([run(ten, one, {}), split, run({"AAA": Decimal(30)}, {"AAA": Decimal(35)}, {})])
    assert [(item.symbol, item.profit, item.untold) for item in gains] == [
        ("AAA", Decimal(30), (split.plan.session,)),
    ]
