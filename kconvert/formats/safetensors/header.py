"""The header of a safetensors file: a length of 8 bytes, JSON, and after it the arrays one after the other.

The attributes of a Keras file are in `__metadata__`, where each value is text:

    kconvert         how kconvert made the file, with the conventions of the source and of the arrays
    backend, keras_version, model_config, training_config        as in the HDF5 files of Keras
    whole_model, named                                           whether `model.save` wrote the file; `Checkpoint.named`
    layers           [{"name": layer, "arrays": [{"name": ..., "key": ..., "axes": ..., "gates": ...}, ...]}, ...]
    optimizer        [{"name": ..., "key": ...}, ...]

`key` is what safetensors calls an array: its name in Keras, after the name of its layer if that is not clear.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from ...conventions.words.values import parse_json
from ...lazy_dataclasses import dataclass

METADATA = "__metadata__"
LENGTH = 8  # bytes of the length of the header
LIMIT = 100_000_000  # bytes of a header; the library has the same limit
ALIGNMENT = 8
MOST_AXES = 32  # of an array, as in HDF5

DTYPES = {
    name: np.dtype(code)
    for name, code in (
        ("F64", "<f8"),
        ("F32", "<f4"),
        ("F16", "<f2"),
        ("I64", "<i8"),
        ("I32", "<i4"),
        ("I16", "<i2"),
        ("I8", "i1"),
        ("U64", "<u8"),
        ("U32", "<u4"),
        ("U16", "<u2"),
        ("U8", "u1"),
        ("BOOL", "?"),
    )
}
NAMES = {dtype: name for name, dtype in DTYPES.items()}


@dataclass(frozen=True)
class Entry:
    """One array: where it stands after the header."""

    key: str
    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    begin: int

    @property
    def end(self) -> int:
        return self.begin + math.prod(self.shape) * self.dtype.itemsize


def encoded(entries: Iterable[Entry], metadata: Mapping[str, str]) -> bytes:
    """The beginning of a file, up to its first array."""
    values: dict[str, Any] = {METADATA: dict(metadata)}
    for entry in entries:
        offsets = [entry.begin, entry.end]
        values[entry.key] = {"dtype": NAMES[entry.dtype], "shape": entry.shape, "data_offsets": offsets}
    text = json.dumps(values, separators=(",", ":")).encode("utf-8")
    text += b" " * (-len(text) % ALIGNMENT)
    return len(text).to_bytes(LENGTH, "little") + text


def decoded(text: bytes, room: int) -> tuple[list[Entry], dict[str, str]]:
    """The arrays and the metadata of a header. room: the bytes after it.

    Raises ValueError where the header is not one that fits them.
    """
    values = parse_json(text)
    if not isinstance(values, dict):
        raise ValueError("the header is not a JSON object")
    metadata = values.pop(METADATA, {})
    if not isinstance(metadata, dict) or not all(isinstance(value, str) for value in metadata.values()):
        raise ValueError(f"{METADATA} is not an object of texts")
    entries = sorted((_entry(key, value) for key, value in values.items()), key=lambda entry: (entry.begin, entry.end))
    end = 0
    for entry in entries:
        if entry.begin != end:
            raise ValueError(f"the array {entry.key!r} begins at byte {entry.begin}, the one before it ends at {end}")
        end = entry.end
    if end != room:
        raise ValueError(f"the arrays need {end:,} bytes, the file has {room:,} for them")
    return entries, metadata


def _entry(key: str, value: Any) -> Entry:
    if not isinstance(value, dict) or not {"dtype", "shape", "data_offsets"} <= set(value):
        raise ValueError(f"the array {key!r} lacks its dtype, shape or data_offsets")
    shape, offsets = value["shape"], value["data_offsets"]
    if not _are_sizes(shape) or len(shape) > MOST_AXES or not _are_sizes(offsets) or len(offsets) != 2:
        raise ValueError(f"the array {key!r} has no valid shape or data_offsets")
    if not isinstance(value["dtype"], str) or value["dtype"] not in DTYPES:
        raise ValueError(f"the array {key!r} is of the unknown dtype {value['dtype']!r}")
    entry = Entry(key, DTYPES[value["dtype"]], tuple(shape), offsets[0])
    if entry.end != offsets[1]:
        size = entry.end - entry.begin
        raise ValueError(
            f"the array {key!r} of shape {entry.shape} has {size:,} bytes, not {offsets[1] - offsets[0]:,}"
        )
    return entry


def _are_sizes(value: Any) -> bool:
    return isinstance(value, Sequence) and all(type(size) is int and 0 <= size < 2**63 for size in value)
