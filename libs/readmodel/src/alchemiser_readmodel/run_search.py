"""Which runs a person looks for: by a text and by how they stand. Pure."""

from collections.abc import Iterator

from alchemiser_readmodel.runs import RunSummary


def matches(run: RunSummary, text: str = "", status: str = "") -> bool:
    """Whether the run stands so (any status if empty) and has every word of the text somewhere, whatever the case.

    Looked through are its ids, status, pipeline, reason, notes, and the symbols that it traded.
    """
    if status and run.status != status:
        return False
    words = text.lower().split()
    if not words:
        return True
    said = "\n".join(_texts(run)).lower()
    return all(word in said for word in words)


def _texts(run: RunSummary) -> Iterator[str]:
    yield from (str(run.run_id), run.cycle_id, run.status, run.pipeline, run.reason, *run.notes)
    if run.report is not None:
        yield from (leg.symbol for leg in run.report.legs)
