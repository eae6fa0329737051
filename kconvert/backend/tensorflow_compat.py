"""How to import TensorFlow without its informational messages, so that the terminal shows only what matters."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from types import ModuleType

# Lines from C++ that no setting stops: about the processor, and about the logging itself.
_INFORMATION = rb"I\d{4} |WARNING: All log messages before absl::InitializeLog|To enable the following instructions"
_FILTER = "import re, sys\nfor line in sys.stdin.buffer:\n  re.match({!r}, line) or sys.stderr.buffer.write(line)"


def load() -> ModuleType:
    """Imports TensorFlow. Its warnings and errors are printed, its informational messages are not."""
    if "tensorflow" not in sys.modules:
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
        with _without_information(), _collecting_once():
            import_module("tensorflow")
    return sys.modules["tensorflow"]


@contextmanager
def _collecting_once() -> Iterator[None]:
    """The garbage collector runs once, when the block ends.

    During an import of 300,000 objects it would run 770 times, and look at all of them once more in the first batch of
    a training.
    """
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        gc.collect()


@contextmanager
def silent() -> Iterator[None]:
    """While it is open, what C++ prints on standard error is dropped: the converter of LiteRT repeats its errors there.

    The exceptions that are raised have them.
    """
    try:
        kept = os.dup(2)
    except OSError:  # there is no standard error
        yield
        return
    with open(os.devnull, "wb") as nothing:
        os.dup2(nothing.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(kept, 2)
            os.close(kept)


@contextmanager
def _without_information() -> Iterator[None]:
    """While it is open, standard error goes through a second process, which drops the informational lines.

    It is a process and not a thread, because TensorFlow may end this process while it is imported (on a processor
    that it does not support), and its reason must still be printed.
    """
    command = [sys.executable, "-S", "-c", _FILTER.format(_INFORMATION)]
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
