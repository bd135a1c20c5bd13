"""The wire format is pinned by golden files, and every unreadable message is refused by name."""

import hashlib
import json
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest

from alchemiser_common.errors import InvalidMessage
from alchemiser_common.messages.bars import DailyBars, _pack
from alchemiser_common.messages.base import SCHEMA_VERSION, Message, Stage
from alchemiser_common.messages.decision import TradeDecision
from alchemiser_common.messages.event import RunEvent
from alchemiser_common.messages.reference import SnapshotReference
from alchemiser_common.messages.report import ExecutionReport, StageFailure
from alchemiser_common.messages.snapshot import MarketSnapshot
from alchemiser_common.messages.wire import MESSAGE_LIMIT, decode, encode
from support.messages import (
    SCHEDULED,
    make_decision,
    make_event,
    make_failure,
    make_reference,
    make_report,
    make_snapshot,
)
from support.next_minor import as_next_minor, as_then, with_unknown_field

GOLDEN = Path(__file__).parent / "golden"
MESSAGES = sorted(path for path in GOLDEN.glob("*/*.json") if path.parent.name != "records")
KINDS: list[tuple[str, type[Message], Callable[[], Message]]] = [
    ("market-snapshot", MarketSnapshot, make_snapshot),
    ("trade-decision", TradeDecision, make_decision),
    ("execution-report", ExecutionReport, make_report),
    ("stage-failure", StageFailure, make_failure),
    ("run-event", RunEvent, make_event),
    ("snapshot-reference", SnapshotReference, make_reference),
]


@pytest.mark.parametrize(("name", "kind", "make"), KINDS)
def test_todays_message_is_byte_for_byte_the_golden_one(
    name: str, kind: type[Message], make: Callable[[], Message]
) -> None:
    written = json.loads(encode(make()))
    golden = json.loads((GOLDEN / "current" / f"{name}.json").read_text())
    assert written == golden, (
        f"{kind.__name__} changed on the wire: raise the schema version and keep the old golden file"
    )


@pytest.mark.parametrize("path", MESSAGES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_every_golden_message_of_any_version_is_still_read(path: Path) -> None:
    name, kind, make = next(entry for entry in KINDS if entry[0] == path.stem)
    message = decode(path.read_text(), kind)
    now, then = said(make()), json.loads(path.read_text())
    assert as_then(said(message), then) == as_then(now, then), f"{name} is read as something else"
    assert message.schema_version == SCHEMA_VERSION, "what is sent on is of this version"
    content = {key: value for key, value in json.loads(path.read_text()).items() if key not in kind.ENVELOPE}
    assert message.content_hash() == hash_of(content), "it keeps the hash by which its sender names it"


def hash_of(content: dict[str, object]) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def said(message: Message) -> dict[str, object]:
    """The content. The bytes that a reference's digest is of have their own version in them."""
    return message.model_dump(exclude={*message.ENVELOPE, "sha256"})


@pytest.mark.parametrize(("name", "kind", "make"), KINDS)
def test_what_the_next_minor_sends_is_read_and_keeps_the_senders_hash(
    name: str, kind: type[Message], make: Callable[[], Message]
) -> None:
    sent = as_next_minor(encode(make()))
    content = {key: value for key, value in json.loads(sent).items() if key not in kind.ENVELOPE}
    hash_of_the_sender = hash_of(content)
    message = decode(sent, kind)
    assert said(message) == said(make()), f"{name} is read as something else"
    assert message.content_hash() == hash_of_the_sender != make().content_hash()
    assert message.traced(Stage.TRADING, SCHEDULED, SCHEDULED).content_hash() == hash_of_the_sender
    assert json.loads(encode(message))["schema_version"] == SCHEMA_VERSION, "sent on as what this version knows of it"
    changed = message.model_copy(update={"account_alias": "other"})
    assert changed.content_hash() == make().model_copy(update={"account_alias": "other"}).content_hash()


@pytest.mark.parametrize("nested", [False, True], ids=["in the message", "deep inside"])
@pytest.mark.parametrize("version", [SCHEMA_VERSION, "1.3", "1.0"])
def test_a_field_that_no_such_version_has_is_refused(version: str, nested: bool) -> None:
    with pytest.raises(InvalidMessage, match="since_the_next_minor"):
        decode(with_unknown_field(encode(make_decision()), version, nested=nested), TradeDecision)


@pytest.mark.parametrize(("name", "kind", "make"), KINDS)
def test_a_message_survives_the_queue_unchanged(name: str, kind: type[Message], make: Callable[[], Message]) -> None:
    message = make()
    assert decode(encode(message), kind) == message, name


def changed(make: Callable[[], Message], path: str, value: object) -> str:
    content = json.loads(encode(make()))
    *parents, last = path.split(".")
    place = content
    for part in parents:
        place = place[int(part)] if part.isdigit() else place[part]
    place[last] = value
    return json.dumps(content)


REFUSED = [
    ("schema_version", "2.0", "schema_version is '2.0'; this reader knows 1.x"),
    ("schema_version", None, "schema_version is None"),
    ("kind", "market-snapshot", "kind is 'market-snapshot'; expected trade-decision"),
    ("run_id", "6f1c1f5e-5d0b-5b52-9d43-8f0a4a3c7e11", "is not the one of cycle"),
    ("targets.0.weight", float("nan"), "targets.0.weight"),
    ("targets.0.weight", -0.1, "greater than or equal to 0 (got -0.1)"),
    ("targets.0.weight", 1.5, "less than or equal to 1 (got 1.5)"),
    ("targets.0.weight", "0.375", "targets.0.weight"),
    ("targets.0.weight", 0.875, "target BIL: shares add up to 0.375"),
    ("targets.1.symbol", "BIL", "symbols appear more than once: BIL"),
    ("targets.0.symbol", "not a symbol", "targets.0.symbol"),
    ("not_after", "2020-06-03T13:45:00", "not_after"),
    ("session", "yesterday", "session"),
    ("surprise", 1, "surprise"),
]


@pytest.mark.parametrize(("path", "value", "words"), REFUSED, ids=[f"{path}={value}" for path, value, _ in REFUSED])
def test_a_message_that_breaks_its_contract_is_refused_by_field_and_value(path: str, value: object, words: str) -> None:
    with pytest.raises(InvalidMessage) as refusal:
        decode(changed(make_decision, path, value), TradeDecision)
    assert words in str(refusal.value)


@pytest.mark.parametrize(
    ("closes", "words"),
    [
        ([[310.5, 75.25], [float("inf"), 75.0]], "close of SPY on 2020-06-02 is inf"),
        ([[float("nan"), 75.25], [float("nan"), 75.0]], "SPY has no bar at all"),
        ([[310.5, 75.25], [311.0, -75.0]], "close of TECL on 2020-06-02 is -75.0"),
        ([[0.0, 75.25], [311.0, 75.0]], "close of SPY on 2020-06-01 is 0.0"),
    ],
)
def test_bars_with_impossible_prices_are_refused(closes: list[list[float]], words: str) -> None:
    packed = _pack(np.array(closes))
    with pytest.raises(InvalidMessage) as refusal:
        decode(
            changed(
                make_snapshot,
                "bars",
                {"dates": ["2020-06-01", "2020-06-02"], "symbols": ["SPY", "TECL"], "close": packed},
            ),
            MarketSnapshot,
        )
    assert words in str(refusal.value)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("", "not JSON"),
        ("{", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ("[1]", "a JSON list, not an object"),
        (b"\xff\xfe", "not JSON"),
        ("x" * (MESSAGE_LIMIT + 1), "the limit is 1,048,576"),
    ],
    ids=["empty", "truncated", "nested", "list", "not text", "oversized"],
)
def test_an_unreadable_body_is_refused(body: str | bytes, words: str) -> None:
    with pytest.raises(InvalidMessage) as refusal:
        decode(body, TradeDecision)
    assert words in str(refusal.value)


def snapshot_of(symbols: int, days: int) -> MarketSnapshot:
    """A snapshot of random walks at full precision, the hardest to pack."""
    steps = np.random.default_rng(1).normal(0, 0.02, (days, symbols))
    dates = [make_snapshot().session.previous_day - timedelta(days=days - 1 - at) for at in range(days)]
    bars = DailyBars.from_closes(dates, [f"S{at}" for at in range(symbols)], 100 * np.exp(np.cumsum(steps, axis=0)))
    return make_snapshot(bars=bars)


def test_a_queue_message_holds_150_symbols_of_600_bars_exactly() -> None:
    snapshot = snapshot_of(150, 600)
    body = encode(snapshot)
    assert len(body) < MESSAGE_LIMIT
    np.testing.assert_array_equal(decode(body, MarketSnapshot).bars.closes, snapshot.bars.closes)


def test_a_snapshot_that_does_not_fit_is_refused_with_its_size_before_it_is_sent() -> None:
    with pytest.raises(InvalidMessage, match=r"MarketSnapshot is [\d,]+ bytes; a queue message holds 1,048,576"):
        encode(snapshot_of(290, 700))


@pytest.mark.parametrize(
    ("packed", "words"),
    [("not base64!", "not base64"), ("AAAA", "not base64 of zlib"), ("eJwDAAAAAAE=", "do not hold 3 days x 2 symbols")],
)
def test_packed_bars_that_do_not_unpack_are_refused(packed: str, words: str) -> None:
    with pytest.raises(InvalidMessage) as refusal:
        decode(changed(make_snapshot, "bars.close", packed), MarketSnapshot)
    assert words in str(refusal.value)


def test_the_content_hash_ignores_who_sent_it_and_when() -> None:
    other = make_snapshot(trace=(), provenance=make_snapshot().provenance.model_copy(update={"feed": "iex"}))
    assert other.content_hash() == make_snapshot().content_hash()
    richer = make_snapshot(account=make_snapshot().account.model_copy(update={"cash": Decimal(1)}))
    assert richer.content_hash() != make_snapshot().content_hash()
