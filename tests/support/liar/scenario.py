"""What one seed stands for: an account, a decision, and everything that will be told, done and broken. Drawn once."""

import random
from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum

from alchemiser_simulator.control.faults import (
    Fault as TrueFault,
)
from alchemiser_simulator.control.faults import (
    LaggingPositions,
    LatePrice,
    PartialFills,
    Reject,
    StuckCancel,
    When,
)
from support.liar.deeds import DEEDS
from support.liar.lies import KINDS, draw, ended, hidden_by
from support.liar.telling import Lie
from support.liar.world import DEADLINE_MINUTES, PRICES


class Mode(StrEnum):
    """What may happen."""

    SAFETY = "safety"
    """Anything, at any time."""
    LIVENESS = "liveness"
    """Anything, until a moment; from then on all is true and works."""


@dataclass(frozen=True, slots=True)
class Quirk:
    """How the exchange truly behaves, beyond the ordinary."""

    name: str
    fault: TrueFault
    passing: bool = True
    """Whether a run can complete in spite of it."""

    def __str__(self) -> str:
        return f"the exchange: {self.name} {self.fault.match.symbol}"


@dataclass(frozen=True, slots=True)
class Deed:
    """What a person, another program or a machine does meanwhile."""

    name: str
    after: float
    """Seconds after the scheduled time."""
    symbol: str
    size: float
    """0 to 1."""
    passing: bool = False

    def __str__(self) -> str:
        return f"meanwhile: {self.name} {self.symbol} at {self.after:.0f} s, {self.size:.2f}"


@dataclass(frozen=True, slots=True)
class Mishap:
    """What befalls one delivery's process."""

    delivery: int
    name: str
    """A `Fault` at a call of the store, `pause` after one, `outage` of some, `die before` or `die after` a request."""
    call: int
    length: int

    def __str__(self) -> str:
        return f"delivery {self.delivery}: {self.name} at {self.call} ({self.length})"


type Part = Lie | Quirk | Deed | Mishap


@dataclass(frozen=True, slots=True)
class Scenario:
    """All of it. What is left out does not happen."""

    seed: int
    mode: Mode
    weights: Mapping[str, float]
    holdings: Mapping[str, Decimal]
    parts: tuple[Part, ...]
    truth_after: float
    """Seconds after the scheduled time from which nobody lies and nothing fails; never, in safety."""
    process_seconds: float = 900.0
    """What a delivery's process has."""
    power: float = 1.0
    """The part of cash that the broker lets buys cost; 1 for all of it."""

    def without(self, number: int) -> "Scenario":
        """The same but for one of its parts."""
        return replace(self, parts=self.parts[:number] + self.parts[number + 1 :])

    @property
    def passing(self) -> bool:
        """Whether nothing in it is a reason for a run to end other than completed, once it is over."""
        return self.power == 1 and self.passing_at_power

    @property
    def passing_at_power(self) -> bool:
        """The same, but for buying power below cash."""
        return all(
            KINDS[part.kind].passing if isinstance(part, Lie) else isinstance(part, Mishap) or part.passing
            for part in self.parts
        )

    def described(self) -> list[str]:
        """For a person."""
        targets = ", ".join(f"{symbol} {weight:.2f}" for symbol, weight in self.weights.items())
        held = ", ".join(f"{symbol} {quantity}" for symbol, quantity in self.holdings.items()) or "nothing"
        head = f"{self.mode.value} seed {self.seed}: targets {targets}; holds {held}"
        lines = [head, f"processes of {self.process_seconds:.0f} s"]
        if self.power < 1:
            lines.append(f"buying power is {self.power:.2f} of cash")
        if self.mode is Mode.LIVENESS:
            lines.append(f"lies stop at {self.truth_after:.0f} s")
        return [*lines, *(str(part) for part in self.parts)]


def scenario(seed: int, mode: Mode) -> Scenario:
    """The scenario of that number. Each subject has a stream of its own: one more kind of deed changes no lie."""

    def stream(subject: str) -> random.Random:
        return random.Random(f"{mode.value}/{seed}/{subject}")

    chance, safety = stream("account"), mode is Mode.SAFETY
    symbols = tuple(PRICES)
    targets = chance.sample(symbols, chance.randint(1, 4))
    shares = [chance.randint(1, 5) for _ in targets]
    unit = 1000 * chance.choice([1.0, 1.0, 0.8, 0.5]) / sum(shares)
    weights = {symbol: int(unit * share) / 1000 for symbol, share in zip(targets, shares, strict=True)}
    holdings = {symbol: _some(chance, symbol) for symbol in chance.sample(symbols, chance.randint(0, 3))}
    about = tuple(sorted({*targets, *holdings}))
    quirks = _quirks(stream("exchange"), about, safety=safety)
    lags = any(isinstance(quirk.fault, LaggingPositions) for quirk in quirks)
    lies = _lies(stream("lies"), about, {"fills": "positions"} if lags else {}) + ended(stream("ends"), about)
    return Scenario(
        seed=seed,
        mode=mode,
        weights=weights,
        holdings=holdings,
        parts=(*quirks, *lies, *_deeds(stream("deeds"), about), *_mishaps(stream("processes"))),
        truth_after=1e9 if safety else chance.uniform(20, 420),
        process_seconds=chance.choice([900.0, 900.0, 900.0, 240.0]),
        power=chance.uniform(0.2, 0.9) if chance.random() < 0.06 else 1.0,
    )


def _lies(chance: random.Random, symbols: tuple[str, ...], hidden: dict[str, str]) -> list[Lie]:
    """`hidden` is what is hidden already, by source."""
    lies: list[Lie] = []
    for _ in range(min(1 + int(chance.expovariate(0.35)), 8)):
        lie = draw(chance, symbols, hidden)
        if lie is not None:
            hidden = {**hidden, **hidden_by(lie)}
            lies.append(lie)
    return lies


def _some(chance: random.Random, symbol: str) -> Decimal:
    """Shares worth 5,000 to 60,000 USD, whole or not."""
    shares = chance.uniform(5_000, 60_000) / PRICES[symbol]
    return Decimal(int(shares)) if symbol == "DDD" or chance.random() < 0.5 else Decimal(f"{shares:.9f}")


def _quirks(chance: random.Random, symbols: tuple[str, ...], *, safety: bool) -> list[Quirk]:
    found: list[Quirk] = []
    for symbol in symbols:
        posts = When(method="POST", path="^/v2/orders$", symbol=symbol)
        draw_ = chance.random()
        if draw_ < 0.16:
            fill = PartialFills(
                match=posts,
                fraction=Decimal(f"{chance.uniform(0.2, 0.7):.2f}"),
                interval_seconds=chance.randint(3, 25),
            )
            found.append(Quirk("fills by parts", fill))
        elif draw_ < 0.24:
            halves = PartialFills(
                match=posts.model_copy(), fraction=Decimal("0.5"), max_fills=1, count=chance.randint(1, 3)
            )
            found.append(Quirk("fills half and then rests", halves, passing=False))
        elif draw_ < 0.29:
            found.append(
                Quirk("never fills", PartialFills(match=posts, fraction=Decimal(1), max_fills=0), passing=False)
            )
        elif draw_ < 0.32:
            then = chance.choice(("cancel", "reject", "done_for_day"))
            ends = PartialFills(match=posts, fraction=Decimal("0.4"), max_fills=1, then=then, count=1)
            found.append(Quirk(f"fills a part, then: {then}", ends, passing=False))
        if chance.random() < 0.08:
            cancels = When(method="DELETE", symbol=symbol)
            lasting = None if safety and chance.random() < 0.3 else float(chance.randint(3, 40))
            part = Decimal(f"{chance.choice([0, 0.3, 1]):.1f}")
            stuck = StuckCancel(match=cancels, count=chance.randint(1, 2), seconds=lasting, fill_fraction=part)
            found.append(Quirk("a cancel takes its time", stuck, passing=lasting is not None))
        if chance.random() < 0.05:
            found.append(Quirk("prices come late", LatePrice(match=posts, polls=chance.randint(1, 4))))
        if chance.random() < 0.03:
            found.append(Quirk("rejects afterwards", Reject(match=posts, accepted=True, count=1), passing=False))
    if chance.random() < 0.08:
        lag = LaggingPositions(match=When(method="POST"), seconds=float(chance.randint(2, 12)))
        found.append(Quirk("positions lag", lag))
    return found


def _deeds(chance: random.Random, symbols: tuple[str, ...]) -> list[Deed]:
    if chance.random() > 0.25:
        return []
    name = chance.choice(list(DEEDS))
    after = chance.uniform(-5, 90) if chance.random() < 0.8 else chance.uniform(0, DEADLINE_MINUTES * 60)
    return [Deed(name, after, chance.choice(symbols), chance.random())]


_MISHAPS = (
    "kill-before", "kill-after", "fail-before", "fail-after", "pause", "outage", "die before", "die after",
)  # fmt: skip


def _mishaps(chance: random.Random) -> list[Mishap]:
    count = chance.choices([0, 1, 2, 3], [5, 4, 2, 1])[0]
    return [
        Mishap(
            delivery=min(int(chance.expovariate(1.0)), 3),
            name=chance.choice(_MISHAPS),
            call=chance.randint(0, 45),
            length=chance.choice([1, 5, 30, 90, 200, 700]),
        )
        for _ in range(count)
    ]
