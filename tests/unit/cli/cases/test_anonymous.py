"""A case says nothing of whose run it was, and is as true as before: ids, hashes and keys still follow."""

from dataclasses import replace
from uuid import UUID

import pytest

from alchemiser_cli.cases.anonymous import ALIAS, Originals, anonymous, left_over
from alchemiser_cli.cases.case import About, BrokerAnswers, Case, CaseSettings
from alchemiser_cli.cases.files import case_files
from alchemiser_cli.cases.stand_ins import StandIns
from alchemiser_common import keys
from alchemiser_common.ids import Pipeline, RunRef, Side, client_order_id
from alchemiser_common.messages.base import Message
from alchemiser_common.messages.trigger import CycleTrigger
from alchemiser_common.records.books import BookedOrder
from alchemiser_common.settings import Environment, Settings
from support.messages import SCHEDULED, make_decision, make_report, make_snapshot
from support.stored_records import make_data_record, make_head, make_intent, make_plan_record

OWNER = "toms-ira"
ACCOUNT_ID = "904837e3-3b76-47ec-b432-046db621571b"
ORDER_ID = "61e69015-8549-4bfd-b9c3-01e75843f47d"
SECRET = "hush-hush-key"
REASON = (
    f"TradingHalted: account {OWNER} is halted by Tom Sawyer (Becky asked); the key {SECRET} of tom@example.org opens "
    f"account {ACCOUNT_ID}; arn:aws:sqs:us-east-1:123456789012:queue, /home/tom/money/state.db, order {ORDER_ID}"
)
ORIGINALS = Originals(OWNER, aliases=["aunt-polly"], people=["Tom Sawyer"], reasons=["Becky asked"], secrets=[SECRET])
RUN = RunRef.of(OWNER, SCHEDULED, Pipeline.MODULAR)


def case_of_tom() -> Case:
    """A case of a run of Tom's, whose reasons name everything that can be named."""
    settings = Settings()
    of_run = dict(RUN.fields())
    account = make_snapshot().account.model_copy(update={"account_id": ACCOUNT_ID})
    snapshot = make_snapshot(**of_run, account=account)
    decision = make_decision(**of_run, account_id=ACCOUNT_ID, snapshot_hash=snapshot.content_hash())
    hashed = {"decision_hash": decision.content_hash()}
    key = keys.snapshot_object(snapshot.session.day, RUN.run_id, snapshot.content_hash())
    record = {"snapshot_key": key, "snapshot_hash": snapshot.content_hash()}
    intent = make_intent()
    intent = intent.model_copy(update={"client_order_id": order_id(RUN.run_id, intent.symbol, intent.side)})
    intent = intent.model_copy(update={"leg": 1, "step": 1})
    reason = f"{REASON}; order {intent.client_order_id} of run {RUN.run_id}, cycle {RUN.cycle_id}"
    plan = make_plan_record()
    return Case(
        about=About(
            run_id=RUN.run_id,
            cycle_id=RUN.cycle_id,
            pipeline=RUN.pipeline,
            status="halted",
            reason=reason,
            environment=Environment.PAPER,
            settings=CaseSettings(
                schedule=settings.schedule,
                data=settings.data,
                strategies=settings.strategies,
                trading=settings.trading,
                execution=settings.execution,
            ),
        ),
        trigger=CycleTrigger(scheduled_at=SCHEDULED),
        record=make_data_record().model_copy(update={**of_run, **record}),
        snapshot=snapshot,
        decision=decision,
        journal=make_head().model_copy(update={**of_run, **hashed, "reason": reason}),
        plan=plan.model_copy(update={"run_id": RUN.run_id, **hashed, "account": account, "notes": (reason,)}),
        intents=(intent,),
        report=make_report(**of_run, **hashed, reason=reason, account_before=account, account_after=account),
        broker=BrokerAnswers(booked=(BookedOrder(order_id=ORDER_ID, quantity=plan.legs[0].quantity),)),
    )


def order_id(run: UUID, symbol: str, side: Side) -> str:
    return client_order_id(environment="paper", run=run, symbol=symbol, side=side, leg=1, step=1)


def test_nothing_of_the_originals_is_in_any_file() -> None:
    written = "".join(case_files(anonymous(case_of_tom(), ORIGINALS).case).values())
    for original in (
        *(OWNER, ACCOUNT_ID, ORDER_ID, SECRET, "Tom Sawyer", "Becky", "tom@", "/home/tom", "123456789012"),
        *(str(RUN.run_id), case_of_tom().intents[0].client_order_id),
    ):
        assert original not in written, original


def test_the_same_original_has_the_same_stand_in_in_every_part() -> None:
    case = anonymous(case_of_tom(), ORIGINALS).case
    assert case.snapshot
    assert case.decision
    assert case.plan
    assert case.report
    assert case.journal
    assert case.broker
    (account,) = {case.snapshot.account.account_id, case.decision.account_id, case.plan.account.account_id}
    (order,) = case.broker.booked
    for text in (case.report.reason, case.journal.reason, case.plan.notes[0], case.about.reason):
        assert f"account {account};" in text
        assert f", order {order.order_id};" in text
        assert f"account {ALIAS} is halted by person-" in text
        assert f"order {case.intents[0].client_order_id} of run {case.about.run_id}, cycle {ALIAS}:2020-" in text


def test_ids_hashes_and_keys_are_those_of_the_stand_in_s_run() -> None:
    case = anonymous(case_of_tom(), ORIGINALS).case
    run = RunRef.of(ALIAS, SCHEDULED, Pipeline.MODULAR)
    parts: list[Message | None] = [case.record, case.snapshot, case.decision, case.report]
    assert all(part is not None and part.run == run for part in parts)
    assert case.snapshot
    assert case.decision
    assert case.record
    assert case.report
    assert case.decision.snapshot_hash == case.record.snapshot_hash == case.snapshot.content_hash()
    assert case.report.decision_hash == case.decision.content_hash()
    day, digest = case.snapshot.session.day, case.snapshot.content_hash()
    assert case.record.snapshot_key == keys.snapshot_object(day, run.run_id, digest)
    (intent,) = case.intents
    assert intent.client_order_id == order_id(run.run_id, intent.symbol, intent.side)


def test_the_same_run_gives_the_same_files_and_what_is_typed_stays() -> None:
    before, first, second = case_of_tom(), *(anonymous(case_of_tom(), ORIGINALS).case for _ in range(2))
    assert case_files(first) == case_files(second)
    assert before.snapshot
    assert first.snapshot
    assert before.decision
    assert first.decision
    assert first.snapshot.bars == before.snapshot.bars
    assert first.decision.signals == before.decision.signals


def test_a_strategy_that_is_called_like_the_account_is_noticed_and_not_renamed() -> None:
    found = anonymous(case_of_tom(), replace(ORIGINALS, alias=OWNER))
    files = {**case_files(found.case), "decision.json": f'{{"strategy": "{OWNER}"}}'}
    assert left_over(case_files(found.case), found, ORIGINALS) == []
    assert left_over(files, found, ORIGINALS) == ["decision.json (the account's alias)"]
    assert left_over({"a.json": SECRET, "b.json": ORDER_ID}, found, ORIGINALS) == [
        "a.json (a secret)",
        "b.json (an id)",
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("run 61e69015-8549-4bfd-b9c3-01e75843f47d ended", "run 00000000-0000-4000-8002-000000000001 ended"),
        ("order alc-SPY-b1-2-0123456789abcdef0123 is open", "order order-1 is open"),
        ("Anna asked Annabel", "person-1 asked Annabel"),
        ("queue of account 123456789012.", "queue of account aws-account-1."),
        ("a weight of 0.123456789012", "a weight of 0.123456789012"),
        ("api_key=PK123 was refused", "api_key=\N{BULLET}\N{BULLET}\N{BULLET} was refused"),
    ],
)
def test_a_sentence_is_read_for_what_looks_like_an_id(text: str, expected: str) -> None:
    stand_ins = StandIns()
    stand_ins.put_names("person", ["Anna"])
    assert stand_ins.replaced({"reason": text}) == {"reason": expected}
    assert stand_ins.replaced({"strategy": text}) == {"strategy": text}
