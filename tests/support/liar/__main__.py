"""Replays one seed: ``PYTHONPATH=tests python -m support.liar safety 17``."""

import sys

from support.liar.explorer import play, shrunk
from support.liar.runner import exchange
from support.liar.scenario import Mode, scenario
from support.quiet import quiet


def main(mode: str, seed: str) -> int:
    """Print what was drawn, said and violated; of a violation as little as it needs."""
    with quiet():
        played = play(exchange(), scenario(int(seed), Mode(mode)))
        sys.stdout.write(f"{shrunk(exchange(), played) if played.violations else played}\n")
    return 1 if played.violations else 0


if __name__ == "__main__":
    raise SystemExit(main(*sys.argv[1:]))
