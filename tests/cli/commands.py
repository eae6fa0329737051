"""Commands run in tests, and the files that they run on."""

import re
import subprocess
import sys
from pathlib import Path

from click.testing import CliRunner

from kconvert import cli

ROOT = Path(__file__).parent.parent.parent
FIXTURES = ROOT / "tests" / "fixtures"
LENET = FIXTURES / "1.2.2-theano" / "lenet_th"
LSTM = FIXTURES / "2.3.1-theano" / "lstm_impl1"
HAZARD = FIXTURES / "2.3.1-theano" / "averagepooling2d_same_2x3_tf"
UNTOLD = FIXTURES / "0.3.3-theano" / "lstm"

EQUAL, DIFFERS, USAGE, UNSUPPORTED, UNREADABLE, UNVERIFIED, PARTLY_VERIFIED = range(7)


def run(*words):
    """The command within this process, both sides too where it runs any."""
    looks = {*cli.main.commands, "--help", "--version"} - {"verify", "convert"}
    here = ["--in-process"] if words and words[0] not in looks else []
    return CliRunner().invoke(cli.main, [*map(str, words), *here])


def kconvert(*words, **options):
    """The command in a process of its own."""
    command = [sys.executable, "-m", "kconvert", *map(str, words)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, **options)


def contents(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def refused(code, words, *command):
    """The command fails with `code` and one sentence that has `words`."""
    result = run(*command)
    assert result.exit_code == code, result.output
    assert re.fullmatch(r"kconvert: [^\n]+\n", result.stderr), result.stderr
    assert words in result.stderr
    return result
