"""A case with stand-ins for whose run it was: ids, hashes and keys follow from them as from the originals."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from pydantic import BaseModel

from alchemiser_cli.cases.case import Case
from alchemiser_cli.cases.stand_ins import StandIns
from alchemiser_cli.home import order_id_in
from alchemiser_common import keys
from alchemiser_common.ids import Pipeline, RunRef, cycle_id, run_id, scheduled_time
from alchemiser_common.masking import MASK, SHORTEST
from alchemiser_common.records.journal import Intent
from alchemiser_common.settings import Environment

ALIAS = "captured"
"""What the account of every case is called."""
_SHORT_HASH = 12
"""Digits of a content hash that messages show."""
_TELLING_NOTHING = frozenset(environment.default_alias for environment in Environment)
_ORDINARY = frozenset(environment.value for environment in Environment)
"""Words that sentences have for other things, too."""


@dataclass(frozen=True, slots=True)
class Originals:
    """What must not be in a case: the account's alias, other accounts of the home, people, and what they wrote."""

    alias: str
    aliases: Sequence[str] = ()
    people: Sequence[str] = ()
    reasons: Sequence[str] = ()
    secrets: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Anonymous:
    """The case, and what stands in it for what."""

    case: Case
    stand_ins: StandIns


def anonymous(case: Case, originals: Originals) -> Anonymous:
    """The case of an account called `captured`: run ids, client order ids, content hashes and archive keys are those
    that this account's run would have, so that the case still decodes and verifies.
    """
    stand_ins = _known(case, originals)
    parts: dict[str, object] = {}
    # In this order: each part names those before it by their hashes.
    for name in ("snapshot", "decision"):
        part = getattr(case, name)
        if part is not None:
            parts[name] = new = _replaced(part, stand_ins)
            _put_hash(stand_ins, part.content_hash(), new.content_hash())
    if case.record is not None and case.record.snapshot_key is not None:
        stand_ins.put(case.record.snapshot_key, _snapshot_key(case, stand_ins))
    for intent in case.intents:
        stand_ins.put(intent.client_order_id, _order_id(case, intent, stand_ins))
    for name in ("about", "trigger", "record", "journal", "plan", "report", "broker", "parity"):
        part = getattr(case, name)
        if part is not None:
            parts[name] = _replaced(part, stand_ins)
    parts["intents"] = tuple(_replaced(intent, stand_ins) for intent in case.intents)
    return Anonymous(Case.model_validate(parts), stand_ins)


def left_over(files: Mapping[str, str], found: Anonymous, originals: Originals) -> Sequence[str]:
    """Files in which an original is still to be read, with what kind of one; empty if there is none.

    Of names only the alias is looked for, and only where it says something: a person may be called like a word.
    """
    ids = [text for text in found.stand_ins.ids if len(text) >= SHORTEST and text not in originals.secrets]
    telling = [] if originals.alias in _TELLING_NOTHING else [originals.alias]
    kinds = (("an id", ids), ("a secret", originals.secrets), ("the account's alias", telling))
    return [
        f"{name} ({kind})"
        for name, text in files.items()
        for kind, texts in kinds
        if any(original in text for original in texts)
    ]


def _known(case: Case, originals: Originals) -> StandIns:
    """Stand-ins for what is known before any text is read."""
    stand_ins, scheduled = StandIns(), scheduled_time(case.about.cycle_id)
    stand_ins.put(case.about.cycle_id, cycle_id(ALIAS, scheduled))
    for pipeline in Pipeline:
        old, new = RunRef.of(originals.alias, scheduled, pipeline), RunRef.of(ALIAS, scheduled, pipeline)
        stand_ins.put(str(old.run_id), str(new.run_id))
    for account_id in _account_ids(case):
        stand_ins.number("account", account_id)
    if originals.alias in _ORDINARY:
        stand_ins.put(f"account {originals.alias}", f"account {ALIAS}")
    else:
        stand_ins.names[originals.alias] = ALIAS
    for secret in originals.secrets:
        stand_ins.put(secret, MASK)
    stand_ins.put_names("account", [name for name in originals.aliases if name not in _TELLING_NOTHING])
    stand_ins.put_names("person", originals.people)
    stand_ins.put_names("reason", originals.reasons)
    return stand_ins


def _account_ids(case: Case) -> Iterable[str]:
    if case.snapshot is not None:
        yield case.snapshot.account.account_id
    if case.decision is not None:
        yield case.decision.account_id
    if case.plan is not None:
        yield case.plan.account.account_id


def _replaced[M: BaseModel](part: M, stand_ins: StandIns) -> M:
    content = stand_ins.replaced(part.model_dump(mode="json"))
    if isinstance(content, dict) and "account_alias" in content:
        content["account_alias"] = ALIAS
    return type(part).model_validate_json(json.dumps(content), strict=True)


def _put_hash(stand_ins: StandIns, old: str, new: str) -> None:
    stand_ins.put(old, new)
    stand_ins.put(old[:_SHORT_HASH], new[:_SHORT_HASH])


def _snapshot_key(case: Case, stand_ins: StandIns) -> str:
    """Where the archive of the stand-in account would have the snapshot."""
    run = run_id(stand_ins.ids[case.about.cycle_id], case.about.pipeline)
    if case.snapshot is None:
        return f"snapshots/{run}/gone.json"
    return keys.snapshot_object(case.snapshot.session.day, run, stand_ins.ids[case.snapshot.content_hash()])


def _order_id(case: Case, intent: Intent, stand_ins: StandIns) -> str:
    """The id of the stand-in run's order; a number if the original does not follow from its run."""
    old, new = case.about.run_id, run_id(stand_ins.ids[case.about.cycle_id], case.about.pipeline)
    for environment in Environment:
        if order_id_in(environment, old, intent) == intent.client_order_id:
            return order_id_in(environment, new, intent)
    return stand_ins.number("order", intent.client_order_id)
