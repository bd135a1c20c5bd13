"""How many cycles each part of the story has, and where its seeded differences lie. Pure."""

from dataclasses import dataclass

FULL = 24
SHORTEST = 6
_GATE = 10


@dataclass(frozen=True)
class Script:
    """The cycles of the drill; `days_alike` is what the stage's gate asks for."""

    shadow: int
    cutover: int
    back: int
    again: int
    days_alike: int
    other_data: int
    """The cycle in shadow, from 1, whose modular side reads other bars."""
    other_code: int
    """The one that another strategy build decides: the gate counts anew after it."""

    @property
    def cycles(self) -> int:
        """All of them."""
        return self.shadow + self.cutover + self.back + self.again

    @property
    def opens(self) -> int:
        """The cycle in shadow after which the gate is open."""
        return self.other_code + self.days_alike


def script_of(cycles: int) -> Script:
    """The full drill, or a shorter one with the same acts. Raises ValueError below the shortest."""
    if cycles < SHORTEST:
        raise ValueError(f"cycles is {cycles}; the story takes {SHORTEST} at least")
    if cycles >= FULL:
        return Script(15, 5, 3, 1, _GATE, other_data=2, other_code=4)
    again, back = 1, max(1, cycles // 8)
    cutover = max(1, cycles // 5)
    shadow = cycles - again - back - cutover
    code, data = (4, 2) if shadow >= 8 else (1, 2)
    return Script(shadow, cutover, back, again, min(_GATE, shadow - code), other_data=data, other_code=code)
