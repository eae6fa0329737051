"""Measures how long `kconvert --help` takes, compared with Python alone. Exits with code 1 at 0.25 s or more."""

from __future__ import annotations

import argparse
import sys
from functools import partial

from measure import KCONVERT, MB, rounds, run, show
from rich.table import Table

BOUND = 0.25
HELP = "kconvert --help"
COMMANDS = {
    "python -c pass": (sys.executable, "-c", "pass"),
    "python -c 'import kconvert'": (sys.executable, "-c", "import kconvert"),
    "python -c 'import numpy, h5py'": (sys.executable, "-c", "import numpy, h5py"),
    "kconvert --version": (*KCONVERT, "--version"),
    HELP: (*KCONVERT, "--help"),
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=11, help="how often each command runs (default: 11)")
    count = parser.parse_args().rounds
    for command in COMMANDS.values():  # compiles the modules, once after an installation
        run(*command)
    runs = rounds({name: partial(run, *command) for name, command in COMMANDS.items()}, count)
    table = Table("command", title="Starting", title_justify="left")
    for heading in ("time", "peak memory", "bound"):
        table.add_column(heading, justify="right")
    for name, one in runs.items():
        bound = f"< {BOUND} s" if name == HELP else ""
        table.add_row(name, f"{one.seconds:.3f} s", f"{one.peak / MB:.0f} MB", bound)
    slow = runs[HELP].seconds
    return show(table, [f"{HELP} takes {slow:.2f} s"] if slow >= BOUND else [])


if __name__ == "__main__":
    sys.exit(main())
