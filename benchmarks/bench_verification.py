"""Conversions with their verification on both frameworks: memory for a model of the size of VGG16, and time for LeNet.

The frameworks run in processes of their own, which hold their model. The main process compares weights and outputs
block by block. LeNet is verified with and without the modules that Theano has compiled before. Exits with code 1 if the
main process needs 300 MB or more, or if LeNet takes twice the time where Theano has compiled nothing.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from large_models import make, vgg16
from measure import KCONVERT, MB, Run, rounds, run, show
from rich.table import Table

BOUND = 300 * MB
LENET = Path(__file__).parent.parent / "tests" / "fixtures" / "1.2.2-theano" / "lenet_th" / "model.h5"
COLD, WARM = "LeNet, nothing compiled", "LeNet, compiled before"
COLD_OVER_WARM = 2.0  # on the clock and on the processors

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


def lenet(folder: Path, is_compiled: bool) -> Run:
    """The run of all processes, compilers included; is_compiled: with what Theano compiled in the runs before."""
    modules, target = folder / "theano", folder / "lenet.h5"
    target.unlink(missing_ok=True)
    if not is_compiled:
        shutil.rmtree(modules, ignore_errors=True)
    words = ["--from", "theano", "--to", "tensorflow", "-o", target, "-q"]
    return run("env", f"KCONVERT_THEANO_COMPILEDIR={modules}", *KCONVERT, LENET, *words)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="how often LeNet is converted (default: 5)")
    given = parser.parse_args()
    with TemporaryDirectory(prefix="kconvert-") as name:
        acts = {COLD: partial(lenet, Path(name), False), WARM: partial(lenet, Path(name), True)}
        runs = rounds(acts, given.rounds)
        all_processes, peak = verified(Path(name))
    table = Table("what", title="Converted and verified", title_justify="left")
    for heading in ("time", "CPU", "peak", "bound"):
        table.add_column(heading, justify="right")
    runs["VGG16 (553 MB), largest process"] = all_processes
    for what, one in runs.items():
        bound = f"< {COLD_OVER_WARM:g} times" if what == COLD else ""
        times = f"{one.seconds:.1f} s", f"{one.processor:.1f} s"
        table.add_row(what, *times, f"{one.peak / MB:.0f} MB", bound)
    table.add_row("VGG16 (553 MB), main process", "", "", f"{peak / MB:.0f} MB", f"< {BOUND / MB:.0f} MB")
    failures = [f"the main process needs {peak / MB:.0f} MB"] if peak >= BOUND else []
    cold, warm = runs[COLD], runs[WARM]
    for what, ratio in (("time", cold.seconds / warm.seconds), ("CPU", cold.processor / warm.processor)):
        failures += [f"LeNet without compiled modules takes {ratio:.1f} times the {what}"] * (ratio >= COLD_OVER_WARM)
    return show(table, failures)


if __name__ == "__main__":
    sys.exit(main())
