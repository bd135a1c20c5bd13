"""How a run stands and ended: one vocabulary, spelled for reports, for the journal and for the event bus."""

import json

import pytest
from pydantic import ValidationError

from alchemiser_common.messages.event import RunEvent
from alchemiser_common.messages.report import ExecutionReport, RunStatus
from alchemiser_common.records.journal import JournalHead
from support.messages import make_report
from support.stored_records import make_head

# status, in a report, in the journal, on the event bus; None where it is not said.
SPELLINGS = [
    ("started", "started", None, None),
    ("published", "published", None, None),
    ("executing", "executing", None, None),
    ("received", None, "received", None),
    ("planned", None, "planned", None),
    ("selling", None, "selling", None),
    ("buying", None, "buying", None),
    ("completed", "completed", "done", "RunCompleted"),
    ("partial", "partial", "partial", "RunPartial"),
    ("skipped", "skipped", "skipped", "RunSkipped"),
    ("expired", "expired", "expired", "RunExpired"),
    ("halted", "halted", "halted", "RunHalted"),
    ("failed", "failed", "failed", "RunFailed"),
    ("shadowed", "shadowed", "shadowed", "RunShadowed"),
]


def test_the_table_has_every_status() -> None:
    assert [row[0] for row in SPELLINGS] == [status.value for status in RunStatus]


@pytest.mark.parametrize(("value", "report", "journal", "event"), SPELLINGS)
def test_each_place_spells_it_as_images_of_before_read_it_and_refuses_what_it_never_says(
    value: str, report: str | None, journal: str | None, event: str | None
) -> None:
    status = RunStatus(value)
    assert status.final is (event is not None)
    of_report = {**make_report().model_dump(mode="json"), "status": value}
    if report is None:
        assert status.reported is RunStatus.EXECUTING
        with pytest.raises(ValidationError, match=f"{value} is a journal's; a report says executing"):
            ExecutionReport.model_validate_json(json.dumps(of_report))
    else:
        assert ExecutionReport.model_validate_json(json.dumps(of_report)).status is status.reported is status

    of_head = {**make_head().model_dump(mode="json"), "phase": journal or value}
    if journal is None:
        with pytest.raises(ValidationError, match=f"{value} is not what a journal says"):
            JournalHead.model_validate_json(json.dumps(of_head))
    else:
        head = JournalHead.model_validate_json(json.dumps(of_head))
        assert head.phase is status
        assert json.loads(head.model_dump_json())["phase"] == journal

    ended = make_report().model_copy(update={"status": status})
    if event is None:
        with pytest.raises(ValueError, match=f"{value} is no end of a run"):
            RunEvent.of(ended)
    else:
        body = RunEvent.of(ended).model_dump_json()
        assert json.loads(body)["event"] == event
        assert RunEvent.model_validate_json(body).event is status


@pytest.mark.parametrize("word", ["RunExecuting", "RunEnded", "", None, 3])
def test_an_event_of_no_end_is_refused(word: object) -> None:
    body = {**RunEvent.of(make_report()).model_dump(mode="json"), "event": word}
    with pytest.raises(ValidationError, match="is none of RunCompleted"):
        RunEvent.model_validate_json(json.dumps(body))


def test_the_journal_also_reads_the_word_of_reports() -> None:
    body = {**make_head().model_dump(mode="json"), "phase": "completed"}
    assert JournalHead.model_validate_json(json.dumps(body)).phase is RunStatus.COMPLETED
