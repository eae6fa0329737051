"""Functions of `keras.utils` on arrays and files."""

from __future__ import annotations

import hashlib
import shutil
import tarfile
import zipfile
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import url2pathname

import numpy as np

from ...errors import KconvertError, Problem
from ...layers.lists import items_of
from ...layers.shapes import one_of
from .folders import VARIABLE, data_folder, local, place_of


def to_categorical(y: Any, num_classes: int | None = None, dtype: str = "float32") -> np.ndarray:
    """Integer classes (...) or (..., 1) as one-hot vectors (..., num_classes).

    num_classes: None or 0 for one more than the greatest class.

    >>> to_categorical([0, 2]).tolist()
    [[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]
    """
    classes = np.asarray(y, "int64")
    if classes.ndim > 1 and classes.shape[-1] == 1:
        classes = classes[..., 0]
    number = num_classes or int(classes.max()) + 1
    return np.eye(number, dtype=dtype)[classes]


def normalize(x: Any, axis: int = -1, order: int = 2) -> np.ndarray:
    """`x` with the vectors along `axis` scaled to length 1; vectors of length 0 stay."""
    lengths = np.atleast_1d(np.linalg.norm(x, order, axis))
    lengths[lengths == 0] = 1
    return x / np.expand_dims(lengths, axis)


def get_file(
    fname: str,
    origin: str,
    untar: bool = False,
    md5_hash: str | None = None,
    file_hash: str | None = None,
    cache_subdir: str = "datasets",
    hash_algorithm: str = "auto",
    extract: bool = False,
    archive_format: str = "auto",
    cache_dir: str | None = None,
) -> str:
    """The path of the file `fname`, in the folder of the data sets. Raises KconvertError where it is not there.

    origin: a `file:` URL, whose file is copied to there; nothing is downloaded from others.
    file_hash, hash_algorithm: a file with another checksum is copied again: see `validate_file`. md5_hash: the same for
    MD5. cache_subdir: the folder beside `datasets` that the file is in; an absolute `fname` is taken as it is.
    cache_dir: the folder around it. extract: whether to unpack a tar or zip file beside itself; so does untar, for
    which `fname` may also be a folder, or have '.tar.gz' after it.
    """
    stored = f"{fname}.tar.gz" if untar else fname
    folder = Path(cache_dir).expanduser() / cache_subdir if cache_dir else None
    if folder:
        fname, stored = str(folder / fname), str(folder / stored)
    found = find_file(fname, cache_subdir) or find_file(stored, cache_subdir)
    if found and found.is_file() and (known := file_hash or md5_hash):
        found = found if validate_file(str(found), known, hash_algorithm) else _copied(origin, found) or found
    if found is None:
        found = _copied(origin, (folder or place_of(cache_subdir)) / stored)
    if found is None:
        raise KconvertError(
            f"the file {fname!r} would be downloaded from {origin}, and kconvert does not use the network",
            fix=f"put it into {data_folder()}, or name another folder by the environment variable {VARIABLE}",
            problem=Problem.UNREADABLE,
        )
    if (untar or extract) and found.is_file():
        _unpack(found, found.parent)
    return str(found.with_name(Path(fname).name))


def _copied(origin: str, target: Path) -> Path | None:
    """The file of a `file:` URL, copied to `target`; None for another URL, and where there is no such file."""
    stated = urlsplit(origin)
    source = Path(url2pathname(stated.path))
    if stated.scheme != "file" or not source.is_file():
        return None
    target.parent.mkdir(parents=True, exist_ok=True)
    return Path(shutil.copyfile(source, target))


def _extract_archive(file_path: Any, path: Any = ".", archive_format: Any = "auto") -> bool:
    """Writes what a tar or zip file holds into the folder `path`; returns whether it is such a file.

    archive_format: 'tar', 'zip', a list of them, 'auto' for both, or None for neither. Raises KconvertError where the
    file cannot be unpacked.
    """
    formats = list(_KINDS) if archive_format == "auto" else items_of(archive_format or [])
    fitting = any(_KINDS[one_of(one, _KINDS, "archive_format")](file_path) for one in formats)
    if fitting:
        _unpack(Path(file_path), Path(path))
    return fitting


_KINDS = {"tar": tarfile.is_tarfile, "zip": zipfile.is_zipfile}
"""Formats of archives, each with the function that recognises it."""


def _unpack(archive: Path, folder: Path) -> None:
    """Writes what a tar or zip file holds into a folder, but no file that is there already.

    Raises KconvertError for another file, and for a member that would lie elsewhere.
    """
    try:
        if zipfile.is_zipfile(archive):
            with zipfile.ZipFile(archive) as file:
                for name in file.namelist():
                    if not (folder / name).exists():
                        file.extract(name, folder)
            return
        with tarfile.open(archive) as tar:
            for member in tar:
                if not (folder / member.name).exists():
                    tar.extract(member, folder, filter="data")
    except (OSError, EOFError, ValueError, zipfile.BadZipFile, tarfile.TarError) as error:
        raise KconvertError(f"cannot be unpacked ({error})", str(archive), None, Problem.UNREADABLE) from error


def ask_to_proceed_with_overwrite(filepath: Any) -> bool:
    """Asks on the terminal, until the answer is y or n, whether the file `filepath` may be replaced."""
    answer = ""
    while answer not in ("y", "n"):
        answer = input(f"{filepath} already exists - overwrite? [y/n] ").strip().lower()
    return answer == "y"


def find_file(fname: str, cache_subdir: str) -> Path | None:
    """The path of a file that Keras downloads, in the folder of the data sets or in `cache_subdir` beside it."""
    below = cache_subdir.removeprefix("datasets").strip("/")
    beside = [] if cache_subdir.startswith("datasets") else [f"../{cache_subdir}/{fname}"]
    return local(*beside, f"{below}/{fname}" if below else fname, fname)


def validate_file(fpath: str, file_hash: str, algorithm: str = "auto", chunk_size: int = 65535) -> bool:
    """Whether a file has the checksum `file_hash`.

    algorithm: 'sha256', 'md5', or 'auto', which takes the one that has so many digits.
    """
    sha256 = algorithm == "sha256" or (algorithm == "auto" and len(file_hash) == 64)
    return _hash_file(fpath, "sha256" if sha256 else "md5", chunk_size) == file_hash


def _hash_file(fpath: str, algorithm: str = "sha256", chunk_size: int = 65535) -> str:
    """The checksum of a file in hexadecimal digits. algorithm: 'sha256' or 'auto' for SHA-256, else MD5."""
    digest = hashlib.new("sha256" if algorithm in ("sha256", "auto") else "md5")
    with Path(fpath).open("rb") as file:
        while block := file.read(chunk_size):
            digest.update(block)
    return digest.hexdigest()
