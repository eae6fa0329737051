"""Tables of a batch: lists that may be longer than memory. They are kept in a temporary file that has no name."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import suppress

from ..errors import KconvertError, Problem

CACHE = 32 * 1024  # kilobytes that are held in memory

Value = str | bytes | int | None


class Tables:
    """A temporary database, which ends with the process.

    tables: `name(columns)` of each.
    """

    def __init__(self, *tables: str) -> None:
        self._database = sqlite3.connect("", isolation_level=None)  # '': a file that has no name
        for statement in (f"PRAGMA cache_size = -{CACHE}", "PRAGMA journal_mode = OFF", "BEGIN"):
            self._database.execute(statement)
        for table in tables:
            self.ask(f"CREATE TABLE {table}")

    def ask(self, statement: str, values: Sequence[Value] = ()) -> sqlite3.Cursor:
        """Runs one statement of SQL. Raises KconvertError where the disk is full."""
        try:
            return self._database.execute(statement, values)
        except sqlite3.OperationalError as error:
            what = f"the list of files cannot be stored as a temporary file ({error})"
            fix = "free some space, or name another directory with SQLITE_TMPDIR"
            raise KconvertError(what, fix=fix, problem=Problem.USAGE) from None

    def close(self) -> None:
        with suppress(sqlite3.Error):
            self._database.close()


def path_value(path: str) -> bytes:
    """A path as tables take it: SQLite takes no text with bytes that are not UTF-8, as names of files may have."""
    return path.encode("utf-8", "surrogatepass")


def path_of(value: bytes) -> str:
    """The path that `path_value` gave as bytes."""
    return value.decode("utf-8", "surrogatepass")
