"""Converts a model of the size of VGG16 and verifies it: the memory of the main process, beside that of the frameworks.

The frameworks run in processes of their own, which hold their model. The main process compares weights and outputs
block by block. Exits with code 1 if it needs 300 MB or more.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from large_models import make, vgg16
from measure import MB, Run, run, show
from rich.table import Table

BOUND = 300 * MB

# Runs the command, and writes the peak memory of its own process, without that of the processes that it starts.
MAIN = """
import resource, sys
from kconvert.cli import main
target = sys.argv.pop(1)
try:
    main()
finally:
    with open(target, "w") as file:
        file.write(str(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)))
"""


def verified(folder: Path) -> tuple[Run, int]:
    """The run of all processes, and the peak memory of the main process."""
    source, peak = folder / "source.h5", folder / "peak"
    make(source, vgg16())
    words = ["--from", "theano", "--to", "tensorflow", "-o", folder / "target.h5"]
    return run(sys.executable, "-c", MAIN, peak, source, *words), int(peak.read_text())


def main() -> int:
    argparse.ArgumentParser(description=__doc__).parse_args()
    with TemporaryDirectory(prefix="kconvert-") as name:
        all_processes, peak = verified(Path(name))
    table = Table("process", title="A model of 553 MB, converted and verified", title_justify="left")
    for heading in ("time", "peak", "bound"):
        table.add_column(heading, justify="right")
    table.add_row("main", f"{all_processes.seconds:.0f} s", f"{peak / MB:.0f} MB", f"< {BOUND / MB:.0f} MB")
    table.add_row("largest of all", "", f"{all_processes.peak / MB:.0f} MB", "")
    return show(table, [f"the main process needs {peak / MB:.0f} MB"] if peak >= BOUND else [])


if __name__ == "__main__":
    sys.exit(main())
