"""What a broker can lie about: one table of kinds, each with its variants.

A lie stands between a request and its true answer. It may answer in the exchange's stead, change what it says, keep an
answer back, or hold the request for a while. Kinds that hide the same thing from two sources never meet in one
scenario: if order list, look-up and positions all deny a fill, nobody can know of it.
"""

import random
from collections.abc import Mapping

from support.liar.endpoints import Endpoint
from support.liar.lies_of_failure import FAILURES
from support.liar.lies_of_figures import FIGURES
from support.liar.lies_of_orders import ORDER_LIES
from support.liar.lies_on_the_way import CANCELS, SENDING
from support.liar.telling import Kind, Lie

KINDS: dict[str, Kind] = {**FAILURES, **SENDING, **ORDER_LIES, **CANCELS, **FIGURES}
"""`draw` chooses by their order: another one is another scenario for every seed."""
_ENDED = 0.08
"""The part of the seeds in which an open order is called ended."""


def draw(chance: random.Random, symbols: tuple[str, ...], taken: Mapping[str, str]) -> Lie | None:
    """One lie at random; None if what it would hide is hidden in another source already (`taken`: what by source)."""
    name = chance.choices(list(KINDS), [kind.weight for kind in KINDS.values()])[0]
    kind = KINDS[name]
    variant = chance.choice(list(kind.variants))
    at = kind.at if kind.together else (chance.choice(kind.at),)
    if kind.together and chance.random() < 0.4:
        at = (chance.choice(kind.at),)
    skip = min(int(chance.expovariate(0.35)), 30) if chance.random() < 0.6 else 0
    times = chance.choices([1, chance.randint(2, 6), None], [5, 4, 2])[0]
    lie = Lie(name, variant, at, skip, times, chance.choice(symbols), chance.random())
    told_twice = any(taken.get(what, source) != source for what, source in hidden_by(lie).items())
    return None if told_twice else lie


def ended(chance: random.Random, symbols: tuple[str, ...]) -> list[Lie]:
    """Now and then the day's list calls an open order of one symbol ended, with its true fills; look-ups tell."""
    if chance.random() > _ENDED:
        return []
    once = chance.random() < 0.5
    name = "open order called cancelled" if once else "open order called ended"
    variant = chance.choice(list(KINDS[name].variants))
    times = 1 if once else chance.choice([1, 3, None])
    return [Lie(name, variant, KINDS[name].at, chance.randint(0, 3), times, chance.choice(symbols), chance.random())]


def hidden_by(lie: Lie) -> Mapping[str, str]:
    """What a lie hides and where; an error that says `not found` of an order hides it."""
    if (
        lie.kind == "error on a read"
        and lie.variant.startswith("404")
        and set(lie.at) & {Endpoint.LOOK_UP, Endpoint.ORDER}
    ):
        return {"fills": "orders"}
    return KINDS[lie.kind].hides
