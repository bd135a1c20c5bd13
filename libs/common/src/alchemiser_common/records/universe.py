"""What the data service reads for the strategies of an account: how many daily bars of each symbol."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Self

from pydantic import Field, model_validator

from alchemiser_common.messages.base import VersionedModel, canonical_hash
from alchemiser_common.messages.snapshot import NeededBars


class Universe(VersionedModel):
    """Bars needed by symbol. The deployment writes it, the data service reads it. No symbol is there twice."""

    needed: tuple[NeededBars, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        repeated = sorted(symbol for symbol, times in Counter(self.symbols).items() if times > 1)
        if repeated:
            raise ValueError(f"the universe names symbols more than once: {', '.join(repeated)}")
        return self

    @classmethod
    def of(cls, bars: Mapping[str, int]) -> Self:
        """With the symbols in order, so that equal universes are equal text."""
        return cls(needed=tuple(NeededBars(symbol=symbol, bars=count) for symbol, count in sorted(bars.items())))

    @property
    def symbols(self) -> tuple[str, ...]:
        """Every symbol, in order."""
        return tuple(item.symbol for item in self.needed)

    @property
    def bars(self) -> Mapping[str, int]:
        """Bars needed by symbol."""
        return by_symbol(self.needed)

    def content_hash(self) -> str:
        """SHA-256 (hex) of what it says."""
        return canonical_hash(self, exclude=("schema_version",))

    def with_those_of(self, other: Mapping[str, int]) -> "Universe":
        """Enough for both: of each symbol the more bars."""
        mine = self.bars
        return Universe.of({symbol: max(mine.get(symbol, 1), other.get(symbol, 1)) for symbol in {*mine, *other}})


def by_symbol(needed: Iterable[NeededBars]) -> dict[str, int]:
    """Bars by symbol."""
    return {item.symbol: item.bars for item in needed}


def lacking(needed: Mapping[str, int], asked_for: Mapping[str, int]) -> tuple[str, ...]:
    """Symbols of which fewer bars were asked for than are needed, sorted."""
    return tuple(sorted(symbol for symbol, bars in needed.items() if asked_for.get(symbol, 0) < bars))
