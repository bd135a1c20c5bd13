"""What the explorer of a lying broker once found, each written out: the seeds may draw something else some day."""

from decimal import Decimal

import pytest

from alchemiser_common.messages.report import RunStatus
from alchemiser_simulator.control.faults import PartialFills, When
from support.liar.endpoints import ORDERS, Endpoint
from support.liar.explorer import play
from support.liar.runner import exchange
from support.liar.scenario import Deed, Mishap, Mode, Quirk, Scenario
from support.liar.telling import Lie
from support.quiet import quiet

SHORT_OF_BUYING_POWER = Scenario(
    seed=86,
    mode=Mode.LIVENESS,
    weights={"DDD": 0.32, "BBB": 0.32, "AAA": 0.16},
    holdings={"EEE": Decimal("123.014090930"), "CCC": Decimal("2543.127865374")},
    parts=(),
    truth_after=39.1,
    power=0.74,
)
SET_BACK_FOR_GOOD = Scenario(
    seed=506,
    mode=Mode.LIVENESS,
    weights={"AAA": 0.2, "BBB": 0.3, "FFF": 0.5},
    holdings={"DDD": Decimal(5331), "EEE": Decimal("72.715987571"), "AAA": Decimal(325)},
    parts=(
        Deed("the machine's clock jumps back", 51.0, "FFF", 0.96),
        Mishap(delivery=0, name="kill-before", call=39, length=700),
    ),
    truth_after=313.0,
)
UNREADABLE_BESIDE_OTHERS = Scenario(
    seed=548,
    mode=Mode.LIVENESS,
    weights={"CCC": 0.25, "EEE": 0.33, "FFF": 0.25, "DDD": 0.17},
    holdings={"FFF": Decimal(1445), "DDD": Decimal(4144)},
    parts=(Lie("positions", "quantity null", (Endpoint.POSITIONS,), 0, None, "DDD", 0.82),),
    truth_after=229.0,
)
CANCELS_ARE_REFUSED = Scenario(
    seed=2121,
    mode=Mode.LIVENESS,
    weights={"FFF": 0.67, "EEE": 0.33},
    holdings={},
    parts=(Lie("error on a read", "451 HTML", (Endpoint.CANCEL,), 1, None, "FFF", 0.98),),
    truth_after=92.1,
)
STRANGER_IN_ONE_LIST = Scenario(
    seed=1729,
    mode=Mode.SAFETY,
    weights={"BBB": 0.416, "AAA": 0.333, "EEE": 0.25},
    holdings={"FFF": Decimal("1201.114642826")},
    parts=(
        Lie("account", "more equity", (Endpoint.ACCOUNT,), 0, 1, "FFF", 0.61),
        Lie("order absent", "JSON", (Endpoint.OPEN,), 0, 4, "BBB", 0.0),
        Deed("a person's order stays open", 30.3, "BBB", 0.78),
        Mishap(delivery=0, name="die after", call=16, length=30),
    ),
    truth_after=1e9,
)
OVERSTATED_FOR_LONG = Scenario(
    seed=1837,
    mode=Mode.SAFETY,
    weights={"EEE": 0.266, "DDD": 0.2, "FFF": 0.333, "AAA": 0.2},
    holdings={"EEE": Decimal(228), "FFF": Decimal("188.146253490"), "BBB": Decimal(317)},
    parts=(
        Lie("order overstated", "an odd status, filled in full", (*ORDERS, Endpoint.SUBMIT), 3, 3, "DDD", 0.29),
        Deed("a person buys", 15.9, "DDD", 0.09),
    ),
    truth_after=1e9,
)
OVERSTATED_ONCE = Scenario(
    seed=4181,
    mode=Mode.SAFETY,
    weights={"DDD": 0.25, "AAA": 0.125, "EEE": 0.625},
    holdings={},
    parts=(
        Lie("order overstated", "filled in full", (*ORDERS, Endpoint.SUBMIT), 0, 1, "AAA", 0.86),
        Deed("a person buys", 12.8, "AAA", 0.24),
    ),
    truth_after=1e9,
)
UNPRICED_FOR_GOOD = Scenario(
    seed=4426,
    mode=Mode.SAFETY,
    weights={"CCC": 0.088, "AAA": 0.444, "DDD": 0.266},
    holdings={"EEE": Decimal(171)},
    parts=(Lie("positions", "price null", (Endpoint.POSITIONS,), 0, None, "EEE", 0.59),),
    truth_after=1e9,
)
CUT_FOR_NOW_AT_THE_DEADLINE = Scenario(
    seed=2962,
    mode=Mode.SAFETY,
    weights={"EEE": 0.123, "BBB": 0.307, "FFF": 0.184, "DDD": 0.184},
    holdings={"AAA": Decimal(573)},
    parts=(
        Lie("error on a read", "503 JSON", (Endpoint.ASSET,), 0, 4, "AAA", 0.66),
        Lie("other holdings", "nothing that can be read", (Endpoint.POSITIONS,), 0, 5, "AAA", 0.18),
        Lie("order state", "an odd status, a part filled", (Endpoint.SUBMIT,), 0, 1, "AAA", 0.92),
        Mishap(delivery=2, name="pause", call=23, length=90),
    ),
    truth_after=1e9,
    process_seconds=240.0,
)
FROZEN_UNTIL_THE_TRUTH = Scenario(
    seed=2567,
    mode=Mode.LIVENESS,
    weights={"EEE": 0.5, "AAA": 0.5},
    holdings={"EEE": Decimal(211), "CCC": Decimal("418.157363278")},
    parts=(
        Quirk(
            "fills half and then rests",
            PartialFills(
                match=When(method="POST", path="^/v2/orders$", symbol="CCC"),
                count=2,
                fraction=Decimal("0.5"),
                max_fills=1,
                interval_seconds=1,
                then="rest",
            ),
            passing=False,
        ),
        Lie("order state", "filled, with nothing filled", (*ORDERS, Endpoint.SUBMIT), 7, None, "AAA", 0.31),
        Mishap(delivery=0, name="die before", call=32, length=700),
        Mishap(delivery=1, name="kill-after", call=18, length=700),
    ),
    truth_after=392.5,
)
PAID_OUT_WHILE_PRICES_ARE_ASKED_FOR = Scenario(
    seed=2676,
    mode=Mode.LIVENESS,
    weights={"DDD": 0.454, "CCC": 0.181, "EEE": 0.09, "FFF": 0.272},
    holdings={},
    parts=(
        Lie("trades", "0.01 times", (Endpoint.TRADES,), 0, None, "DDD", 0.55),
        Deed("cash is withdrawn", 20.5, "FFF", 0.76),
    ),
    truth_after=245.7,
)


@pytest.mark.parametrize(
    ("scenario", "status", "said"),
    [
        (SHORT_OF_BUYING_POWER, RunStatus.COMPLETED, "buy AAA: partial, cut from"),
        (SET_BACK_FOR_GOOD, RunStatus.HALTED, "this machine's clock is"),
        (UNREADABLE_BESIDE_OTHERS, RunStatus.PARTIAL, "sell FFF left alone: 10256.40 USD of it are kept"),
        (CANCELS_ARE_REFUSED, RunStatus.COMPLETED, ""),
        (STRANGER_IN_ONE_LIST, RunStatus.HALTED, "open order that is not this system's: buy order of BBB"),
        (OVERSTATED_FOR_LONG, RunStatus.HALTED, "said to have filled 3540 shares, the position has moved by 10;"),
        (OVERSTATED_ONCE, RunStatus.HALTED, "said to have filled 123.688155 shares, the position has moved by 25;"),
        (UNPRICED_FOR_GOOD, RunStatus.PARTIAL, "sell EEE left alone: held as unpriced: 171 shares"),
        (CUT_FOR_NOW_AT_THE_DEADLINE, RunStatus.PARTIAL, "buy FFF: partial, no order after"),
        (FROZEN_UNTIL_THE_TRUTH, RunStatus.PARTIAL, "buy AAA: unfilled, the broker contradicts itself"),
        (PAID_OUT_WHILE_PRICES_ARE_ASKED_FOR, RunStatus.HALTED, "equity fell 0.7600 since the last close"),
    ],
    ids=[
        "buying power that two buys share",
        "a dead worker's lease under a clock that was set back",
        "a position whose quantity is null",
        "cancels that are refused for longer than the end of one is waited for",
        "a stranger's order in the day's list that the list of open orders lacks",
        "an order called filled by all who are asked, beside a person's trade",
        "an order called filled by its request's answer alone, beside a person's trade",
        "shares to be sold that have a worth and no price",
        "a buy that was cut for now, and had its rest to come when the time was over",
        "a frozen order whose end is told later, beside a buy that waits for its cash",
        "cash that is paid out while prices that disagree are asked for again",
    ],
)
def test_what_was_found_once_is_not_found_again(scenario: Scenario, status: RunStatus, said: str) -> None:
    with quiet():
        played = play(exchange(), scenario)
    assert not played.violations, str(played)
    assert played.report is not None
    assert (played.report.status, said in played.report.reason) == (status, True), str(played)
