"""Ends conversions and batches by a signal at random moments, and runs them again.

SIGKILL: each target is absent or whole. SIGTERM, SIGHUP and SIGINT: so too, and no other file is left, neither beside
the targets nor among the temporary files, and the exit code says which signal it was. Sources stay as they were. The
run after ends with the same bytes, and nothing else is left. Exits with code 1 where that does not hold.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from kill_phases import JOURNAL, command, contents, prepare
from large_models import make, one_convolution
from measure import KCONVERT

FILES = 24
"""How many files a batch has."""
LARGE = 60 * 10**6
"""The size of the file of a conversion: writing it takes a part of the time that can be met."""
SIGNALS = ("KILL", "TERM", "HUP", "INT")


class Trial:
    """A folder with sources, targets and temporary files, and a command that converts the sources."""

    def __init__(self, folder: Path, batch: bool) -> None:
        self.source, self.out, self.temporary = folder / "in", folder / "out", folder / "temporary"
        self.folder, self.batch = folder, batch
        prepare(folder, FILES if batch else 0)
        if not batch:
            make(self.source / "0.h5", one_convolution(LARGE))
        began = time.perf_counter()
        assert self.start().wait() == 0
        self.seconds = time.perf_counter() - began
        self.expected, self.sources = contents(self.out), contents(self.source)

    def start(self) -> subprocess.Popen[bytes]:
        environment = {**os.environ, "TMPDIR": str(self.temporary)}
        quiet, words = subprocess.DEVNULL, command(self.folder, self.batch, jobs=2)
        return subprocess.Popen([*KCONVERT, *words], stdout=quiet, stderr=quiet, env=environment)

    def ended(self, name: str, chance: random.Random) -> tuple[str, list[str]]:
        """Ends a run by a signal. Returns how far the run was, and what was wrong afterwards."""
        number = getattr(signal, f"SIG{name}")
        shutil.rmtree(self.out)
        self.out.mkdir()
        process = self.start()
        time.sleep(chance.uniform(0.2, 1.0) * self.seconds)
        process.send_signal(number)
        code = process.wait()
        time.sleep(0.2)  # in which its workers end
        found, phase = contents(self.out), self.phase()
        wrong = [f"{one} is not whole" for one, data in found.items() if data != self.expected.get(one, data)]
        if name != "KILL":  # -number: before the command had begun, or after it had ended
            wrong += [f"{one} is left" for one in (*found, *os.listdir(self.temporary)) if one not in self.expected]
            wrong += [f"the exit code is {code}"] * (code not in (0, 128 + number, -number))
        if self.batch or not found.keys() & self.expected.keys():
            wrong += [f"the run after ends with {again}"] if (again := self.start().wait()) else []
            wrong += ["after it, other files are there"] * (contents(self.out) != self.expected)
        wrong += [f"temporary files are left: {left}"] if (left := os.listdir(self.temporary)) else []
        wrong += ["the source was changed"] * (contents(self.source) != self.sources)
        return phase, [f"SIG{name} of a {'batch' if self.batch else 'conversion'}, {phase}: {one}" for one in wrong]

    def phase(self) -> str:
        """How far the run was that has ended."""
        names = [path.name for path in self.out.iterdir() if path.name != JOURNAL]
        if any(name.startswith(".") for name in names):
            return "while a file was written"
        if len(names) == len(self.expected):
            return "when all was done"
        return "between files" if names else "before the first file"


def main(words: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=200, help="of a conversion, and of a batch, by each signal")
    parser.add_argument("--signals", nargs="+", choices=SIGNALS, default=SIGNALS)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args(words)
    wrong = list[str]()
    for batch in (False, True):
        with tempfile.TemporaryDirectory() as name:
            trial = Trial(Path(name), batch)
            for one in given.signals:
                chance, phases = random.Random(f"{given.seed} {one} {batch}"), Counter[str]()
                for _ in range(given.kills):
                    phase, found = trial.ended(one, chance)
                    phases[phase] += 1
                    wrong += found
                for phase, count in phases.most_common():
                    what = f"{'batch' if batch else 'conversion'} ended by SIG{one} {phase}"
                    print(f"{count:5d} times a {what}", flush=True)
    print("\n".join(wrong) or "sources are as they were, targets were absent or whole, and nothing else was left")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
