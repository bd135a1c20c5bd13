"""Whatever comes in, the answer is a valid message or an InvalidMessage, in bounded memory."""

import base64
import copy
import json
import random
import tracemalloc
import zlib
from collections.abc import Callable, Iterator
from datetime import date, timedelta

import pytest

from alchemiser_common.errors import InvalidMessage
from alchemiser_common.ids import Pipeline, run_id
from alchemiser_common.messages.bars import MOST_CLOSES
from alchemiser_common.messages.base import Message
from alchemiser_common.messages.decision import TradeDecision
from alchemiser_common.messages.event import RunEvent
from alchemiser_common.messages.reference import SnapshotReference
from alchemiser_common.messages.report import ExecutionReport, StageFailure
from alchemiser_common.messages.snapshot import MarketSnapshot
from alchemiser_common.messages.wire import MESSAGE_LIMIT, decode, encode
from support.messages import (
    make_decision,
    make_event,
    make_failure,
    make_reference,
    make_report,
    make_snapshot,
)

KINDS: tuple[type[Message], ...] = (
    MarketSnapshot,
    SnapshotReference,
    TradeDecision,
    StageFailure,
    ExecutionReport,
    RunEvent,
)
MAKERS: tuple[Callable[[], Message], ...] = (
    make_snapshot,
    make_decision,
    make_failure,
    make_reference,
    make_report,
    make_event,
)
type Json = dict[str, "Json"] | list["Json"] | str | int | float | bool | None


def refusal(body: str | bytes, *kinds: type[Message]) -> str:
    """Why it is refused; anything but an InvalidMessage fails the test."""
    with pytest.raises(InvalidMessage) as refused:
        decode(body, *(kinds or KINDS))
    assert len(str(refused.value)) < 3_000, "a reason is stored, and shown on a line"
    return str(refused.value)


def with_cycle(cycle: str, make: Callable[[], Message]) -> str:
    """A message of another cycle, with the run id that follows from it."""
    content = json.loads(encode(make()))
    run = str(run_id(cycle, Pipeline.MODULAR))
    return json.dumps({**content, "cycle_id": cycle, "run_id": run, "account_alias": "demo"})


@pytest.mark.parametrize("make", [make_decision, make_failure, make_snapshot])
@pytest.mark.parametrize(
    "cycle",
    [
        "",
        "demo",
        "demo:",
        "demo:yesterday",
        "demo:2020-06-03",
        "demo:2020-06-03T13:45:00",
        "demo:2020-06-03T13:45:00+00:00",
        "demo:9999-12-31T23:59:59-05:00",
        "demo:0001-01-01T00:00:00Z",
        "other:2020-06-03T13:45:00Z",
        "demo:2020-06-03T13:45:00Z\x1b[2J",
        "\ud800",
    ],
)
def test_a_malformed_or_foreign_cycle_is_refused(cycle: str, make: Callable[[], Message]) -> None:
    words = refusal(with_cycle(cycle, make) if cycle.isascii() else json.dumps({"cycle_id": cycle}))
    assert "\x1b" not in words


def changed(name: str, value: object, make: Callable[[], Message] = make_decision) -> str:
    return json.dumps({**json.loads(encode(make())), name: value})


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (changed("not_after", "9999-12-31T23:59:59-05:00"), "not_after: is no moment between the years 1 and 9998"),
        (changed("not_after", "9999-12-31T23:59:59Z"), "not_after: is no moment between"),
        (changed("not_after", "0001-01-01T00:00:00+05:00"), "not_after: is no moment between"),
        (changed("not_after", 10**40), "not_after"),
        (changed("orders_placed", "\ud800", make_report), "Invalid JSON"),
        (encode(make_decision()) + "\ud800", "not JSON"),
        (encode(make_decision()).replace("0.375", "9" * 5_000), "not JSON"),
        (encode(make_decision()).replace("0.375", "1e999"), "targets.0.weight"),
        (encode(make_decision()).replace("80.5", "NaN"), "left"),
        (encode(make_decision()).replace("80.5", "-Infinity"), "left"),
        (encode(make_decision())[:-1] + ',"session":"2020-06-05"}', "names 'session' more than once in one object"),
        (
            encode(make_decision()).replace('"weight":0.375,"shares"', '"weight":0.9,"weight":0.375,"shares"'),
            "'weight'",
        ),
        (encode(make_snapshot()).replace("100000.00", "1e999999999"), "account.equity: has more than 18 digits before"),
        (encode(make_snapshot()).replace("100000.00", "1e-999999999"), "account.equity: has more than"),
        (encode(make_snapshot()).encode("utf-16"), "JSON"),
        (changed("kind", [[[[]]]]), "kind is"),
        (changed("surprise" * 9_000, 1), "surprise"),
        (changed("strategy\x1b[31m", 1), r"'strategy\x1b[31m'"),
        (
            changed("signals", [json.loads(encode(make_decision()))["signals"][0]] * 2),
            "strategies appear more than once",
        ),
    ],
)
def test_what_used_to_raise_something_else_or_to_pass_is_refused_by_name(body: str | bytes, words: str) -> None:
    said = refusal(body)
    assert words in said, said
    assert "\x1b" not in said


@pytest.mark.parametrize("depth", [150, 900, 5_000, 200_000])
def test_lists_in_lists_are_refused_however_deep(depth: int) -> None:
    nested = "[" * depth + "]" * depth
    for name in ("signals", "kind", "schema_version", "surprise"):
        refusal(f'{encode(make_decision())[:-1]},"{name}s":{nested}}}')
        refusal(changed(name, "HERE").replace('"HERE"', nested))


def bomb(days: int, symbols: int) -> str:
    """A snapshot whose bars claim so many closes, all NaN, packed as `_pack` does."""
    size, packer = days * symbols, zlib.compressobj(9)
    parts = [packer.compress(b"\0" * size * 6), packer.compress(b"\xf8" * size), packer.compress(b"\x7f" * size)]
    packed = base64.b64encode(b"".join([*parts, packer.flush()])).decode()
    dates = [str(date(2020, 6, 2) - timedelta(days - 1 - at)) for at in range(days)]
    bars = {"dates": dates, "symbols": [f"S{at}" for at in range(symbols)], "close": packed}
    return changed("bars", bars, make_snapshot)


@pytest.mark.parametrize(
    ("days", "symbols", "words"),
    [
        (2_100, 2_000, f"2,100 days x 2,000 symbols are 4,200,000 closes; a table has {MOST_CLOSES:,} at most"),
        (21_000, 2, "bars.dates: Tuple should have at most 20000 items"),
        (1, 6_000, "bars.symbols: Tuple should have at most 5000 items"),
    ],
)
def test_a_bomb_is_refused_before_it_unpacks(days: int, symbols: int, words: str) -> None:
    body = bomb(days, symbols)
    assert len(body) < MESSAGE_LIMIT, "a queue would bring it"
    tracemalloc.start()
    said = refusal(body)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert words in said
    assert peak < 20_000_000, f"{peak:,} bytes"


def test_a_small_claim_does_not_unpack_to_more_than_it_says() -> None:
    packed = base64.b64encode(zlib.compress(b"\0" * 50_000_000, 9)).decode()
    bars = {**json.loads(encode(make_snapshot()))["bars"], "close": packed}
    tracemalloc.start()
    said = refusal(changed("bars", bars, make_snapshot))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert "bars do not hold 3 days x 2 symbols" in said
    assert peak < 2_000_000, f"{peak:,} bytes"


def test_a_symbol_repeated_a_hundred_thousand_times_is_refused_at_once() -> None:
    bars = {**json.loads(encode(make_snapshot()))["bars"], "symbols": ["SPY"] * 100_000}
    assert "bars.symbols" in refusal(changed("bars", bars, make_snapshot))


ODD: tuple[Json, ...] = (
    None,
    True,
    0,
    -1,
    10**30,
    1e308,
    "",
    "NaN",
    "1e999999999",
    "9999-12-31T23:59:59-14:00",
    "0001-01-01T00:00:00+14:00",
    "demo:2020-06-03T13:45:00Z",
    "\x00\x1b]0;title\x07",
    "ünïcode \u202e",
    "A" * 10_000,
    [],
    {},
    [[]],
    {"": {}},
)


def places(content: Json) -> Iterator[tuple[dict[str, Json], str] | tuple[list[Json], int]]:
    """Every place in a JSON value that holds another one."""
    if isinstance(content, dict):
        for name, inner in content.items():
            yield content, name
            yield from places(inner)
    elif isinstance(content, list):
        for index, inner in enumerate(content):
            yield content, index
            yield from places(inner)


def with_odd_bytes(rng: random.Random, body: str) -> bytes:
    """The text with bytes changed, lost or repeated."""
    raw = bytearray(body.encode())
    for _ in range(rng.randint(1, 5)):
        at, some = rng.randrange(len(raw)), rng.randint(1, 50)
        raw[at : at + some] = rng.choice([b"", bytes([rng.randrange(256)]), raw[at : at + some] * 2])
    return bytes(raw)


def with_odd_values(rng: random.Random, body: str) -> str:
    """The message with values, fields or elements changed, lost, repeated or added."""
    content: dict[str, Json] = json.loads(body)
    for _ in range(rng.randint(1, 3)):
        holder, key = rng.choice(list(places(content)))
        odd = copy.deepcopy(rng.choice(ODD))
        if isinstance(holder, list) and isinstance(key, int):
            holder[key : key + 1] = rng.choice([[], [odd], [holder[key]] * 3])
        elif isinstance(holder, dict) and isinstance(key, str):
            lost = holder.pop(key)
            holder |= rng.choice([{}, {key: odd}, {key: odd}, {key: lost, "odd": odd}, {key: lost, "\x1b": odd}])
        content = {**content, "kind": content.get("kind")}
    if rng.random() < 0.2:
        content["schema_version"] = rng.choice(["1.0", "1.99", "1.", "1.x", "1.1.1", "1." + "9" * 5_000])
    return json.dumps(content)


@pytest.mark.parametrize("seed", range(3))
def test_mutated_messages_are_read_or_refused_and_what_is_read_can_be_used(seed: int) -> None:
    rng = random.Random(seed)
    bodies = [encode(make()) for make in MAKERS]
    read, refused = 0, list[str]()
    for number in range(600):
        body = rng.choice(bodies)
        odd = with_odd_bytes(rng, body) if rng.random() < 0.3 else with_odd_values(rng, body)
        try:
            message = decode(odd, *KINDS)
        except InvalidMessage as error:
            refused.append(str(error))
            continue
        read += 1
        assert message.run.scheduled_at.tzinfo is not None
        assert len(message.content_hash()) == 64
        assert encode(decode(encode(message), *KINDS)) == encode(message), (seed, number)
    assert read > 20, "not every change is for the worse"
    assert max(map(len, refused)) < 3_000
    assert not any("\x1b" in reason or "\x00" in reason for reason in refused)
