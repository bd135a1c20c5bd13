"""Runs one command and prints what it needed, as JSON. Stays small: a child's peak counts what its parent had.

python -I -S launch.py COMMAND [ARGUMENT]...
"""

import json
import os
import subprocess
import sys
import time


def main() -> int:
    """Wall and processor seconds, and peak memory in MB; the command's own output goes nowhere."""
    began = time.perf_counter()
    with subprocess.Popen(sys.argv[1:], stdout=subprocess.DEVNULL) as child:
        _, status, usage = os.wait4(child.pid, 0)
        wall = time.perf_counter() - began
        child.returncode = os.waitstatus_to_exitcode(status)
    unit = 1 if sys.platform == "darwin" else 1024
    found = {"wall": wall, "cpu": usage.ru_utime + usage.ru_stime, "peak": usage.ru_maxrss * unit / 1e6}
    sys.stdout.write(json.dumps(found))
    return child.returncode


if __name__ == "__main__":
    sys.exit(main())
