"""Warnings of the frameworks: old releases call what Python and NumPy of today deprecate, and no user can mend that.

Where a user turns warnings into errors, as tests do, such a framework would not even be imported.
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
