"""The command line that the examples share."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

import kconvert as kc


def options(about: str, epochs: int, samples: int, tests: int = 1000, backend: bool = True) -> argparse.Namespace:
    """The options of the command line; an example with the defaults takes about a minute.

    about: the text of `--help`.
    epochs, samples, tests: the defaults of these options.
    backend: whether there is an option for the backend.
    """
    form = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=about, formatter_class=form)
    if backend:
        parser.add_argument("--backend", choices=["theano", "tensorflow"], help="default: that of KCONVERT_BACKEND")
    parser.add_argument("--data", type=Path, help="the npz file of Keras; without it, data are made up")
    parser.add_argument("--epochs", type=int, default=epochs)
    parser.add_argument("--samples", type=int, default=samples, help="samples to train on (default: %(default)s)")
    parser.add_argument("--tests", type=int, default=tests, help="samples to test on (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="seed of weights, order and dropout")
    return parser.parse_args()


def run(main: Callable[[], None]) -> None:
    """Runs an example; an error of kconvert is printed as one sentence."""
    try:
        main()
    except kc.KconvertError as error:
        sys.exit(str(error))
