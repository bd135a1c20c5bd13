"""`alchemiser dlq` as an operator runs it: on SQS, and on what a local pipeline left in its archive."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from alchemiser_common.aws.adapters import AwsAdapters
from alchemiser_common.aws.sqs_queue import SqsQueue
from alchemiser_common.embedded.directory_archive import DirectoryArchive
from alchemiser_common.embedded.sqlite_state import SqliteStateStore
from alchemiser_common.ids import Pipeline
from alchemiser_common.keys import dead_letter_object
from alchemiser_common.messages.wire import encode
from alchemiser_common.ports.queue import DeadLetter
from alchemiser_common.settings_loading import load_settings
from alchemiser_trading.account.audit import Change, record
from alchemiser_trading.account.authority import set_authority
from support.aws import CREDENTIALS, Aws, FifoQueue
from support.command import Result, alchemiser
from support.messages import make_decision

DECISION = encode(make_decision())
ACT = ("--reason", "a drill", "--who", "tester", "--yes")


@dataclass(frozen=True)
class Operator:
    """A folder and an environment with two queues of which the second has dead letters."""

    aws: Aws
    folder: Path
    variables: Mapping[str, str]
    queue: FifoQueue

    def dlq(self, *arguments: str) -> Result:
        return alchemiser(self.folder, "dlq", *arguments, extra=self.variables)

    def letters(self) -> list[DeadLetter]:
        """What lies in the dead-letter queue, by the adapter itself."""
        return list(SqsQueue(self.aws.clients.sqs, self.queue.url, wait_seconds=0).dead_letters())

    @property
    def adapters(self) -> AwsAdapters:
        return AwsAdapters(load_settings(self.variables).settings)

    def changes(self) -> list[str]:
        entries = json.loads(alchemiser(self.folder, "audit", "--json", extra=self.variables).out)
        return [f"{entry['who']}: {entry['what']} ({entry['reason']})" for entry in entries]


@pytest.fixture
def operator(aws: Aws, tmp_path: Path) -> Operator:
    queue = aws.make_queue(max_receives=1)
    variables = CREDENTIALS | {
        "ALCHEMISER_BACKEND": "aws",
        "ALCHEMISER_AWS__ENDPOINT_URL": aws.url,
        "ALCHEMISER_AWS__TABLE": aws.make_table(),
        "ALCHEMISER_AWS__BUCKET": aws.make_bucket(),
        "ALCHEMISER_AWS__MARKET_DATA_QUEUE": aws.make_queue().url,
        "ALCHEMISER_AWS__TRADE_DECISION_QUEUE": queue.url,
    }
    made = Operator(aws, tmp_path, variables, queue)
    sent = made.adapters.trade_decision_queue()
    for body in (DECISION, "{not a message"):
        sent.send(body, group=body[:5].strip('{"\n'), deduplication_id=body[:50])
    for delivery in sent.receive(10):
        sent.release(delivery)
    assert sent.receive() == [], "both are given up now"
    return made


def test_letters_are_listed_and_shown_with_what_they_are(operator: Operator) -> None:
    listed = operator.dlq("list", "--json")
    assert listed.code == 0, listed.err
    decision, poison = json.loads(listed.out)
    run = str(make_decision().run_id)
    assert (decision["message"], decision["run_id"], decision["state"]) == ("trade-decision", run, "expired")
    assert decision["delivered"] == 1
    assert (poison["message"], poison["state"]) == ("", "unreadable")
    assert poison["fault"].startswith("message is not JSON")
    shown = operator.dlq("show", decision["id"][:8], "--json")
    assert json.loads(shown.out)["body"] == DECISION
    assert f"trade-decision of cycle {make_decision().cycle_id}" in operator.dlq("show", decision["id"]).out
    assert "unreadable" in operator.dlq("list").out
    assert len(operator.letters()) == 2, "looking takes nothing away"


def test_a_redriven_letter_is_in_its_queue_again_once_and_in_the_audit_trail(operator: Operator) -> None:
    decision, poison = operator.letters()
    done = operator.dlq("redrive", decision.message_id, *ACT, "--json")
    assert json.loads(done.out) == {
        "id": decision.message_id,
        "queue": decision.queue,
        "done": "redrive",
        "audited": True,
    }
    assert operator.letters() == [poison]
    assert [delivery.body for delivery in operator.adapters.trade_decision_queue().receive(10)] == [DECISION]
    assert operator.changes() == [f"tester: redrive {decision.message_id} of {decision.queue} (a drill)"]
    again = operator.dlq("redrive", decision.message_id, *ACT)
    assert again.code == 2
    assert "is no dead letter's id" in again.err


def test_a_dropped_letter_is_kept_in_the_archive(operator: Operator) -> None:
    decision, poison = operator.letters()
    assert operator.dlq("drop", poison.message_id, *ACT).code == 0
    assert operator.letters() == [decision]
    archive = operator.adapters.archive()
    (key,) = archive.keys("dead-letters/")
    assert poison.message_id in key
    assert archive.get(key) == b"{not a message"
    assert operator.changes() == [f"tester: drop {poison.message_id} of {poison.queue} (a drill)"]


def test_a_letter_that_cannot_be_archived_is_not_dropped(operator: Operator) -> None:
    lost = replace(operator, variables={**operator.variables, "ALCHEMISER_AWS__BUCKET": "nowhere"})
    refused = lost.dlq("drop", operator.letters()[0].message_id, *ACT)
    assert refused.code == 2
    assert "bucket nowhere does not exist" in refused.err
    assert len(operator.letters()) == 2


def test_without_a_store_for_the_audit_trail_a_redrive_says_so(operator: Operator) -> None:
    """It has happened all the same: the queue is what matters then."""
    lost = replace(operator, variables={**operator.variables, "ALCHEMISER_AWS__TABLE": "nowhere"})
    done = lost.dlq("redrive", operator.letters()[0].message_id, *ACT, "--json")
    assert json.loads(done.out)["audited"] is False
    assert "not in the audit trail: table nowhere does not exist" in done.err


def test_a_wrong_or_unconfirmed_request_changes_nothing(operator: Operator) -> None:
    decision, _ = operator.letters()
    for arguments, code, words in (
        (("show", "nothing"), 2, "nothing is no dead letter's id; `alchemiser dlq list` shows them"),
        (("redrive", "", "--reason", "x", "--yes"), 2, "is the beginning of several ids"),
        (("drop", "", "--reason", " ", "--yes"), 2, "needs a reason"),
        (("redrive", decision.message_id, "--reason", "x"), 1, "expired"),
    ):
        refused = operator.dlq(*arguments)
        assert (refused.code, words in refused.err) == (code, True), refused.err
    assert len(operator.letters()) == 2


def test_the_letters_of_a_local_pipeline_are_shown_and_left_alone(tmp_path: Path) -> None:
    archive = DirectoryArchive(tmp_path / ".alchemiser" / "archive")
    key = dead_letter_object("MarketDataQueue", datetime(2026, 1, 5, 14, 45, tzinfo=UTC), "MarketDataQueue-1")
    archive.put(key, b"{not a message")
    (letter,) = json.loads(alchemiser(tmp_path, "dlq", "list", "--json").out)
    assert (letter["queue"], letter["sent_at"]) == ("MarketDataQueue", "2026-01-05T14:45:00+00:00")
    assert "cannot be read" in alchemiser(tmp_path, "dlq", "show", letter["id"]).out
    for act in ("redrive", "drop"):
        refused = alchemiser(tmp_path, "dlq", act, letter["id"], *ACT)
        assert refused.code == 2
        assert "`alchemiser run` runs its cycle again" in refused.err
    assert archive.keys("dead-letters/") == [key]


HOSTILE = "\x1b]0;owned\x07\x1b[2J\x9b31m[red]{not a message[/] \u202egnp.exe\r"


def test_nothing_that_a_letter_or_a_stray_file_says_acts_on_the_terminal(tmp_path: Path) -> None:
    archive = DirectoryArchive(tmp_path / ".alchemiser" / "archive")
    at = datetime(2026, 1, 5, 14, 45, tzinfo=UTC)
    archive.put(dead_letter_object("MarketDataQueue", at, "MarketDataQueue-1"), HOSTILE.encode())
    forged = json.loads(DECISION) | {"cycle_id": "demo:\x1b[31m[/]", "odd\x1b[1m": 1}
    archive.put(dead_letter_object("[b]\x1b[7m", at, "Forged-1"), json.dumps(forged).encode())
    folder = tmp_path / ".alchemiser" / "archive" / "dead-letters"
    for name in ("notes.txt", "MarketDataQueue/todo\x1b[5m.md", "MarketDataQueue/2026-13-99T99-99-99Z-x.txt"):
        (folder / name).write_text("a person's")
    (folder / "MarketDataQueue" / "2026-01-05T14-45-00Z-dark.txt").symlink_to("/proc/self/mem")
    listed = alchemiser(tmp_path, "dlq", "list")
    assert listed.code == 0, listed.err
    assert listed.out.count("unreadable") == 2
    for stray in ("notes.txt", "todo\\x1b[5m.md", "2026-13-99T99-99-99Z-x.txt", "dark.txt"):
        assert f"{stray} lies among the dead letters and is none" in listed.err
    as_json = alchemiser(tmp_path, "dlq", "list", "--json")
    assert len(json.loads(as_json.out)) == 2
    one = alchemiser(tmp_path, "dlq", "show", "2026-01-05T14-45-00Z-MarketDataQueue-1")
    assert "\\x1b]0;owned\\x07\\x1b[2J\\x9b31m[red]{not a message[/]" in one.out
    assert "\\u202egnp.exe" in one.out
    other = alchemiser(tmp_path, "dlq", "show", "2026-01-05T14-45-00Z-Forged-1")
    assert "cannot be read" in other.out
    for result in (listed, as_json, one, other):
        shown = result.out + result.err
        assert not [sign for sign in shown if not sign.isprintable() and sign != "\n"]


def test_what_a_person_wrote_into_the_audit_trail_does_not_act_either(tmp_path: Path) -> None:
    (tmp_path / ".alchemiser").mkdir()
    store = SqliteStateStore(tmp_path / ".alchemiser" / "state.db")
    change = Change("what\x1b[1m", "me\x07", "a\x1b[2Jreason[/]", datetime(2026, 1, 5, tzinfo=UTC))
    set_authority(store, "demo", Pipeline.MONOLITH, who="me", reason="there is an account", now=change.at)
    record(store, "demo", change, "test")
    listed = alchemiser(tmp_path, "audit")
    assert listed.code == 0, listed.err
    assert "a\\x1b[2Jreason[/]" in listed.out
    assert not [sign for sign in listed.out + listed.err if not sign.isprintable() and sign != "\n"]
