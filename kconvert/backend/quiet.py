"""Suppresses warnings of the frameworks: old releases use deprecated functions of Python and NumPy.

If warnings are turned into errors, as in tests, such a framework could not be imported.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager

_FRAMEWORKS = ("theano", "tensorflow", "keras", "tf_keras")


@contextmanager
def quiet_import() -> Iterator[None]:
    """Warnings of the block, which imports a framework and all that it uses, are dropped."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@contextmanager
def quiet_run() -> Iterator[None]:
    """Warnings that modules of a framework give in the block are dropped; those of a user's functions are not."""
    with warnings.catch_warnings():
        for framework in _FRAMEWORKS:
            warnings.filterwarnings("ignore", module=rf"{framework}(\.|$)")
        yield
