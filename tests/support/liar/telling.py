"""A lie, how it is told, and what a row of the table of lies says of its kind."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from support.liar.endpoints import Endpoint
from support.liar.transport import Answer, Asked, Json
from support.liar.world import World

type Fields = dict[str, Json]
type Ask = Callable[[Asked], Answer]


@dataclass(frozen=True, slots=True)
class Lie:
    """One lie of a scenario, fully drawn: the same lie in the same world is told the same way."""

    kind: str
    variant: str
    at: tuple[Endpoint, ...]
    skip: int
    """So many requests that it fits are told truly first."""
    times: int | None
    """So often it is told; None: until lies stop."""
    symbol: str
    share: float
    """Of a quantity or a span, as the kind needs it: 0 to 1."""

    def __str__(self) -> str:
        often = "for good" if self.times is None else f"{self.times}x"
        where = "/".join(place.value for place in self.at)
        return f"{self.kind}: {self.variant} at {where} after {self.skip}, {often}, {self.symbol} {self.share:.2f}"


@dataclass(slots=True)
class Telling:
    """A lie while it is told."""

    lie: Lie
    world: World
    seen: int = 0
    told: int = 0
    over: bool = False
    notes: list[str] = field(default_factory=list)

    def note(self, what: str = "") -> None:
        """It was told now."""
        self.told += 1
        self.notes.append(what or f"{self.lie.kind}: {self.lie.variant}")

    @property
    def spent(self) -> bool:
        """Whether it will not be told any more."""
        return self.over or (self.lie.times is not None and self.told >= self.lie.times)

    @property
    def due(self) -> bool:
        """Whether it is its turn, for a request that it fits; counts that request."""
        if self.spent:
            return False
        self.seen += 1
        return self.seen > self.lie.skip


type Tell = Callable[[Telling, Asked, Ask], Answer]


@dataclass(frozen=True, slots=True)
class Kind:
    """A row of the table."""

    at: tuple[Endpoint, ...]
    variants: Mapping[str, Tell]
    hides: Mapping[str, str] = field(default_factory=dict)
    """What it may hide, and in which source: another source of the same must stay true."""
    passing: bool = False
    """Whether a run must end as if nothing had been, once it is over."""
    weight: int = 2
    together: bool = False
    """Whether it is told at all its endpoints, not at one of them."""


def added(telling: Telling, asked: Asked, ask: Ask, *, element: Json) -> Answer:
    """A list with one element more."""
    answer = ask(asked)
    content = answer.json if answer.status == 200 else None
    if not isinstance(content, list) or not telling.due:
        return answer
    telling.note()
    return answer.saying([*content, element])
