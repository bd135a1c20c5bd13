"""The project's own price file: a Parquet table of one row a session and symbol, marked as such.

    date         date32
    symbol       text, a class of shares as BRK.B
    close        USD; as traded if there are splits or adjusted closes beside it
    open, high, low, adj_close    USD, volume in shares, split in new shares for an old one; each may be missing

Must never import pandas: what is read on every start is recognised here. The simulator has the reader.
"""

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from pyarrow import parquet

from alchemiser_common.private_files import make_private_folder
from alchemiser_prices.errors import UnusablePrices

if TYPE_CHECKING:
    from alchemiser_prices.report import Report

MARK = b"alchemiser.prices"
"""Key of the file's metadata that says it is tidy; its value is the version of the form."""
VERSION = b"1"
_REPORT = b"alchemiser.prices.report"
_ODD = b"alchemiser.prices.odd"
_STATE = b"alchemiser.prices.fetched"
NUMBERS = ("open", "high", "low", "close", "volume", "adj_close", "split")
"""The columns beside date and symbol, in their order; only the closes must be there."""
SUFFIX = ".parquet"


def metadata(path: Path) -> Mapping[bytes, bytes]:
    """Of a Parquet file; empty for anything else."""
    if not path.is_file():
        return {}
    with path.open("rb") as file:
        if file.read(4) != b"PAR1":
            return {}
    try:
        return dict(parquet.read_schema(path).metadata or {})
    except (pa.ArrowException, OSError):
        return {}


def is_tidy(path: Path) -> bool:
    """Whether the file is the project's own, to be read as it is."""
    return metadata(path).get(MARK) == VERSION


def odd_lines(path: Path) -> Sequence[str]:
    """What whoever uses the tidy file should be told each time, as `Report.odd` had it. Costs no model."""
    return [str(line) for line in json.loads(metadata(path).get(_ODD, b"[]"))]


def read_report(path: Path) -> "Report | None":
    """What was understood when the tidy file was made; None if nobody wrote that down."""
    from alchemiser_prices.report import Report  # a dozen models, which a decision does without

    text = metadata(path).get(_REPORT)
    return None if text is None else Report.model_validate_json(text)


def fetched_state(path: Path) -> bytes | None:
    """What `fetching` wrote beside the prices; None if they are not the broker's."""
    return metadata(path).get(_STATE)


def write(path: Path, table: "pa.Table", *, report: "Report | None" = None, fetched: bytes | None = None) -> None:
    """Write the table, whole or not at all. Raises UnusablePrices if the place cannot be written to."""
    said: dict[bytes, bytes] = {MARK: VERSION}
    if report is not None:
        said[_REPORT] = report.model_dump_json().encode()
        said[_ODD] = json.dumps(report.odd()).encode()
    if fetched is not None:
        said[_STATE] = fetched
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        make_private_folder(path.parent)
        parquet.write_table(
            table.replace_schema_metadata(said),
            partial,
            compression="zstd",
            use_dictionary=["symbol", "date"],  # type: ignore[arg-type]  # the stub knows no list of names
        )
        partial.replace(path)
    except OSError as error:
        raise UnusablePrices(f"{path} cannot be written: {error.strerror}; give another place") from error
    finally:
        partial.unlink(missing_ok=True)


def table_of(columns: Mapping[str, Any]) -> "pa.Table":
    """A tidy table from columns of one length: `date` (dates), `symbol` (texts) and numbers (NaN or None: unknown)."""
    arrays = {"date": pa.array(columns["date"], pa.date32()), "symbol": _texts(columns["symbol"])}
    for name in NUMBERS:
        if name in columns:
            arrays[name] = pa.array(columns[name], pa.float64(), from_pandas=True)
    return pa.table(arrays)


def _texts(values: Any) -> Any:
    found = values if isinstance(values, pa.Array | pa.ChunkedArray) else pa.array(values, pa.string())
    return found if isinstance(found, pa.DictionaryArray) else found.dictionary_encode()
