"""Measures how long `kconvert --help` takes, compared with Python alone, and `kconvert inspect` of a small file.

Exits with code 1 where `--help` takes 0.25 s of a processor or more, or `inspect` 1.5 times that of the packages.
"""

from __future__ import annotations

import argparse
import sys
from functools import partial
from pathlib import Path

from measure import KCONVERT, MB, rounds, run, show
from rich.table import Table

BOUND = 0.25
SMALL_FILE = Path(__file__).parent.parent / "tests" / "fixtures" / "1.2.2-theano" / "lenet_th" / "model.h5"
INSPECT, PACKAGES = "kconvert inspect", "python -c 'import h5py, click, rich.console'"
RATIO = 1.5
HELP = "kconvert --help"
COMMANDS = {
    "python -c pass": (sys.executable, "-c", "pass"),
    "python -c 'import kconvert'": (sys.executable, "-c", "import kconvert"),
    "python -c 'import numpy, h5py'": (sys.executable, "-c", "import numpy, h5py"),
    "kconvert --version": (*KCONVERT, "--version"),
    HELP: (*KCONVERT, "--help"),
    PACKAGES: (sys.executable, "-c", "import h5py, click, rich.console"),
    INSPECT: (*KCONVERT, "inspect", str(SMALL_FILE)),
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=11, help="how often each command runs (default: 11)")
    count = parser.parse_args().rounds
    for command in COMMANDS.values():  # compiles the modules, once after an installation
        run(*command)
    runs = rounds({name: partial(run, *command) for name, command in COMMANDS.items()}, count)
    table = Table("command", title="Starting", title_justify="left")
    for heading in ("time", "CPU", "peak memory", "bound"):
        table.add_column(heading, justify="right")
    for name, one in runs.items():
        bound = {HELP: f"< {BOUND} s", INSPECT: f"< {RATIO:g} x"}.get(name, "")
        table.add_row(name, f"{one.seconds:.3f} s", f"{one.processor:.3f} s", f"{one.peak / MB:.0f} MB", bound)
    slow, ratio = runs[HELP].processor, runs[INSPECT].processor / runs[PACKAGES].processor
    failures = [f"{HELP} takes {slow:.2f} s"] if slow >= BOUND else []
    failures += [f"{INSPECT} takes {ratio:.1f} times of {PACKAGES}"] if ratio >= RATIO else []
    return show(table, failures)


if __name__ == "__main__":
    sys.exit(main())
