"""Write the golden files of this version: ``python -m support.write_golden``, after a change of `SCHEMA_VERSION`.

Copy `golden/current` and `golden/records/current` to folders of the version before first: they must go on being read.
"""

import json
import sys
from collections.abc import Callable
from pathlib import Path

from alchemiser_common.messages.base import VersionedModel
from alchemiser_common.messages.wire import encode
from support import messages
from support.stored_records import KINDS

GOLDEN = Path(__file__).parents[1] / "contract" / "golden"
MESSAGES: dict[str, Callable[[], str]] = {
    "market-snapshot": lambda: encode(messages.make_snapshot()),
    "trade-decision": lambda: encode(messages.make_decision()),
    "execution-report": lambda: encode(messages.make_report()),
    "stage-failure": lambda: encode(messages.make_failure()),
    "run-event": lambda: encode(messages.make_event()),
    "snapshot-reference": lambda: encode(messages.make_reference()),
}


def main() -> None:
    stored = {kind.name: _stored(kind.make()) for kind in KINDS}
    sent = {name: text() for name, text in MESSAGES.items()}
    for folder, bodies in ((GOLDEN / "current", sent), (GOLDEN / "records" / "current", stored)):
        for name, body in bodies.items():
            (folder / f"{name}.json").write_text(json.dumps(json.loads(body), indent=1) + "\n", "utf-8")
        sys.stdout.write(f"{folder}: {len(bodies)} files\n")


def _stored(record: VersionedModel) -> str:
    return record.model_dump_json()


if __name__ == "__main__":
    main()
