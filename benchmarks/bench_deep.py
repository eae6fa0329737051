"""Converts models of many layers, without verification: the time by the number of layers.

Exits with code 1 where 3,000 layers take too much processor time, or where that of 10,000 layers is not linear.
"""

from __future__ import annotations

import argparse
import sys
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from large_models import deep, make
from measure import KCONVERT, MB, Run, rounds, run, show
from rich.table import Table

LAYERS = (1000, 3000, 10_000)
MOST = 2.2  # seconds of a processor for 3,000 layers
LINEAR = 4.0  # times of 3,000 layers that 10,000 may take


def convert(source: Path, target: Path) -> Run:
    target.unlink(missing_ok=True)
    return run(*KCONVERT, source, "--from", "theano", "--to", "tensorflow", "--no-verify", "-o", target)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="how often each file is converted (default: 5)")
    count = parser.parse_args().rounds
    with TemporaryDirectory(prefix="kconvert-") as name:
        folder = Path(name)
        for layers in LAYERS:
            make(folder / f"{layers}.h5", deep(layers))
        acts = {str(layers): partial(convert, folder / f"{layers}.h5", folder / "target.h5") for layers in LAYERS}
        runs = rounds(acts, count)
    table = Table("layers", title="Models of many layers, converted", title_justify="left")
    for heading in ("time", "CPU", "peak", "bound"):
        table.add_column(heading, justify="right")
    _, middle, most = map(str, LAYERS)
    bounds = {middle: f"< {MOST:g} s of CPU", most: f"< {LINEAR:g} times of {middle}"}
    for layers, one in runs.items():
        times = f"{one.seconds:.2f} s", f"{one.processor:.2f} s"
        table.add_row(f"{int(layers):,}", *times, f"{one.peak / MB:.0f} MB", bounds.get(layers, ""))
    failures = [f"{middle} layers take {runs[middle].processor:.1f} s"] if runs[middle].processor >= MOST else []
    ratio = runs[most].processor / runs[middle].processor
    if ratio >= LINEAR:
        failures.append(f"{most} layers take {ratio:.1f} times of {middle}")
    return show(table, failures)


if __name__ == "__main__":
    sys.exit(main())
