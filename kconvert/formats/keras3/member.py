"""new_member: a member of a zip archive that is written in any order, as HDF5 writes its files."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from io import SEEK_SET, RawIOBase
from typing import IO, Any
from zipfile import ZipFile, ZipInfo

PIECE = 2**18  # bytes that stay in the caches of a processor while their checksum is computed


@contextmanager
def new_member(archive: ZipFile, name: str, stored: IO[bytes]) -> Iterator[IO[bytes]]:
    """A new member as a file for the block to write and read anywhere. stored: the file that `archive` is written to.

    `zipfile` writes a member from its beginning to its end, and computes the checksum meanwhile. Here the bytes are
    already at their position: `zipfile` reads them in order, and writes the same bytes again.
    """
    with archive.open(ZipInfo(name), "w", force_zip64=True) as member:
        start = stored.tell()
        yield _Rest(stored, start)  # type: ignore[misc]
        place, end = start, stored.seek(0, 2)
        while place < end:
            stored.seek(place)
            piece = stored.read(min(PIECE, end - place))
            stored.seek(place)
            place += member.write(piece)


class _Rest(RawIOBase):
    """What a file holds from `start` on, as a file."""

    def __init__(self, file: Any, start: int) -> None:
        self.file = file
        self.start = start

    def seek(self, offset: int, whence: int = SEEK_SET) -> int:
        return self.file.seek(offset + (self.start if whence == SEEK_SET else 0), whence) - self.start

    def truncate(self, size: int | None = None) -> int:
        return self.file.truncate(None if size is None else self.start + size) - self.start

    def readinto(self, buffer: Any) -> int:
        return self.file.readinto(buffer)

    def write(self, content: Any) -> int:
        return self.file.write(content)

    def flush(self) -> None:
        self.file.flush()
