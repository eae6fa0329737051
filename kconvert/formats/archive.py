"""The `.keras` files of tf.keras and Keras 3: a zip archive of the architecture, the weights and the release.

An archive from an unknown source may be malicious. Only its three known members are read, by name and up to a limit,
into memory or an unnamed temporary file. Nothing is unpacked to a path, and no code is loaded.
"""

from __future__ import annotations

import zipfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any

from ..conventions.generations import of_release
from ..conventions.words import keras3
from ..conventions.words.values import parse_json
from ..lazy_dataclasses import dataclass
from . import hdf5
from .checkpoint import PROVENANCE, Architecture, Checkpoint
from .failures import library_errors, unreadable
from .limits import LONG_JSON, check_limit, expansion
from .provenance import checked_provenance

NAME = "the .keras format of tf.keras and Keras 3"
SIGNATURE = b"PK\x03\x04"
CONFIG, METADATA, WEIGHTS = "config.json", "metadata.json", "model.weights.h5"
MEMBERS = (CONFIG, METADATA, WEIGHTS)
_KEPT = ("class_name", "config", keras3.STAMP)  # of the architecture
PIECE = 2**20
_ENCRYPTED = 1  # the flag of a member
_DEFLATE = 1000  # how many times larger than its compressed size a member may be: JSON of many layers compresses well
OPTIMIZERS = "keras.optimizers"
COMPILED = "compile_config"  # the arguments of `compile`, in the architecture
LEFT_OUT = "how the model was compiled and the state of the optimizer are left out"


@dataclass(frozen=True)
class Archive:
    """An open archive. Its members are read up to a size limit."""

    path: Path
    file: zipfile.ZipFile

    def _where(self, name: str) -> str:
        return f"{self.path}, member {name}"

    def __contains__(self, name: str) -> bool:
        return name in self.file.NameToInfo

    def size(self, name: str) -> int:
        """The size that the archive states for a member, in bytes."""
        info = self.file.NameToInfo.get(name)
        if info is None:
            raise unreadable(f"holds no {name}", self.path)
        if info.flag_bits & _ENCRYPTED:
            fix = "unpack the archive with its password, and pack it again without one: zip -0"
            raise unreadable("is encrypted", self._where(name), fix)
        if info.file_size > _DEFLATE * max(info.compress_size, 1) or info.compress_size > self.path.stat().st_size:
            what = f"would expand from {info.compress_size:,} bytes to {info.file_size:,}"
            raise unreadable(what, self._where(name), "unpack it, and pack it again without compression: zip -0")
        return info.file_size

    def copy(self, name: str, to: IO[bytes]) -> None:
        """Copies a member to an open file, at most as many bytes as the archive states."""
        left = self.size(name)
        packed = self.file.NameToInfo[name].compress_size
        what = f"would expand from {packed:,} bytes to {left:,}; what counts of that"
        check_limit("bytes", expansion(left, packed), what, self._where(name))
        with library_errors("cannot be unpacked", self._where(name)), self.file.open(name) as member:
            while left > 0 and (piece := member.read(min(PIECE, left))):
                to.write(piece)
                left -= len(piece)
        to.seek(0)

    def json(self, name: str) -> dict[str, Any]:
        """A member that is a JSON object."""
        size = self.size(name)
        check_limit("json", size, LONG_JSON, self._where(name))
        with library_errors("cannot be unpacked", self._where(name)), self.file.open(name) as member:
            content = member.read(size)
        try:
            value = parse_json(content)
        except ValueError as error:
            raise unreadable(f"is not JSON ({error})", self._where(name)) from None
        if not isinstance(value, dict):
            raise unreadable("should be a JSON object", self._where(name))
        return value


def is_archive(path: Path) -> bool:
    """Whether a file begins like a zip archive."""
    with open(path, "rb") as file:
        return file.read(len(SIGNATURE)) == SIGNATURE


@contextmanager
def opened(path: Path) -> Iterator[Archive]:
    """The archive in a file."""
    with library_errors("is a damaged zip archive", path):
        file = zipfile.ZipFile(path)
    with file:
        yield Archive(path, file)


@contextmanager
def read(path: Path, architecture: Architecture | None = None) -> Iterator[Checkpoint]:
    """Opens a `.keras` file. Its architecture shows which array belongs to which weight.

    Raises KconvertError if it is damaged or malicious.
    """
    with opened(path) as archive:
        times = Counter(info.filename for info in archive.file.infolist())
        if not all(times[name] for name in MEMBERS):
            raise unreadable("is a zip archive and no .keras file", path)
        if twice := [name for name in MEMBERS if times[name] > 1]:
            raise unreadable(f"has the member {twice[0]} {times[twice[0]]} times: it is not clear which counts", path)
        metadata = archive.json(METADATA)
        version, stamp = metadata.get("keras_version"), metadata.get(PROVENANCE)
        config = archive.json(CONFIG)
        with TemporaryFile(prefix="kconvert-") as content:
            archive.copy(WEIGHTS, content)
            with hdf5.opened(path, content, f"member {WEIGHTS}") as root:
                training = _training_config(config, version)
                yield Checkpoint(
                    groups=hdf5.object_groups(root, config),
                    path=path,
                    keras_version=version if isinstance(version, str) else None,
                    whole_model=True,
                    stated_in={"keras_version": METADATA},
                    model_config={key: config[key] for key in _KEPT if key in config},
                    format=NAME,
                    provenance=checked_provenance(stamp, f"{path}, member {METADATA}"),
                    slots=False,
                    training_config=training,
                    optimizer=hdf5.object_optimizer(root) if training else (),
                    notes=[LEFT_OUT] if config.get(COMPILED) and not training else [],
                )


def compile_member(checkpoint: Checkpoint) -> dict[str, Any]:
    """The arguments of `compile` as an archive of Keras 3 holds them. The inverse: `_training_config`."""
    if not checkpoint.training_config:
        return {}
    stated = dict(checkpoint.training_config)
    optimizer = {"module": OPTIMIZERS, **stated.pop("optimizer_config"), "registered_name": None}
    return {COMPILED: {"optimizer": optimizer, **stated}}


def _training_config(config: dict[str, Any], version: Any) -> dict[str, Any] | None:
    """The arguments of `compile` as an HDF5 file of Keras 3 holds them; None where they are not those of Keras 3."""
    stated = config.get(COMPILED)
    saved_by = of_release(version) if isinstance(version, str) else None
    if not isinstance(stated, dict) or not (saved_by and saved_by.expresses):
        return None
    optimizer = stated.get("optimizer")
    if not isinstance(optimizer, dict) or optimizer.get("module") != OPTIMIZERS:
        return None
    others = {key: value for key, value in stated.items() if key != "optimizer"}
    return {**others, "optimizer_config": {key: optimizer.get(key) for key in ("class_name", "config")}}
