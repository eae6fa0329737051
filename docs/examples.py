"""Runs the examples in the pages: `python -m docs.examples` writes their output into the pages (`make docs`).

The blocks of a page run in order, in a folder that contains `tests`, `build/demo`, and `model.h5` and `weights.h5` of
one fixture:

    console   `$ kconvert ...` and what it prints; `$ echo $?` shows the exit code of the command before, and must
              follow if that is not 0
    pycon     a session, checked by doctest
    python    code that is run; `x` holds inputs of `model.h5`

Models run in this process. The pages of this folder run as on a machine without Theano and TensorFlow, where NumPy
emulates them; the README and the pages on training, on batches and on formats of TensorFlow need both.
"""

from __future__ import annotations

import doctest
import os
import re
import shlex
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import numpy as np
from click.testing import CliRunner

from kconvert import backend, cli
from kconvert._version import install
from kconvert.backend import Probe
from kconvert.conventions.backends import BACKENDS
from kconvert.layers.names import reset_names

ROOT = Path(__file__).resolve().parent.parent
README = ROOT / "README.md"
PAGES = sorted((ROOT / "docs").rglob("*.md"))
_NEED_BOTH = (
    *("training.md", "keras-module.md", "scripts.md", "tensorflow-formats.md", "batch.md"),
    *("tutorial.md", "migrate/programs.md", "migrate/tf_keras.md", "migrate/live.md"),
)
NEED_BOTH = {README, *(ROOT / "docs" / name for name in _NEED_BOTH)}
FIXTURE = ROOT / "tests" / "fixtures" / "1.2.2-theano" / "lenet_th"

BLOCK = re.compile(r"^```(console|pycon|python)\n(.*?)^```$", re.M | re.S)
COMMAND = re.compile(r"^\$ (.*)$", re.M)

# What differs from machine to machine: the errors in a comparison, and versions.
_COMPARED = re.compile(r"( \d+(?:x\d+)*)(?: +[\d.e+-]+){3} (equal|DIFFERS)$", re.M)
_VERSION = re.compile(r"(theano|tensorflow|tf_keras|numpy|LiteRT) +\d+\.[\w.]+")
_LARGEST = re.compile(r"largest error\s+[\d.e+-]+(\s+of)?")  # its digits decide where the line breaks


class Page:
    """The text of a page while its examples run.

    folder: where they run.
    failures: what sessions printed instead of what the page shows, and commands that failed without saying so.
    """

    def __init__(self, text: str, folder: Path) -> None:
        self.text, self.folder, self.code = text, folder, 0
        self.failures: list[str] = []
        with np.load(FIXTURE / "io.npz") as stored:
            self.names: dict[str, Any] = {"x": stored["x0"]}

    def run(self) -> str:
        """The text with the output that its commands have now."""
        return BLOCK.sub(lambda block: getattr(self, block[1])(block), self.text)

    def console(self, block: re.Match[str]) -> str:
        lines, commands = "", COMMAND.findall(block[2])
        for command, following in zip(commands, [*commands[1:], ""], strict=True):
            lines += f"$ {command}\n{self.output(command)}"
            if self.code and "$?" not in command + following:
                self.failures.append(f"{command}: exit code {self.code}, and no `$ echo $?` says so\n")
        return f"```console\n{lines}```"

    def output(self, command: str) -> str:
        program, *words = shlex.split(command)
        if program == "echo":
            return f"{self.code}\n"
        assert program == "kconvert", f"only kconvert runs here, not {command!r}"
        looks = {*cli.main.commands, "--help", "--version"} - {"verify"}
        here = [] if words[0] in looks else ["--in-process"]
        done = CliRunner().invoke(cli.main, [*words, *here], env={"COLUMNS": "80"})
        self.code = done.exit_code
        return re.sub(r" +$", "", done.output, flags=re.M)

    def pycon(self, block: re.Match[str]) -> str:
        session = doctest.DocTestParser().get_doctest(block[2], self.names, "session", None, 0)
        runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
        runner.run(session, out=self.failures.append, clear_globs=False)
        self.names = session.globs
        return block[0]

    def python(self, block: re.Match[str]) -> str:
        exec(compile(block[2], "python block", "exec"), self.names)
        return block[0]


@contextmanager
def workplace() -> Iterator[Path]:
    """A folder for the examples; it is the current folder while it is open."""
    before = Path.cwd()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "build" / "demo").mkdir(parents=True)
        (folder / "tests").symlink_to(ROOT / "tests")
        for file in ("model.h5", "weights.h5"):
            shutil.copy(FIXTURE / file, folder)
        os.chdir(folder)
        try:
            yield folder
        finally:
            os.chdir(before)


@contextmanager
def bare() -> Iterator[None]:
    """While it is open, Theano and TensorFlow are not installed."""
    kept = dict(backend._PROBES)
    for name in BACKENDS:
        missing = Probe(name, None, f"{BACKENDS[name].title} is not installed", install(name))
        backend._PROBES[name] = lambda missing=missing: missing
    try:
        yield
    finally:
        backend._PROBES.update(kept)


def run(path: Path) -> tuple[str, str, list[str]]:
    """The text of the page `path`, the text with the output of now, and the failures."""
    text = path.read_text(encoding="utf-8")
    reset_names()  # as at the start of a process
    with nullcontext() if path in NEED_BOTH else bare(), workplace() as folder:
        page = Page(text, folder)
        return text, page.run(), page.failures


def settled(text: str) -> str:
    """A page without what differs from machine to machine."""
    text = _COMPARED.sub(r"\1 # # # \2", text)
    text = _LARGEST.sub("largest error # of", _VERSION.sub(r"\1 #", text))
    return re.sub(r" +", " ", text)


if __name__ == "__main__":
    failed = False
    for page in [Path(name).resolve() for name in sys.argv[1:]] or [*PAGES, README]:
        before, after, failures = run(page)
        print("".join(failures), end="")
        if not failures and settled(before) != settled(after):
            page.write_text(after, encoding="utf-8")
            print(f"{page.relative_to(ROOT)}: new output")
        failed = failed or bool(failures)
    sys.exit(failed)
