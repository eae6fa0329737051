"""Writes files completely or not at all: each is written under a hidden name, synced, and then renamed.

The hidden file or directory of a process is locked. If the process is killed, the next run in that directory finds it
unlocked and deletes it.
"""

from __future__ import annotations

import ctypes
import errno
import logging
import math
import os
import re
import secrets
import shutil
import stat
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from os import PathLike
from pathlib import Path

from ..arguments import argument
from ..errors import AlsoFileNotFoundError, KconvertError, Problem
from .missing import NO_URL, url_of

if sys.platform != "win32":
    import fcntl
    import resource

log = logging.getLogger(__name__)

_HIDDEN = ".kconvert-"  # the prefix of the names of hidden files; 16 hexadecimal digits follow
_IS_HIDDEN = re.compile(re.escape(_HIDDEN) + "[0-9a-f]{16}")
_KEEP_SIZE = 1  # FALLOC_FL_KEEP_SIZE: the file does not become longer
_BEGIN = 2  # SYNC_FILE_RANGE_WRITE: begins to store what changed, and does not wait
_FULL = (errno.ENOSPC, errno.EDQUOT)
_REMEDIES = {
    **dict.fromkeys(_FULL, "free some space, or name another place"),
    **dict.fromkeys((errno.EACCES, errno.EPERM), "name a place where you have permission to write"),
    errno.EROFS: "name a place on a file system that is not read-only",
    errno.ENAMETOOLONG: "give a shorter name",
}
"""What to do about an error of the system while a file is written."""
_PIECE = 2**20  # bytes that are copied at a time
_MARGIN = 64 * 2**10  # free bytes that are required in addition to those of a file

NamedPath = tuple[str, str | PathLike[str]]
"""The role of a file in a command, and its path."""


class Collision(KconvertError):
    """A file is to be written that is also read, or that is written twice."""


def writable_path(path: str | PathLike[str], directory: bool = False) -> Path:
    """The real path of a file that can be written, or of a new directory.

    Raises KconvertError (USAGE) where it is no regular file or a symbolic link to nothing, or its directory is missing
    or not writable.
    """

    def refusal(what: str, fix: str) -> KconvertError:
        return KconvertError(what, str(path), fix, Problem.USAGE)

    with writing(path):
        target = Path(os.path.realpath(path))
        if not target.exists():
            refuse_link(path)
        if directory and target.exists():
            raise refusal("exists already", "name a new directory")
        if target.is_dir() or (target.exists() and not target.is_file()):
            raise refusal("is not a regular file", "name a file")
        if not target.parent.is_dir() and (url := url_of(Path(path))):
            raise KconvertError(NO_URL[0], url, NO_URL[1], Problem.USAGE)
        if not target.parent.is_dir():
            what = f"there is no directory {target.parent}"
            raise AlsoFileNotFoundError(what, str(path), "create it first", Problem.USAGE)
        if not os.access(target.parent, os.W_OK | os.X_OK):
            raise refusal(f"the directory {target.parent} is not writable", "name another one")
        if _is_kept_for_its_owner(target):
            what = f"belongs to another user, and in {target.parent} (sticky) only its owner may replace it"
            raise refusal(what, "give another name")
    return target


def _is_kept_for_its_owner(target: Path) -> bool:
    """Whether a file exists that this user may not replace, although its directory is writable: such as in /tmp."""
    if sys.platform == "win32" or not target.exists():
        return False
    folder = target.parent.stat()
    return bool(folder.st_mode & stat.S_ISVTX) and os.geteuid() not in (0, folder.st_uid, target.stat().st_uid)


def check_directory(path: str | PathLike[str]) -> None:
    """Refuses a directory to write into that is not writable, or that cannot be created with its missing parents.

    Raises KconvertError (USAGE).
    """
    with writing(path):
        present = Path(os.path.realpath(path))
        while not present.exists():
            present = present.parent
        if not (is_directory := present.is_dir()) or not os.access(present, os.W_OK | os.X_OK):
            what = f"the directory {present} is not writable" if is_directory else f"{present} is not a directory"
            raise KconvertError(what, str(path), "name another one", Problem.USAGE)


def new_path(path: Path, source: Path | None, force: bool, directory: bool = False) -> Path:
    """The real path of a file to write. Raises KconvertError (USAGE) as `writable_path` does.

    It is refused, too, where it is `source`, and where it exists and `force` does not replace it.
    """
    if source is not None and source.exists() and one_file(path, source):
        what, fix = "is the source file itself, which is never written to", "name another file"
        raise KconvertError(what, str(path), fix, Problem.USAGE)
    return derived_path(path, force, directory)


def derived_path(path: Path, force: bool, directory: bool = False) -> Path:
    """The real path of a file that the user did not name. Raises KconvertError (USAGE) as `writable_path` does.

    A symbolic link is refused, too, and a file that exists unless `force` is true.
    """
    target = writable_path(path, directory)
    refuse_link(path)
    if target.exists() and not force:
        raise _exists(path)
    return target


def refuse_link(path: str | PathLike[str]) -> None:
    """Raises KconvertError (USAGE) for a symbolic link: the user did not name the file that it leads to."""
    if os.path.islink(path):
        why = ", and files are not written through links" if os.path.exists(path) else " to a file that does not exist"
        fix = f"remove it, or name {os.path.realpath(path)} itself"
        raise KconvertError(f"is a symbolic link{why}", str(path), fix, Problem.USAGE)


def refuse_collisions(written: Sequence[NamedPath], read: Sequence[NamedPath]) -> None:
    """Refuses files to be written that are read too, or that are one file, and links in their places.

    The error names each by its role, such as 'report'. Raises Collision (USAGE) naming both roles, and KconvertError
    for a link, or for a file to be read that would be taken for a temporary file of a run that was killed, and removed.
    """
    for role, path in read:
        if is_hidden(Path(path).name):
            what = f"the {role} has the name of a temporary file, which is removed where no run has locked it"
            raise KconvertError(what, str(path), "give it another name", Problem.USAGE)
    for position, (role, path) in enumerate(written):
        taken = [f"is the {other} itself, which is never written to" for other, known in read if one_file(path, known)]
        taken += [
            f"is to be the {other} and the {role}" for other, known in written[:position] if one_file(path, known)
        ]
        if taken:
            raise Collision(taken[0], str(path), "name another file", Problem.USAGE)
    for _, path in written:
        refuse_link(path)


def one_file(first: str | PathLike[str], second: str | PathLike[str]) -> bool:
    """Whether two paths lead to one file, also through links."""
    try:
        return os.path.realpath(first) == os.path.realpath(second) or os.path.samefile(first, second)
    except (OSError, ValueError):
        return False


@contextmanager
def replacing(
    target: Path, force: bool = True, size: int = 0, check: Callable[[], None] = lambda: None
) -> Iterator[Path]:
    """A new hidden file in the directory of `target` for the block to write; afterwards it replaces `target`.

    On any error it is removed, and `target` stays as it was. force: replace a file that exists by then. size: the bytes
    that the block will write, if they are known. check: raises an error if the result of the block must not be kept.
    Raises KconvertError (USAGE) where there is no room for them.
    """
    check_room(target, size)
    with hidden(target) as temporary:
        reserve(temporary, size, target)
        if size:
            log.info("writing %s", target.name, extra={"growing": (temporary, size)})
        yield temporary
        check()
        with writing(target):
            os.truncate(temporary, temporary.stat().st_size)  # frees reserved space that is not used
            if target.exists():
                shutil.copymode(target, temporary)
            _sync(temporary)
            _put(temporary, target, force)
            with suppress(OSError):  # not all systems open directories
                _sync(target.parent)


@contextmanager
def hidden(target: Path, directory: bool = False, mode: int = 0o777) -> Iterator[Path]:
    """A new hidden file or directory beside `target` for the block. It is deleted afterwards, unless it was renamed.

    mode: the permissions of a directory, where the system allows them. It is locked as long as the block runs. Those of
    runs that were killed are not: they are removed first.
    """
    temporary = target.parent / f"{_HIDDEN}{secrets.token_hex(8)}"
    descriptor = None
    try:
        with writing(target):
            _remove_abandoned(target.parent)
            descriptor = _created(temporary, directory, mode)
        yield temporary
    finally:
        _remove(temporary)
        if descriptor is not None:
            os.close(descriptor)


def scratch() -> AbstractContextManager[Path]:
    """A new directory for temporary files of the block. Those of killed processes are deleted first."""
    return hidden(Path(tempfile.gettempdir(), "scratch"), directory=True, mode=0o700)


def is_hidden(name: str) -> bool:
    """Whether it is the name of such a hidden file or directory."""
    return name.startswith(_HIDDEN) and _IS_HIDDEN.fullmatch(name) is not None


def _created(path: Path, directory: bool, mode: int) -> int | None:
    """The locked descriptor of a new file or directory.

    Another process may delete it as abandoned before it is locked; then it is created again.
    """
    while True:
        if directory:
            path.mkdir(mode)
        else:
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o666))
        if sys.platform == "win32":  # an open file cannot get another name there
            return None
        with suppress(FileNotFoundError):
            descriptor = _opened(path)
            _lock(descriptor, wait=True)
            if os.fstat(descriptor).st_nlink:
                return descriptor
            os.close(descriptor)


def _opened(path: Path) -> int:
    """A descriptor to lock a file or a directory with."""
    return os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)


def _remove_abandoned(folder: Path) -> None:
    """Removes the hidden files and directories that no run has locked.

    If this takes long, because there are thousands of files, it is repeated rarely, so that it uses at most a hundredth
    of the time of this process.
    """
    begin = time.monotonic()
    if begin < _NOT_BEFORE.get(folder, begin):
        return
    remove_unlocked(folder)
    if (took := time.monotonic() - begin) > _LONG:
        if len(_NOT_BEFORE) > _FOLDERS:
            _NOT_BEFORE.clear()
        _NOT_BEFORE[folder] = begin + 100 * took


_LONG = 0.001  # seconds
_FOLDERS = 100  # that are held in memory
_NOT_BEFORE: dict[Path, float] = {}  # when hidden files are looked for in a folder again


def remove_unlocked(folder: Path) -> None:
    """Removes the hidden files and directories of killed processes from a folder."""
    for name in os.listdir(folder):
        if not is_hidden(name):
            continue
        path = folder / name
        with suppress(OSError):
            descriptor = _opened(path)
            try:
                if _lock(descriptor):
                    _remove(path)
            finally:
                os.close(descriptor)


def _remove(path: Path) -> None:
    """Removes a file, or a directory with all that is in it; no error where that is not possible."""
    with suppress(OSError):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def _lock(descriptor: int, wait: bool = False) -> bool:
    """Locks a file for this process; False where another has locked it, or it cannot be locked.

    wait: until no other process has it locked.
    """
    if sys.platform == "win32":
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except OSError:  # it is locked, or the file system has no locks
        return False
    return True


def _put(temporary: Path, target: Path, force: bool) -> None:
    """Gives a file the name `target`. Raises KconvertError where that exists and is not to be replaced."""
    if force:
        os.replace(temporary, target)
        return
    try:
        os.link(temporary, target)
    except FileExistsError:
        raise _exists(target) from None
    except OSError:  # the file system has no hard links
        if target.exists():
            raise _exists(target) from None
        os.replace(temporary, target)


def _sync(path: Path) -> None:
    """Waits until a file, or the list of files in a directory, is stored."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def check_room(target: Path, size: int) -> None:
    """Raises KconvertError where there is no room for a file of `size` bytes and what its format adds."""
    needed = size + _MARGIN
    with writing(target):
        room = {"on the disk": shutil.disk_usage(target.parent).free, "for one file (ulimit -f)": _file_limit()}
    for where, free in room.items():
        if free < needed:
            what = f"there is no space left {where}: {needed:,} bytes are needed, {free:,} are free"
            raise KconvertError(what, str(target), "free some, or name another place", Problem.USAGE)


def reserve(path: Path, size: int, target: Path) -> None:
    """Reserves disk space for a file of `size` bytes that is not written yet, if the system supports it.

    HDF5 crashes if the disk becomes full while it writes. Raises KconvertError (USAGE), naming `target`, where there is
    no room.
    """
    if sys.platform != "linux":
        return
    libc = ctypes.CDLL(None, use_errno=True)
    with writing(target), open(path, "r+b") as file:
        offset, length = ctypes.c_int64(0), ctypes.c_int64(size + _MARGIN)
        if libc.fallocate(file.fileno(), _KEEP_SIZE, offset, length) and ctypes.get_errno() in _FULL:
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def begin_storing(descriptor: int) -> None:
    """Makes the system write the content of a file so far to the disk, so that the final sync takes less time."""
    if sys.platform == "linux":
        whole = ctypes.c_int64(0), ctypes.c_int64(0)  # from the first byte to the last
        ctypes.CDLL(None).sync_file_range(descriptor, *whole, _BEGIN)


def _file_limit() -> float:
    """The size that the system allows for a file of this process."""
    if sys.platform == "win32":
        return math.inf
    limit, _ = resource.getrlimit(resource.RLIMIT_FSIZE)
    return math.inf if limit == resource.RLIM_INFINITY else limit


def _exists(path: str | PathLike[str]) -> KconvertError:
    return KconvertError("exists already", str(path), f"pass {argument('force', True)} to replace it", Problem.USAGE)


@contextmanager
def new_directory(target: Path) -> Iterator[Path]:
    """A hidden directory beside `target` for the block to fill; it becomes `target`, or is removed on any error."""
    with hidden(target, directory=True) as temporary:
        yield temporary
        with writing(target):
            for path in temporary.rglob("*"):
                _sync(path)
            os.rename(temporary, target)
            with suppress(OSError):  # not all systems open directories
                _sync(target.parent)


def copy_file(source: Path, target: Path, force: bool, check: Callable[[], None]) -> None:
    """Copies a file. force and check: as `replacing` takes them."""
    with (
        replacing(target, force, source.stat().st_size, check) as temporary,
        writing(target),
        open(source, "rb") as read,
        open(temporary, "r+b") as copy,
    ):
        shutil.copyfileobj(read, copy, _PIECE)


def write_text(target: Path, text: str) -> None:
    """Writes `text` as UTF-8; an existing file is replaced."""
    refuse_link(target)
    with writing(target):
        data = text.encode("utf-8")
    with replacing(target, size=len(data)) as temporary, writing(target), open(temporary, "wb") as file:
        file.write(data)


@contextmanager
def writing(path: str | PathLike[str]) -> Iterator[None]:
    try:
        yield
    except KconvertError:
        raise
    except (OSError, ValueError) as error:
        said = error.strerror if isinstance(error, OSError) and error.strerror else error
        fix = _REMEDIES.get(error.errno or 0) if isinstance(error, OSError) else None
        raise KconvertError(f"cannot be written ({said})", str(path), fix, Problem.USAGE) from None
