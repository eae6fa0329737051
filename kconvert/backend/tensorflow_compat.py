"""TensorFlow without its talk: how to import it and keep the user's terminal for what the user should read."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from types import ModuleType

# Lines of C++ that no setting stops: about the machine, and about where such lines go.
_TALK = rb"I\d{4} |WARNING: All log messages before absl::InitializeLog|To enable the following instructions"
_PASS_ON = "import re, sys\nfor line in sys.stdin.buffer:\n  re.match({!r}, line) or sys.stderr.buffer.write(line)"


def load() -> ModuleType:
    """Imports TensorFlow; of what it says meanwhile, warnings and errors reach the user, remarks do not."""
    if "tensorflow" not in sys.modules:
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
        with _without_talk():
            import_module("tensorflow")
    return sys.modules["tensorflow"]


@contextmanager
def _without_talk() -> Iterator[None]:
    """Within it, the process's standard error goes through a second process that leaves lines of talk out.

    A second process, since TensorFlow may end this one while it is imported (on a processor that it
    does not support), and its reason must still be read.
    """
    command = [sys.executable, "-S", "-c", _PASS_ON.format(_TALK)]
    try:
        kept = os.dup(2)
    except OSError:  # there is no standard error
        yield
        return
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as reader:
        assert reader.stdin
        os.dup2(reader.stdin.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(kept, 2)
            os.close(kept)
