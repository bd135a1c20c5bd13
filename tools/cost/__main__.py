"""Counts a cycle's calls again and writes docs/cost.md. python -m cost [--page-only]"""

import argparse
import sys
from pathlib import Path

from cost import MEASURED, PAGE
from cost.measure import Measured
from cost.page import render
from cost.stacks import stacks


def main() -> None:
    """Without `--page-only` moto's server is needed: a development environment."""
    parser = argparse.ArgumentParser(prog="cost", description=__doc__)
    parser.add_argument("--page-only", action="store_true", help="write the page from the counts that are there")
    if not parser.parse_args().page_only:
        MEASURED.write_text(_count().model_dump_json(indent=1) + "\n", "utf-8")
    PAGE.write_text(render(stacks(), Measured.model_validate_json(MEASURED.read_bytes())), "utf-8")
    sys.stdout.write(f"{PAGE.name} is written\n")


def _count() -> Measured:
    import os

    sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests"))
    from cost.measure import measure
    from support.aws import CREDENTIALS, moto_server

    os.environ.update(CREDENTIALS)
    with moto_server() as place:
        return measure(place)


if __name__ == "__main__":
    main()
