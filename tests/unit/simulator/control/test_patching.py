"""A patch changes the places that its path names, and nothing else."""

from __future__ import annotations

import copy

import pytest
from pydantic import JsonValue, ValidationError

from alchemiser_simulator.control.lies import Answer, Operation, Stale
from alchemiser_simulator.control.patching import patched

ORDERS: JsonValue = [
    {"symbol": "SPY", "qty": "10", "filled_qty": "4", "at": "2020-06-01T15:00:00Z"},
    {"symbol": "BRK.B", "qty": "3", "filled_qty": "0", "at": None},
]
BARS: JsonValue = {"bars": {"SPY": [{"c": 20.5}], "BRK.B": [{"c": 9}]}}


@pytest.mark.parametrize(
    ("answer", "operation", "path", "expected"),
    [
        (ORDERS, Operation(path="0.filled_qty", value=None), (0, "filled_qty"), None),
        (ORDERS, Operation(path="-1.status", value="held"), (1, "status"), "held"),
        (ORDERS, Operation(path="*.qty", do="multiply", value="-0.5"), (0, "qty"), "-5"),
        (ORDERS, Operation(path="*.filled_qty", do="copy", source="qty", value=0.5), (1, "filled_qty"), "1.5"),
        (ORDERS, Operation(path="0.at", do="shift", value=-90), (0, "at"), "2020-06-01T14:58:30Z"),
        (ORDERS, Operation(path="*", do="remove", where={"symbol": "SPY"}), (0, "symbol"), "BRK.B"),
        (ORDERS, Operation(path="*.qty", value="7", where={"symbol": "BRK.B"}), (1, "qty"), "7"),
        (ORDERS, Operation(path="", do="append", value="odd"), (2,), "odd"),
        (ORDERS, Operation(path="", value=[]), (), []),
        (BARS, Operation(path="bars.SPY.0.c", do="multiply", value=10), ("bars", "SPY", 0, "c"), 205.0),
        (BARS, Operation(path=("bars", "BRK.B"), value=None), ("bars", "BRK.B"), None),
        (BARS, Operation(path="bars", value=None), ("bars",), None),
    ],
    ids=lambda value: f"{value.do} {value.path}" if isinstance(value, Operation) else "",
)
def test_an_operation_changes_its_place(
    answer: JsonValue, operation: Operation, path: tuple[str | int, ...], expected: JsonValue
) -> None:
    before = copy.deepcopy(answer)
    after, found = patched(answer, [operation])
    place = after
    for key in path:
        place = place[key]  # type: ignore[index]
    assert found
    assert place == expected
    assert answer == before, "the true answer was changed"


@pytest.mark.parametrize(
    "operation",
    [
        Operation(path="5.qty", value=1),
        Operation(path="x.qty", value=1),
        Operation(path="0.nothing", do="remove"),
        Operation(path="0.symbol", do="multiply", value=2),
        Operation(path="0.symbol", do="append", value=2),
        Operation(path="1.at", do="shift", value=2),
        Operation(path="*.qty", value="7", where={"symbol": "QQQ"}),
        Operation(path="0.qty.more", value=1),
        Operation(path="*.symbol", do="shift", value=2),
        Operation(path="0.at", do="shift", value=1e12),
        Operation(path="0.at", do="shift", value=-1e300),
        Operation(path="0.qty", do="multiply", value="1e999999"),
        Operation(path="0.filled_qty", do="copy", source="symbol", value=0.5),
        Operation(path="1.filled_qty", do="copy", source="at", value=2),
    ],
    ids=lambda operation: f"{operation.do} {operation.path}",
)
def test_a_place_that_is_not_there_or_holds_something_else_is_left_alone(operation: Operation) -> None:
    assert patched(ORDERS, [operation]) == (ORDERS, False)


def test_a_number_that_json_could_not_write_is_left_alone() -> None:
    assert patched([20.5], [Operation(path="0", do="multiply", value="1e400")]) == ([20.5], False)


def test_operations_work_in_their_order_and_nonsense_is_refused() -> None:
    twice = [Operation(path="0", do="remove"), Operation(path="0.symbol", value="TLT")]
    assert patched(ORDERS, twice)[0] == [{**ORDERS[1], "symbol": "TLT"}]  # type: ignore[index,dict-item]
    with pytest.raises(ValidationError, match="needs a number"):
        Operation(path="0", do="multiply", value="half")
    with pytest.raises(ValidationError, match="needs a number"):
        Operation(path="0", do="shift", value=float("inf"))
    for path in ("", ()):
        with pytest.raises(ValidationError, match="remove needs one"):
            Operation(path=path, do="remove")
    with pytest.raises(ValidationError, match="copy needs it"):
        Operation(path="0", do="copy")
    with pytest.raises(ValidationError, match="either reads or seconds"):
        Stale()
    with pytest.raises(ValidationError, match="status"):
        Answer(status=99)
