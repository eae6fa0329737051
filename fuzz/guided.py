"""The command `python -m fuzz.guided`: mutants of one ending that libFuzzer makes, guided by the code that they reach.

It needs atheris (the extra `fuzz`, Linux), and ends with the first mutant that fails, which libFuzzer writes beside it.
"""

from __future__ import annotations

import argparse
import logging
import sys
import tempfile
from pathlib import Path

import atheris

from .mutants import SHARES, fixtures

with atheris.instrument_imports(include=["kconvert"]):
    from .trial import tried

LARGEST = 60_000  # bytes of a fixture that it begins with


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m fuzz.guided", description=__doc__)
    parser.add_argument("--ending", choices=SHARES, default=".h5", help="of the files")
    parser.add_argument("--seconds", type=int, default=60, help="how long it runs")
    given = parser.parse_args()
    logging.disable()
    with tempfile.TemporaryDirectory(prefix="fuzz-") as name:
        corpus, folder = Path(name, "corpus"), Path(name, "work")
        corpus.mkdir()
        folder.mkdir()
        for number, path in enumerate(fixtures()[given.ending]):
            if path.stat().st_size <= LARGEST:
                (corpus / str(number)).write_bytes(path.read_bytes())

        def one(data: bytes) -> None:
            path = folder / f"mutant{given.ending}"
            path.write_bytes(data)
            _, fault = tried(path, folder / "out.h5")
            if fault:
                raise AssertionError(fault)

        words = [f"-max_total_time={given.seconds}", f"-max_len={LARGEST}", "-timeout=10", "-rss_limit_mb=2048"]
        atheris.Setup([sys.argv[0], *words, str(corpus)], one)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
