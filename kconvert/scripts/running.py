"""Runs a script of Keras as `python SCRIPT` does, with `import keras` as the module of a dialect."""

from __future__ import annotations

import os
import random
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import field, replace
from importlib import import_module
from importlib.util import find_spec
from types import CodeType, ModuleType
from typing import Any

import numpy as np

from ..arguments import argument
from ..backend import default_backend, get_backend, probe
from ..backend.environment import environment
from ..errors import KconvertError, Problem
from ..keras.own.folders import VARIABLE
from ..lazy_dataclasses import dataclass
from .data_files import found_in
from .failures import lacking, print_traceback
from .imports import KERAS, MOVED, renamed
from .loops import with_short_loops
from .numpy_aliases import ALIASES, numpy_aliases
from .old_split import splitting_as_before
from .old_ticks import labels_as_before
from .python2 import with_old_division
from .random_layers import without_random_layers
from .recording import History, recorded
from .shortening import Limits, shortened
from .words import NEW, OLD, Script

DIALECTS = {NEW: "kconvert.keras", OLD: "kconvert.keras1"}
"""The releases of Keras, and the package for each."""

FAILED = 1
"""The exit code of a script that raised an error, as that of Python."""


@dataclass
class Run:
    """How a script is run."""

    # Its own arguments.
    arguments: Sequence[str] = ()
    # Of the models; None: the default backend.
    backend: str | None = None
    # The release of Keras that it is written for; None: detected.
    release: str | None = None
    # The version of Python that it is written for, 2 or 3; None: detected.
    python: int | None = None
    seed: int | None = None
    # The folder of its data sets, of weights, and of files that are not where it looks for them.
    data: str | None = None
    # Whether layers draw random numbers in training.
    random_layers: bool = True
    limits: Limits = field(default_factory=Limits)


def run_script(path: str, run: Run) -> tuple[int, History]:
    """Runs a script; returns its exit code, and the losses of its training.

    Raises KconvertError for what the script lacks, and for what kconvert refuses. Of other errors the traceback is
    printed, and the code is 1.
    """
    script = Script(path, run.python)
    package = _package(script, run.release)
    backend = run.backend or default_backend()
    _load(script, backend)
    history = History(backend)
    with ExitStack() as stack:
        stack.enter_context(environment("KCONVERT_BACKEND", backend))
        if run.data is not None:
            stack.enter_context(environment(VARIABLE, os.path.abspath(run.data)))
        stack.enter_context(found_in(run.data, run.limits.say))
        stack.enter_context(renamed({**dict.fromkeys(KERAS, package), **MOVED}))
        stack.enter_context(numpy_aliases())
        stack.enter_context(splitting_as_before(run.limits.say))
        has_plots = script.imports("matplotlib") and find_spec("matplotlib") is not None
        stack.enter_context(labels_as_before(has_plots, run.limits.say))
        stack.enter_context(recorded(history))
        if not run.random_layers:
            stack.enter_context(without_random_layers(run.limits.say))
        limits = replace(run.limits, stated=script.integers)
        stack.enter_context(shortened(limits))
        _say_what_moved(script)
        if script.imports("tensorflow"):
            import_module(KERAS[1])  # `tensorflow.keras` as an attribute
        return _executed(script, run, limits), history


def _package(script: Script, release: str | None) -> str:
    """The package that speaks the dialect of a script. Raises KconvertError where it is not there."""
    word = None
    if release is None:
        release, word = script.release()
    package = DIALECTS[release]
    reason = f" ({word.text} in line {word.line})" if word else ""
    if find_spec(package) is None:
        raise KconvertError(
            f"the script is of Keras {release}{reason}, which this version of kconvert does not speak",
            script.path,
            f"{argument('release', '2.3.1')} runs it with the words of that release",
            Problem.UNSUPPORTED,
        )
    if word and release != NEW:
        _say(f"the script is of Keras {release}{reason}; {argument('release')} says otherwise")
    return package


def _load(script: Script, backend: str) -> None:
    """Imports the backend, and TensorFlow for a script that imports it: TensorFlow itself imports the real Keras."""
    get_backend(backend)
    if script.imports("tensorflow") and probe()["tensorflow"].usable:
        get_backend("tensorflow")


def _say_what_moved(script: Script) -> None:
    """Prints notes on removed names of libraries that the script uses."""
    for name, line in sorted(set(script.used("numpy")), key=lambda used: used[1]):
        if name in ALIASES:
            _say(f"line {line}: NumPy has no np.{name} any more; it means {ALIASES[name][1]} here")
    for name, other in MOVED.items():
        if script.imports_module(name):
            _say(f"{name} is gone; {other} takes its place")


def _say(what: str) -> None:
    print(f"kconvert: {what}", file=sys.stderr)


# ---------------------------------------------------------------- execution ----


def _executed(script: Script, run: Run, limits: Limits) -> int:
    """Executes a script as `__main__`; returns its exit code."""
    main = ModuleType("__main__")
    main.__dict__.update(__file__=os.path.abspath(script.path), __builtins__=__builtins__)
    if run.seed is not None:
        _seed(run.seed)
    with _as_main(main, script.path, run.arguments):
        try:
            exec(_code_of(script, limits, main.__dict__), main.__dict__)
        except SystemExit as end:
            return _exit_code(end.code)
        except (Exception, RecursionError) as error:
            if sentence := lacking(error, script.path):
                raise sentence from None
            print_traceback(error, script.path)
            return FAILED
    return 0


def _code_of(script: Script, limits: Limits, names: dict[str, Any]) -> CodeType:
    """The code of a script; names: its global names, which get what the code needs."""
    tree = with_short_loops(script.tree, limits, names)
    if script.python2:
        _say(f"the script is of Python 2 ({script.python2}): it is translated, and / divides integers as there")
        tree = with_old_division(tree, names, script.path)
    return compile(tree, names["__file__"], "exec")


def _seed(seed: int) -> None:
    """Seeds Python and NumPy, from whose global generator models of kconvert.keras draw their seeds."""
    random.seed(seed)
    np.random.seed(seed)


@contextmanager
def _as_main(main: ModuleType, path: str, arguments: Sequence[str]) -> Iterator[None]:
    """In the block, `main` is the main module, called with `arguments`, and modules beside it can be imported."""
    before = sys.modules["__main__"], sys.argv, sys.path[:]
    sys.modules["__main__"], sys.argv = main, [path, *arguments]
    sys.path.insert(0, os.path.dirname(os.path.abspath(path)))
    try:
        yield
    finally:
        sys.modules["__main__"], sys.argv, sys.path[:] = before


def _exit_code(stated: Any) -> int:
    """The exit code that `sys.exit(stated)` means; a text is printed."""
    if stated is None or isinstance(stated, int):
        return int(stated or 0)
    print(stated, file=sys.stderr)
    return FAILED
