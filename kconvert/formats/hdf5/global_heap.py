"""The global heap of an HDF5 file: the collections that hold its strings of variable length.

HDF5 does not report the length of such a string before it has read it, and it reads the whole collection of the string.
So the file is searched for all bytes that may be a collection.
"""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO

SIGNATURE = b"GCOL\x01"  # the first bytes of a collection, with the version of its format
_RESERVED = 3  # bytes between the signature and the size of the collection
_HEADER = 16  # bytes of a collection before its first string, and of a string before its text
_PIECE = 2**20
_LOOKED_INTO = 2**25  # bytes of collections whose strings are measured; in a later one, a string may be as long as it
_MOST_STRINGS = 2**20  # of the collections that one file is read with: some seconds


def lengths(header: Callable[[int], bytes], size: int, width: int) -> Iterator[int]:
    """The bytes of each string of a collection of `size` bytes. Raises ValueError where its parts do not fill it.

    header: gives the 16 bytes at a place of the collection. width: the bytes in which the file states sizes.
    """
    place = _HEADER
    while place <= size - _HEADER:
        begin = header(place)
        length = int.from_bytes(begin[8 : 8 + width], "little")
        free = begin[:2] == b"\0\0"  # free space, whose length counts all of it
        step = length if free else _HEADER + -(-length // 8) * 8
        if step < 8 or place + step > size:
            raise ValueError(f"a part of {step:,} bytes at byte {place:,} of a collection of {size:,} bytes")
        yield 0 if free else length
        place += step


class GuardedFile(io.FileIO):
    """A file whose strings HDF5 may read: at most `most` bytes at a time, and no damaged collection.

    HDF5 loops endlessly in a collection with a part of zero bytes.
    width: the bytes in which the file states sizes.
    """

    def __init__(self, descriptor: int, most: int, width: int) -> None:
        super().__init__(descriptor, "rb")
        self._most, self._width = most, width
        self._left = _MOST_STRINGS

    def readinto(self, buffer: Any) -> int | None:
        if len(buffer) > self._most:
            raise OSError(f"it needs {len(buffer):,} bytes at once, where text may need {self._most:,}")
        self._check(self.tell(), len(buffer))
        return super().readinto(buffer)

    def _check(self, begin: int, count: int) -> None:
        """Follows each collection that begins in what is read. Raises OSError where one is damaged."""
        before = min(begin, len(SIGNATURE) - 1)  # it may have begun in what was read before
        data = os.pread(self.fileno(), before + count, begin - before)
        place = data.find(SIGNATURE)
        while place >= 0:
            self._follow(begin - before + place)
            place = data.find(SIGNATURE, place + 1)

    def _follow(self, position: int) -> None:
        at = position + len(SIGNATURE) + _RESERVED
        size = int.from_bytes(os.pread(self.fileno(), self._width, at), "little")
        try:
            for _ in lengths(lambda place: os.pread(self.fileno(), _HEADER, position + place), size, self._width):
                self._left -= 1
                if self._left < 0:
                    raise ValueError(f"the file has more than {_MOST_STRINGS:,} strings")
        except ValueError as error:
            raise OSError(f"the strings at byte {position:,} are damaged: {error}") from None


class GlobalHeap:
    """The sizes of collections and their strings; other bytes of the file may look like collections, too.

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
        data = self._file.read(size)
        if len(data) < size:
            return size
        try:
            return max(lengths(lambda place: data[place : place + _HEADER], size, self._width), default=0)
        except ValueError:
            return size
