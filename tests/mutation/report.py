"""Score and survivors of a mutation run, from what mutmut left in the staging folder.

Usage: report.py [--json FILE] STAGE FILE...; exit code 1 if a module has mutants that were not tried.
"""

import argparse
import json
import os
import sys
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path

from mutmut.mutation.data import SourceFileMutationData
from mutmut.mutation.diff_apply import get_diff_for_mutant
from mutmut.stats import status_by_exit_code
from mutmut.utils.format_utils import orig_function_and_class_names_from_key

KILLED, TIMEOUT, UNTRIED = "killed", "timeout", "not checked"


@dataclass(frozen=True)
class Score:
    """One module's mutants by what became of them."""

    module: str
    mutants: int
    killed: int
    """By a test that failed."""
    timeouts: int
    """They never end: tests would hang."""
    untried: int

    @property
    def survived(self) -> int:
        """No test noticed, or no test runs the code."""
        return self.mutants - self.killed - self.timeouts - self.untried

    @property
    def score(self) -> float:
        """Per cent that were noticed."""
        return 100 * (self.mutants - self.survived - self.untried) / max(self.mutants, 1)


def main() -> int:
    """Prints the survivors, then the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write scores and survivors there as well")
    parser.add_argument("stage", type=Path, help="the folder that mutmut ran in")
    parser.add_argument("modules", nargs="+", metavar="FILE", help="mutated, below STAGE")
    given = parser.parse_args()
    target = given.json.resolve() if given.json else None
    os.chdir(given.stage)
    scores: list[Score] = []
    survivors: list[str] = []
    for module in given.modules:
        data = SourceFileMutationData(path=Path(module))
        data.load()
        fates = {name: status_by_exit_code[code] for name, code in data.exit_code_by_key.items()}
        count = Counter(fates.values())
        scores.append(Score(Path(module).stem, len(fates), count[KILLED], count[TIMEOUT], count[UNTRIED]))
        known = {KILLED, TIMEOUT, UNTRIED}
        survivors += [_survivor(name, data.path) for name, fate in fates.items() if fate not in known]
    sys.stdout.write("".join(f"{survivor}\n\n" for survivor in survivors))
    sys.stdout.write(_table(scores))
    if target:
        rows = [{**asdict(score), "survived": score.survived, "score": score.score} for score in scores]
        target.write_text(json.dumps({"modules": rows, "survivors": survivors}, indent=1) + "\n", "utf-8")
    return int(any(score.untried or not score.mutants for score in scores))


def _survivor(name: str, path: Path) -> str:
    """Its place in the source, its name for `mutmut show`, and the lines it changes."""
    lines = get_diff_for_mutant(name, path=path).splitlines()[2:]
    changes = [line for line in lines if line.startswith(("-", "+"))]
    return "\n".join([f"{path.name}:{_line(name, path, lines)}  {name.rpartition('.')[2]}", *changes])


def _line(name: str, path: Path, diff: list[str]) -> int:
    """The line of the source that the mutant changes first."""
    function, cls = orig_function_and_class_names_from_key(name)
    source = path.read_text("utf-8").splitlines()
    first = next((n for n, line in enumerate(source) if cls and line.startswith(f"class {cls}")), 0)
    start = next(n for n, line in enumerate(source[first:], first + 1) if line.lstrip().startswith(f"def {function}("))
    offset = int(diff[0].split()[1].lstrip("-").partition(",")[0]) - 1
    before = next(n for n, line in enumerate(diff[1:]) if line.startswith(("-", "+")))
    return start + offset + before


def _table(scores: list[Score]) -> str:
    total = Score("all", *(sum(getattr(s, name) for s in scores) for name in list(asdict(scores[0]))[1:]))
    head = ("module", "mutants", "killed", "timeouts", "survived", "untried", "score")
    rows = [
        (s.module, s.mutants, s.killed, s.timeouts, s.survived, s.untried, f"{s.score:.1f} %")
        for s in (*scores, *([total] if len(scores) > 1 else []))
    ]
    return "".join(
        "".join((f"{cell!s:>10}" if n else f"{cell!s:<12}") for n, cell in enumerate(row)) + "\n"
        for row in (head, *rows)
    )


if __name__ == "__main__":
    sys.exit(main())
