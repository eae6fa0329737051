"""Reads arrays in chunks: the length of each chunk is checked, after it was unpacked.

HDF5 does not check it. If a chunk unpacks to too few bytes, HDF5 reads the memory behind it; if it unpacks to too many,
HDF5 unpacks all of them.
"""

from __future__ import annotations

import itertools
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property

import h5py
import numpy as np
from h5py import h5d, h5t, h5z

from ..failures import unreadable
from ..parts import Box

_LZF = 32000  # the number of the filter of h5py itself
_UNPACK = "unpack the file where it was made: h5repack -f NONE"

_WORD = 65535  # the modulus of the sums of fletcher32
_SPARE = 4096  # bytes that packing may add, apart from an eighth


class Chunks:
    """A dataset in chunks, which may be packed. It is read in boxes, as by slices of an array."""

    def __init__(self, dataset: h5py.Dataset, where: str) -> None:
        self.shape, self.dtype, self.chunks = dataset.shape, dataset.dtype, dataset.chunks
        self.ndim, self.nbytes = dataset.ndim, dataset.nbytes
        self._dataset, self._where = dataset, where

    def __getitem__(self, box: Box) -> np.ndarray:
        """The elements of slices with positive steps."""
        ranges = [range(*one.indices(n)) for one, n in zip(box, self.shape, strict=True)]
        whole = np.full([max(0, r.stop - r.start) for r in ranges], self._fill, self.dtype)
        if whole.size:
            for begin in self._begins(ranges):
                if (chunk := self._chunk(begin)) is not None:
                    self._place(chunk, begin, whole, [r.start for r in ranges])
        return whole[tuple(slice(None, None, r.step) for r in ranges)]

    def _begins(self, ranges: Sequence[range]) -> Iterator[tuple[int, ...]]:
        """Where the chunks begin that have elements of a box."""
        starts = (range(r.start // n * n, r.stop, n) for r, n in zip(ranges, self.chunks, strict=True))
        return itertools.product(*starts)

    def _place(self, chunk: np.ndarray, begin: Sequence[int], whole: np.ndarray, origin: Sequence[int]) -> None:
        """Copies what a box, which begins at `origin`, has of a chunk."""
        into, out = [], []
        for at, first, n, size in zip(begin, origin, self.chunks, whole.shape, strict=True):
            start, stop = max(at, first), min(at + n, first + size)
            into.append(slice(start - first, stop - first))
            out.append(slice(start - at, stop - at))
        whole[tuple(into)] = chunk[tuple(out)]

    def _chunk(self, begin: tuple[int, ...]) -> np.ndarray | None:
        """One chunk; None where it is not stored. Raises KconvertError where it is damaged."""
        if self._dataset.id.get_chunk_info_by_coord(begin).byte_offset is None:
            return None
        mask, data = self._dataset.id.read_direct_chunk(begin)
        size = self._size
        for number, (code, values) in reversed(list(enumerate(self._filters))):
            if not mask >> number & 1:
                data = _UNPACKING[code](data, values, size if number == 0 else size + size // 8 + _SPARE)
        if len(data) != size:
            raise ValueError(f"a chunk has {len(data):,} bytes and not {size:,}")
        return np.frombuffer(data, self.dtype).reshape(self.chunks)

    @cached_property
    def _size(self) -> int:
        """The bytes of a chunk."""
        return int(np.prod(self.chunks)) * self.dtype.itemsize

    @cached_property
    def _fill(self) -> np.ndarray:
        return np.asarray(self._dataset.fillvalue, self.dtype)

    @cached_property
    def _filters(self) -> list[tuple[int, Sequence[int]]]:
        """The filters in the order in which they pack. Raises KconvertError for one that is not known."""
        stored = self._dataset.id.get_type()
        plain = stored.get_super() if isinstance(stored, h5t.TypeEnumID) else stored
        if not plain.equal(h5t.py_create(np.dtype("i1") if self.dtype.kind == "b" else self.dtype)):
            raise unreadable(f"its chunks hold numbers of an unusual type ({self.dtype})", self._where, _UNPACK)
        found = _filters_of(self._dataset.id)
        for code, name, _ in found:
            if code not in _UNPACKING:
                what = f"its data are packed with the filter {code} of HDF5 ({name}), which kconvert does not read"
                raise unreadable(what, self._where, _UNPACK)
        return [(code, values) for code, _, values in found]


def _filters_of(dataset: h5d.DatasetID) -> list[tuple[int, str, Sequence[int]]]:
    """The filters of a dataset: number, name and values of each."""
    properties = dataset.get_create_plist()
    every = map(properties.get_filter, range(properties.get_nfilters()))
    return [(code, name.decode("utf-8", "replace") or "without a name", values) for code, _, values, name in every]


# ------------------------------------------------------------------- filters ----


def _inflate(data: bytes, values: Sequence[int], most: int) -> bytes:
    unpacking = zlib.decompressobj()
    unpacked = unpacking.decompress(data, most + 1)
    if len(unpacked) > most:
        raise ValueError(f"a chunk unpacks to more than its {most:,} bytes")
    if not unpacking.eof:
        raise ValueError("a packed chunk is cut off")
    return unpacked


def _unshuffle(data: bytes, values: Sequence[int], most: int) -> bytes:
    """Undoes the shuffle filter, which stores the first byte of each element, then the second byte of each, and so on.

    Bytes after the last whole element are stored unchanged.
    """
    width = values[0] if values else 1
    count = len(data) // max(width, 1)
    if width <= 1 or count <= 1:
        return data
    elements = np.empty((count, width), np.uint8)
    for number, one in enumerate(np.frombuffer(data, np.uint8, count * width).reshape(width, count)):
        elements[:, number] = one
    return elements.tobytes() + data[count * width :]


def _unpack_lzf(data: bytes, values: Sequence[int], most: int) -> bytes:
    """Literal bytes and copies of earlier ones, in turn: the format of LibLZF."""
    out, at = bytearray(), 0
    while at < len(data):
        control, at = data[at], at + 1
        if control < 32:
            out += data[at : at + control + 1]
            at += control + 1
        else:
            length = control >> 5
            if length == 7:
                length, at = length + data[at], at + 1
            begin, at = len(out) - ((control & 31) << 8) - data[at] - 1, at + 1
            if begin < 0:
                raise ValueError("a packed chunk is damaged")
            earlier = out[begin : begin + length + 2]
            out += (earlier * (-(-(length + 2) // len(earlier))))[: length + 2]
        if len(out) > most:
            raise ValueError(f"a chunk unpacks to more than its {most:,} bytes")
    return bytes(out)


def _check_sum(data: bytes, values: Sequence[int], most: int) -> bytes:
    """The data before their sum (fletcher32). Raises ValueError where it is another one."""
    content, stored = data[:-4], int.from_bytes(data[-4:], "little")
    words = np.frombuffer(content + b"\0" * (len(content) % 2), ">u2").astype(np.uint64)
    weights = np.arange(len(words), 0, -1, dtype=np.uint64) % _WORD
    sums = int(words.sum()) % _WORD, int((words * weights % _WORD).sum()) % _WORD
    if sums != (stored % 2**16 % _WORD, (stored >> 16) % _WORD):
        raise ValueError("the sum of a chunk is wrong")
    return content


_UNPACKING: Mapping[int, Callable[[bytes, Sequence[int], int], bytes]] = {
    h5z.FILTER_DEFLATE: _inflate,
    h5z.FILTER_SHUFFLE: _unshuffle,
    h5z.FILTER_FLETCHER32: _check_sum,
    _LZF: _unpack_lzf,
}
"""The function that undoes each filter. It takes the data, the values of the filter, and the most bytes to return."""
