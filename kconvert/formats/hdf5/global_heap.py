"""The global heap of an HDF5 file: the collections that hold its strings of variable length.

HDF5 does not tell how long such a string is before it has read it, and reads the whole collection that it is in. So the
bytes of the file are searched for all that may be a collection.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

SIGNATURE = b"GCOL\x01"  # what a collection begins with, with the version of its form
_RESERVED = 3  # bytes between the signature and the size of the collection
_HEADER = 16  # bytes of a collection before its first string, and of a string before its text
_PIECE = 2**20
_LOOKED_INTO = 2**25  # bytes of collections whose strings are measured; in a later one, a string may be as long as it


class GlobalHeap:
    """The sizes of the collections and of their strings, in a file that may hold more that looks like a collection.

    file: the file, opened without a buffer. width: the bytes in which it states sizes.
    """

    def __init__(self, file: BinaryIO, width: int) -> None:
        self._file, self._width = file, width
        self._left = _LOOKED_INTO
        found: dict[int, int] = {}
        for position, size in list(self._collections()):
            found[size] = max(found.get(size, 0), self._longest(position, size))
        self._found = sorted(found.items())

    @property
    def longest(self) -> int:
        """The bytes of the longest string."""
        return max((longest for _, longest in self._found), default=0)

    def bound(self, each: int) -> int | None:
        """The size of the smallest collection with a string of more than `each` bytes; None where there is none."""
        return next((size for size, longest in self._found if longest > each), None)

    def _collections(self) -> Iterator[tuple[int, int]]:
        """The position and the size of each."""
        header = len(SIGNATURE) + _RESERVED + self._width
        self._file.seek(0)
        data, begin = b"", 0
        while piece := self._file.read(_PIECE):
            kept = data[1 - header :]  # one may begin in the piece before
            begin += len(data) - len(kept)
            data = kept + piece
            position = data.find(SIGNATURE)
            while 0 <= position <= len(data) - header:
                yield begin + position, self._number(data, position + len(SIGNATURE) + _RESERVED)
                position = data.find(SIGNATURE, position + 1)

    def _number(self, data: bytes, position: int) -> int:
        return int.from_bytes(data[position : position + self._width], "little")

    def _longest(self, position: int, size: int) -> int:
        """The bytes of the longest string of a collection; its own size where its strings cannot be measured."""
        if size > self._left:
            return size
        self._left -= max(size, _HEADER)
        self._file.seek(position)
        data, place, longest = self._file.read(size), _HEADER, 0
        while place <= len(data) - _HEADER:
            length = self._number(data, place + 8)
            free = data[place : place + 2] == b"\0\0"  # free space, whose length counts all of it
            longest = longest if free else max(longest, length)
            step = length if free else _HEADER + -(-length // 8) * 8
            if step < _HEADER or place + step > size:
                return size
            place += step
        return longest if len(data) == size else size
