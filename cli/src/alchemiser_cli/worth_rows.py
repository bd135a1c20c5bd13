"""An account's worth at each session, as rows for CSV. Pure."""

from alchemiser_readmodel.performance import Performance, growth


def worth_rows(found: Performance) -> list[dict[str, object]]:
    """Each session's worth in USD, and what a dollar at the first has grown to; None where that cannot be told."""
    rows: list[dict[str, object]] = []
    grown = growth(found.curve) or ()
    for index, worth in enumerate(found.curve):
        before = index + 1 < len(found.curve) and found.curve[index + 1].day == worth.day
        rows.append(
            {
                "session": worth.day.isoformat(),
                "moment": "before" if before else "after",
                "equity": str(worth.equity),
                "transferred": str(worth.transferred),
                "growth": f"{grown[index]:.10f}" if grown else None,
            }
        )
    return rows
