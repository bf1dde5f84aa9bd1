"""What each tutorial takes: seconds of one core, from the start of Python to its end.

    python benchmarks/tutorials.py [NAME ...]

Each runs as it is, in a process of its own with one thread. At most ten seconds are aimed at, so that a site
that runs all of them is built in minutes. Time of the processor is told, which other programs hardly change.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

from measure import machine

FOLDER = Path(__file__).resolve().parents[1] / "examples" / "tutorials"
TARGET = 10.0


def used() -> float:
    """Seconds that children of this process took."""
    taken = resource.getrusage(resource.RUSAGE_CHILDREN)
    return taken.ru_utime + taken.ru_stime


def seconds(path: Path) -> float:
    """What one tutorial takes."""
    surroundings = {**os.environ, "OMP_NUM_THREADS": "1", "MPLBACKEND": "Agg"}
    before = used()
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.executable, path], check=True, cwd=folder, env=surroundings, capture_output=True)
    return used() - before


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help="tutorials; all by default")
    names = parser.parse_args().names or sorted(path.stem for path in FOLDER.glob("*.py"))
    os.environ["OMP_NUM_THREADS"] = "1"
    print(f"{machine()}; at most {TARGET:g} s are aimed at", flush=True)
    for name in names:
        taken = seconds(FOLDER / f"{name}.py")
        print(f"{name:24} {taken:5.1f} s{'' if taken <= TARGET else ', missed'}", flush=True)
