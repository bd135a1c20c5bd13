"""The first line of a run's history, written by the data service, and the run's line in the account's list."""

from decimal import Decimal
from uuid import UUID

from alchemiser_common.messages.base import Frozen, Message, Price, Symbol, UtcTime, VersionedModel
from alchemiser_common.messages.report import RunStatus
from alchemiser_common.messages.snapshot import MarketSnapshot
from alchemiser_common.records.plan import HeldShares


class RunEntry(VersionedModel):
    """One line of an account's list of runs."""

    run_id: UUID
    cycle_id: str


class LastClose(Frozen):
    """The last close of a symbol's bars, USD."""

    symbol: Symbol
    price: Price


class SnapshotFigures(Frozen):
    """What trading compares the broker's answers with; the snapshot itself is not its to read."""

    positions: tuple[HeldShares, ...]
    closes: tuple[LastClose, ...]

    @classmethod
    def of(cls, snapshot: MarketSnapshot) -> "SnapshotFigures":
        """A snapshot's positions and last closes, to six digits behind the point; a symbol without one is left out."""
        last = snapshot.bars.closes[-1]
        return cls(
            positions=tuple(HeldShares(symbol=item.symbol, quantity=item.quantity) for item in snapshot.positions),
            closes=tuple(
                LastClose(symbol=symbol, price=price)
                for symbol, close in zip(snapshot.bars.symbols, last, strict=True)
                if (price := Decimal(f"{close:.6f}")).is_finite() and price > 0
            ),
        )


class RunRecord(Message):
    """What the data service knows of a run; the journal continues it."""

    scheduled_at: UtcTime
    status: RunStatus
    reason: str = ""
    updated_at: UtcTime
    snapshot_key: str | None = None
    """Where the snapshot is archived."""
    snapshot_hash: str | None = None
    figures: SnapshotFigures | None = None
    """Of the snapshot; None without one, and from before 1.6."""
