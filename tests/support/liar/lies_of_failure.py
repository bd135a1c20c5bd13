"""Errors, silence and nonsense in an answer's stead."""

from dataclasses import replace
from functools import partial

import requests

from support.liar.endpoints import READS, Endpoint
from support.liar.telling import Ask, Kind, Tell, Telling
from support.liar.transport import Answer, Asked, page, refusal


def error(telling: Telling, asked: Asked, ask: Ask, *, status: int, form: str) -> Answer:
    if not telling.due:
        return ask(asked)
    telling.note()
    if form == "HTML":
        return page(status)
    return Answer(status, b"") if form == "empty" else refusal(status, status * 100_000, "the broker says no")


def lost(telling: Telling, asked: Asked, ask: Ask, *, carried_out: bool) -> Answer:
    if not telling.due:
        return ask(asked)
    telling.note()
    if carried_out:
        ask(asked)
    telling.world.advance(2.0)
    raise requests.ReadTimeout("no answer")


def _slow(telling: Telling, asked: Asked, ask: Ask) -> Answer:
    if not telling.due:
        return ask(asked)
    telling.note()
    answer = ask(asked)
    telling.world.advance(4 + 12 * telling.lie.share)
    return answer


def _nonsense(telling: Telling, asked: Asked, ask: Ask, *, body: bytes) -> Answer:
    if not telling.due:
        return ask(asked)
    telling.note()
    return replace(ask(asked), status=200, body=body)


_STATUSES = (400, 401, 403, 404, 408, 409, 422, 429, 451, 500, 502, 503, 504)


def _errors() -> dict[str, Tell]:
    return {
        f"{status} {form}": partial(error, status=status, form=form)
        for status in _STATUSES
        for form in ("JSON", "HTML", "empty")
    }


FAILURES: dict[str, Kind] = {
    "error on a read": Kind(
        READS, _errors(), passing=True, weight=8
    ),  # a 404 at a look-up is one of `absent`: see `hidden_by`
    "lost answer": Kind(READS, {"lost": partial(lost, carried_out=True)}, passing=True, weight=3),
    "slow answer": Kind((*READS, Endpoint.SUBMIT), {"slow": _slow}, passing=True, weight=2),
    "nonsense": Kind(
        READS,
        {
            "no JSON": partial(_nonsense, body=b"<<>>"),
            "null": partial(_nonsense, body=b"null"),
            "a text": partial(_nonsense, body=b'"yes"'),
            "an object": partial(_nonsense, body=b'{"odd": true}'),
            "a list of nulls": partial(_nonsense, body=b"[null]"),
        },
        weight=3,
    ),
}
