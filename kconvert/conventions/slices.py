"""The functions by which models for several GPUs cut a batch into slices (keras-facts: multi-gpu-model)."""

from __future__ import annotations

import binascii
from base64 import b64decode
from collections.abc import Mapping, Sequence
from typing import Any

from ..lazy_dataclasses import dataclass


@dataclass(frozen=True)
class SliceFunction:
    """A function of a Lambda that takes one of several slices of a batch."""

    index: str
    """The argument that says which slice, from 0."""
    parts: str
    """The argument that says how many slices."""
    words: frozenset[str]
    """The names in the function."""
    drops_rest: bool
    """Whether samples that do not fill a slice are left out; otherwise the last slice takes them."""


SLICE_FUNCTIONS = (
    # multi_gpu_model of Keras 2.0.9 - 2.3.1 and of tf.keras
    SliceFunction(
        index="i",
        parts="parts",
        words=frozenset(
            [
                "get_slice",
                "data",
                "i",
                "parts",
                "shape",
                "batch_size",
                "input_shape",
                "step",
                "size",
                "stride",
                "start",
                "slice",
            ]
        ),
        drops_rest=False,
    ),
    # make_parallel, in scripts of 2016 and 2017
    SliceFunction(
        index="idx",
        parts="parts",
        words=frozenset(["get_slice", "data", "idx", "parts", "shape", "size", "stride", "start", "slice"]),
        drops_rest=True,
    ),
)


def slice_function(function: Any, arguments: Mapping[str, Any]) -> SliceFunction | None:
    """The row of the function of a Lambda, as a file stores it with its arguments; None where it is none of these.

    The bytecode is searched for names, and not loaded.
    """
    for row in SLICE_FUNCTIONS:
        if set(arguments) == {row.index, row.parts}:
            code = _bytecode(function)
            return row if all(_names(code, word) for word in row.words) else None
    return None


def _bytecode(function: Any) -> bytes:
    """The bytecode in `[code, defaults, closure]`: base64, or in older releases escaped text."""
    code = function[0] if isinstance(function, Sequence) and function and not isinstance(function, str) else function
    if not isinstance(code, str):
        return b""
    try:
        return b64decode("".join(code.split()).encode("ascii"), validate=True)
    except (UnicodeEncodeError, binascii.Error):
        return code.encode("raw_unicode_escape", "ignore")


def _names(code: bytes, word: str) -> bool:
    """Whether bytecode has the string `word`; its length stands before it, in one byte or, in Python 2, in four."""
    return any(len(word).to_bytes(size, "little") + word.encode() in code for size in (1, 4))
