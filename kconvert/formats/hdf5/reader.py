"""Reads the files of Keras 0.2 to 2.3: whole models and weights alone."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import CancelledError
from contextlib import closing, contextmanager
from os import PathLike
from pathlib import Path
from string import digits
from threading import Event
from typing import Any, BinaryIO

import h5py

from ...arguments import argument
from ...conventions.words.items import Json
from ...errors import KconvertError
from ..checkpoint import PROVENANCE, Architecture, Checkpoint, Group, LazyArray
from ..endings import program_runtime
from ..failures import unreadable
from ..missing import missing
from ..objects import groups
from ..provenance import checked_provenance
from .costs import Costs
from .driver import UNBUFFERED
from .objects import OPTIMIZER, StoredObject, is_by_objects
from .safely import StoredGroup, hdf5_errors

_ARCHITECTURES = (".json", ".yaml", ".yml")

_WEB_PAGE = "it is a web page: download the file itself"
_BEGINNINGS = {
    b"\x1f\x8b": "it is packed by gzip: unpack it first",
    b"bzh": "it is packed by bzip2: unpack it first",
    b"version https://git-lfs": "it stands for a file of Git LFS: run git lfs pull",
    b"<!doctype html": _WEB_PAGE,
    b"<html": _WEB_PAGE,
}
"""What to do with files, by the bytes that they begin with, in lower case."""

NEVER = Event()
"""An event that nobody sets."""

SIGNATURE = b"\x89HDF\r\n\x1a\n"
"""The first bytes of an HDF5 file."""

_HASHED_AT_ONCE = 2**21  # bytes; other threads run at the same time, and each block waits for them twice

BY_OBJECTS = "weights of tf.keras 2.12 - 2.15 or Keras 3"
"""The format of a file that keeps weights by objects, in words."""

MOST_ATTRIBUTES = 1000  # of the root, beside those of Keras

# Attributes of the root that are fields of a Checkpoint
_KNOWN = re.compile(rf"nb_layers|backend|keras_version|{PROVENANCE}|(layer_names|model_config|training_config)\d*")


@contextmanager
def read(path: str | PathLike[str], architecture: Architecture | None = None) -> Iterator[Checkpoint]:
    """Opens a weight file for reading; its arrays can be read until the `with` block ends.

        with read("model.h5") as checkpoint:
            checkpoint.groups[0].arrays[0].read()

    architecture: reads that of the user, which weights that are kept by objects need. Raises KconvertError (UNREADABLE)
    if the file is missing, damaged, malicious, or not a file of Keras 0.2 - 2.3 or tf.keras.
    """
    path = regular_file(path)
    with hdf5_errors("cannot be opened", str(path)):
        if not h5py.is_hdf5(path):
            raise unreadable("is not an HDF5 file", str(path), _instead_of(path))
    with opened(path) as root:
        yield _by_objects(root, architecture) if is_by_objects(root) else _checkpoint(root)


def _instead_of(path: Path) -> str | None:
    """What to give in place of a file that is not HDF5, if its name or its first bytes show what it is."""
    if (runtime := program_runtime(path)) is not None:
        return f"it is a program for {runtime.title}: give the file that it was made from"
    if path.suffix.lower() in _ARCHITECTURES:
        return f"give the file with the weights, and an architecture with {argument('arch')}"
    with open(path, "rb") as file:
        begin = file.read(max(map(len, _BEGINNINGS))).lower()
    return next((fix for start, fix in _BEGINNINGS.items() if begin.startswith(start)), None)


@contextmanager
def opened(path: Path, content: BinaryIO | None = None, part: str = "") -> Iterator[StoredGroup]:
    """The root of an HDF5 file. content: the file itself, where it is the part called `part` of the file `path`."""
    with hdf5_errors("is truncated or damaged", f"{path}{part and f', {part}'}"):
        file = h5py.File(path, "r", driver=UNBUFFERED) if content is None else h5py.File(content, "r")
    with file, closing(Costs(path, file, content)) as costs:
        yield StoredGroup(path, file.id, costs)


def as_stored(group: h5py.Group) -> StoredGroup:
    """A group of a file that the user has open, read within the limits."""
    group.file.flush()  # costs are read from the file itself
    path = Path(group.file.filename)
    return StoredGroup(path, group.id, Costs(path, group.file, None), group.name)


def has_named_weights(path: str | PathLike[str]) -> bool:
    """Whether it is an HDF5 file with the groups of Keras 0.2 - 2.3 and tf.keras, whatever else is wrong with it."""
    try:
        with opened(Path(path)) as root:
            attributes = [name.rstrip(digits) for name in root.attributes()]
            return "model_weights" in root or "layer_names" in attributes or "nb_layers" in attributes
    except KconvertError:
        return False


def _by_objects(root: StoredGroup, architecture: Architecture | None) -> Checkpoint:
    """Weights alone. Raises KconvertError where they need an architecture."""
    if architecture is None:
        raise unreadable(
            "holds weights alone, by the classes of their layers and not by names",
            root.where,
            f"give the architecture, what model.to_json() wrote, with {argument('arch', 'FILE.json')}",
        )
    return Checkpoint(
        groups=object_groups(root, architecture()),
        path=root.path,
        format=BY_OBJECTS,
        slots=False,
        provenance=checked_provenance(root.json(PROVENANCE), f"{root.where}, attribute {PROVENANCE}"),
    )


def object_groups(root: StoredGroup, architecture: Json) -> list[Group]:
    """The weights that a file keeps by objects, by the layers of an architecture."""
    try:
        return groups(StoredObject(root), architecture)
    except KconvertError as error:
        raise error.in_file(root.path) from None


def object_optimizer(root: StoredGroup) -> list[LazyArray]:
    """The state of the optimizer that a file keeps by objects (keras-facts: slots-in-turn)."""
    stored = StoredObject(root).member(OPTIMIZER)
    return list(stored.weights().values()) if stored else []


def sha256(path: str | PathLike[str], stop: Event = NEVER) -> str:
    """The SHA-256 of a file, in hexadecimal.

    stop: ends the computation when it is set. Raises CancelledError then, and KconvertError where the file cannot be
    read.
    """
    path = regular_file(path)
    digest, block = hashlib.sha256(), memoryview(bytearray(_HASHED_AT_ONCE))
    with hdf5_errors("cannot be read", str(path)), open(path, "rb", buffering=0) as file:
        while not stop.is_set() and (size := file.readinto(block)):
            digest.update(block[:size])
    if stop.is_set():
        raise CancelledError
    return digest.hexdigest()


def regular_file(name: str | PathLike[str]) -> Path:
    path = Path(name)
    with hdf5_errors("cannot be opened", str(path)):
        if not path.exists():
            raise missing(path)
        if not path.is_file():
            raise unreadable("is a directory" if path.is_dir() else "is not a regular file", str(path))
        if not path.stat().st_size:
            raise unreadable("is empty", str(path))
        with open(path, "rb"):
            return path


def _checkpoint(root: StoredGroup) -> Checkpoint:
    named = root.names("layer_names") is not None
    whole_model = not named and "model_weights" in root
    weights = root.group("model_weights") if whole_model else root
    named = named or whole_model
    places = {"the weights": weights} | ({"the root": root} if whole_model else {})
    stated = {name: _first_stated(name, places) for name in ("backend", "keras_version")}
    return Checkpoint(
        groups=_named_groups(weights) if named else _numbered_groups(root),
        named=named,
        path=root.path,
        backend=stated["backend"][1],
        keras_version=stated["keras_version"][1],
        stated_in={name: place for name, (place, value) in stated.items() if value},
        whole_model=whole_model,
        model_config=root.json("model_config"),
        training_config=root.json("training_config"),
        optimizer=_arrays(root.group("optimizer_weights")) if whole_model and "optimizer_weights" in root else [],
        attributes=_foreign_attributes(root),
        provenance=checked_provenance(root.json(PROVENANCE), f"{root.where}, attribute {PROVENANCE}"),
    )


def _foreign_attributes(root: StoredGroup) -> dict[str, Any]:
    """The attributes that Keras does not write. HDF5 needs time for each that grows with their number."""
    names = [name for name in root.attributes() if not _KNOWN.fullmatch(name)]
    if len(names) > MOST_ATTRIBUTES:
        what = f"has {len(names):,} attributes that Keras does not write, and at most {MOST_ATTRIBUTES:,} are read"
        raise unreadable(what, root.where, "remove them")
    return {name: root.attribute(name) for name in names}


def _first_stated(name: str, places: Mapping[str, StoredGroup]) -> tuple[str, str | None]:
    """The first place that states a text attribute, and the text."""
    stated = ((place, node.text(name)) for place, node in places.items())
    return next((found for found in stated if found[1]), ("", None))


def _named_groups(weights: StoredGroup) -> list[Group]:
    """Keras 1 and 2: a group for each of layer_names."""
    names = weights.names("layer_names")
    if names is None:
        raise unreadable("there is no attribute layer_names, so it is no group of Keras weights", weights.where)
    _refuse_repeated(names, "layer_names", weights)
    return [Group(name, _arrays(weights.group(name))) for name in names]


def _arrays(group: StoredGroup) -> list[LazyArray]:
    names = group.names("weight_names")
    if names is None:
        raise unreadable("there is no attribute weight_names", group.where)
    _refuse_repeated(names, "weight_names", group)
    return [group.array(name) for name in names]


def _refuse_repeated(names: Sequence[str], attribute: str, group: StoredGroup) -> None:
    """Refuses a list with a repeated name: HDF5 cannot store it twice, so no release of Keras writes such a list."""
    if len(set(names)) < len(names):
        name, _ = Counter(names).most_common(1)[0]
        raise unreadable(f"attribute {attribute} has the name {name!r} more than once", group.where)


def _numbered_groups(root: StoredGroup) -> list[Group]:
    """Keras 0.2 - 0.3: layer_0, layer_1, ... of a Sequential, or one group `graph` of a Graph."""
    if "nb_layers" in root.attributes():
        names: Iterable[str] = (f"layer_{k}" for k in range(root.count("nb_layers")))
    elif "graph" in root:
        names = ["graph"]
    else:
        raise unreadable(
            "there are no weights of Keras 0.2 - 2.3 (no layer_names, no nb_layers, no model_weights)", root.where
        )
    groups = []
    for name in names:
        node = root.group(name)
        groups.append(Group(name, [node.array(f"param_{j}") for j in range(node.count("nb_params"))]))
    return groups
