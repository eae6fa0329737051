"""Places: paths on this machine, and URLs that fsspec reads and writes: s3://, gs://, http(s)://, memory://."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Any

from .._version import install
from ..errors import KconvertError, Problem
from ..formats.atomic import check_room
from ..formats.limits import check_limit

Options = Mapping[str, Any]
"""Arguments of an fsspec file system, such as its endpoint."""

MEMORY = "memory:"
"""Files in the memory of one process."""

READ_ALONE = ("http", "https")
"""Protocols that nothing is written to."""

PROTOCOLS = (*READ_ALONE, "s3", "s3a", "gs", "gcs", "memory")

ANSWER = 30.0
"""Seconds in which a web server must send something; otherwise it counts as unreachable."""

_S3 = ("s3:", "s3a:")

S3_RETRIES = 2  # of s3fs, each with those of S3_CONFIG
S3_CONFIG = {"connect_timeout": 5, "read_timeout": 15, "retries": {"mode": "standard", "total_max_attempts": 3}}
"""A request that S3 does not answer fails after 90 seconds. The defaults of s3fs are 5 times 5 attempts."""

_FILE = "file://"

_CHECKED = {
    "s3": "check the credentials (AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY) and AWS_ENDPOINT_URL",
    "gs": "check the credentials (GOOGLE_APPLICATION_CREDENTIALS)",
}
"""What to check where a place cannot be reached, by what it begins with."""


def is_url(place: str) -> bool:
    return "://" in place


def without_file(place: str) -> str:
    """The path that a file:// URL names. Any other place is returned unchanged."""
    return place.removeprefix(_FILE)


def without_query(place: str) -> str:
    """A place without the query of a web page; elsewhere, a name may have a question mark."""
    return place.partition("?")[0] if place.startswith(READ_ALONE) and is_url(place) else place


def joined(folder: str, name: str) -> str:
    """The place of `name` in a folder."""
    return f"{folder.rstrip('/')}/{name}" if is_url(folder) else str(Path(folder, name))


def inside(folder: str, place: str) -> str:
    """The name of a place in a folder, of which `joined` makes the place again."""
    return place.removeprefix(f"{folder.rstrip('/')}/") if is_url(folder) else os.path.relpath(place, folder)


def last_part(place: str) -> str:
    """The name of a file without its folders; of a URL, without its query."""
    return PurePosixPath(without_query(place)).name if is_url(place) else Path(place).name


@contextmanager
def failures(place: str) -> Iterator[None]:
    """Turns whatever a file system raises in the block into one sentence about `place`."""
    try:
        yield
    except KconvertError:
        raise
    except FileNotFoundError as error:
        what = "there is no such file"
        if is_url(place) and "bucket" in str(error):
            what = f"there is no such place ({error})"
        raise KconvertError(what, place, problem=Problem.UNREADABLE) from None
    except Exception as error:  # each file system has its own
        kind = type(error).__name__
        reason = " ".join((str(error) or kind if isinstance(error, OSError) else f"{kind}: {error}").split())
        fix = next((fix for start, fix in _CHECKED.items() if place.startswith(start)), None)
        what = "does not answer" if "Timeout" in kind else "cannot be reached"
        raise KconvertError(f"{what} ({reason[:300]})", place, fix, Problem.UNREADABLE) from None


def opened(url: str, options: Options) -> tuple[Any, str]:
    """The file system of a URL, and the path in it. Raises KconvertError where its package is not installed."""
    try:
        from fsspec import get_filesystem_class
    except ImportError as error:
        raise KconvertError("fsspec is not installed", url, install("remote"), Problem.USAGE) from error
    protocol = url.partition("://")[0]
    if protocol not in PROTOCOLS:
        fix = "use s3://, gs://, http(s):// or memory://"
        raise KconvertError(f"the protocol {protocol} is not known", url, fix, Problem.USAGE)
    try:
        with failures(url):  # url_to_fs would take "::" in a name for a chain of file systems
            kind = get_filesystem_class(protocol)
            stated = kind._get_kwargs_from_urls(url)
            fs = kind(**{**stated, **_usual(url), **options})
            if url.startswith(_S3):
                fs.retries = S3_RETRIES
            return fs, kind._strip_protocol(url)
    except KconvertError as error:
        missing = "nstall" in error.what  # a package
        raise (KconvertError(error.what, url, install("remote"), Problem.USAGE) if missing else error) from None


def _usual(url: str) -> dict[str, Any]:
    """The usual options of a file system.

    Its listings are not kept, because other machines change it while it is used; and a server that accepts a connection
    and then sends nothing must not hold a batch.
    """
    if url.startswith(MEMORY):
        return {}
    if url.startswith(READ_ALONE):
        from aiohttp import ClientTimeout

        return {"client_kwargs": {"timeout": ClientTimeout(total=None, sock_connect=ANSWER, sock_read=ANSWER)}}
    return {"use_listings_cache": False, **({"config_kwargs": S3_CONFIG} if url.startswith(_S3) else {})}


def exists(place: str, options: Options) -> bool:
    """Whether there is a file."""
    if not is_url(place):
        return os.path.lexists(place)
    fs, path = opened(place, options)
    with failures(place):
        return bool(fs.exists(path))


def listing(folder: str, options: Options) -> set[str]:
    """The places of all files below the URL of a folder."""
    fs, path = opened(folder, options)
    with failures(folder):
        root = path.rstrip("/")
        return {joined(folder, one.removeprefix(root).lstrip("/")) for one in fs.find(path)}


def stamp(place: str, options: Options) -> str | None:
    """A value that changes when a file changes; None where there is no file."""
    if not is_url(place):
        try:
            found = os.stat(place)
        except OSError:
            return None
        return f"{found.st_size}-{found.st_mtime_ns}"
    fs, path = opened(place, options)
    with failures(place):
        try:
            info = fs.info(path)
        except FileNotFoundError:
            return None
    tag = info.get("ETag") or info.get("etag") or info.get("md5Hash") or info.get("created") or info.get("LastModified")
    return f"{info.get('size')}-{tag}"


def fetch(place: str, folder: Path, options: Options) -> Path:
    """A file of another place as one in `folder`.

    Raises KconvertError if there is no disk space, or the server sends many more bytes than it states.
    """
    fs, path = opened(place, options)
    target = folder / (last_part(place) or "file")
    with failures(place):
        fs.get_file(path, str(target), callback=_bounded(place, target))
    return target


def _bounded(place: str, target: Path) -> Any:
    """An fsspec callback that counts the received bytes, and stops the transfer if there are too many.

    A server may send bytes endlessly, or compressed bytes that expand to many.
    """
    from fsspec.callbacks import Callback

    class Bounded(Callback):
        stated = came = 0

        def set_size(self, size: int | None) -> None:
            self.stated = size or 0
            check_room(target, self.stated)

        def relative_update(self, inc: int = 1) -> None:
            self.came += inc
            what = f"sends more bytes than the {self.stated:,} that its server states"
            check_limit("bytes", self.came - self.stated, what, place)

    return Bounded()


def upload(file: Path, place: str, options: Options) -> None:
    """Uploads a file to a URL, completely or not at all."""
    fs, path = opened(place, options)
    with failures(place):
        fs.put_file(str(file), path)


def remove(place: str, options: Options) -> None:
    """Removes a file, if it exists."""
    if not is_url(place):
        Path(place).unlink(missing_ok=True)
        return
    fs, path = opened(place, options)
    with failures(place):
        if fs.exists(path):
            fs.rm_file(path)


def abort_uploads(folder: str, options: Options, ours: Callable[[str], bool]) -> None:
    """Ends the uploads in parts that killed runs left unfinished in a folder of S3.

    ours: whether a name in the folder is that of a file of this batch.
    """
    if not folder.startswith(_S3):
        return
    fs, path = opened(folder, options)
    bucket, prefix, _ = fs.split_path(path.rstrip("/") + "/")
    with failures(folder):
        begin: Mapping[str, str] = {}
        while True:  # 1000 uploads at a time
            try:
                found = fs.call_s3("list_multipart_uploads", Bucket=bucket, Prefix=prefix, **begin)
            except FileNotFoundError:  # what some servers answer where there are none
                return
            for one in found.get("Uploads", ()):
                if ours(one["Key"].removeprefix(prefix)):
                    fs.call_s3("abort_multipart_upload", Bucket=bucket, Key=one["Key"], UploadId=one["UploadId"])
            if not found.get("IsTruncated"):
                return
            begin = {"KeyMarker": found["NextKeyMarker"], "UploadIdMarker": found.get("NextUploadIdMarker", "")}
