"""Mutants: files changed at random, which a seed decides."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Any

import h5py
import numpy as np

FIXTURES = Path(__file__).parents[1] / "tests/fixtures"
ENDINGS = (".h5", ".hdf5", ".keras", ".npz", ".json", ".yaml", ".safetensors")
LARGEST = 400_000  # bytes of a fixture

VALUES: list[Any] = [
    *(None, True, False, 0, 1, -1, 3, 2**31, 2**63, -(2**63), 10**30, 0.5, -0.5, 1e308, float("inf"), float("nan")),
    *("", "x", "./x", "..", "a/b", "\ud800", "::error::x", "x" * 300, "channels_first", "Dense", "Lambda", "Model"),
    *([], {}, [[]], [None], [[1]], {"a": 1}, {"class_name": "Dense", "config": {}}, {"class_name": [], "config": 3}),
]


def fixtures() -> list[Path]:
    """The files that mutants are made of."""
    found = (path for path in sorted(FIXTURES.rglob("*")) if path.suffix in ENDINGS and path.is_file())
    return [path for path in found if path.stat().st_size <= LARGEST]


def mutant(seed: int, origins: list[Path]) -> tuple[Path, str, bytes]:
    """The fixture, the way it was changed, and the bytes of the mutant of a seed."""
    random = Random(seed)
    origin = random.choice(origins)
    data = origin.read_bytes()
    change = random.choice(_changes(origin))
    try:
        return origin, change.__name__.strip("_"), change(data, random)
    except (OSError, ValueError, TypeError, LookupError, RuntimeError):  # HDF5 does not write everything
        return origin, "bytes", _bytes(data, random)


def _changes(origin: Path) -> list[Callable[[bytes, Random], bytes]]:
    if origin.suffix in (".h5", ".hdf5"):
        return [_bytes, _ends, _attributes, _attributes, _attributes, _items, _items]
    if origin.suffix in (".keras", ".npz"):
        return [_bytes, _ends, _members, _members]
    return [_bytes, _ends, _values, _values]


# -------------------------------------------------------------------- bytes ----


def _bytes(data: bytes, random: Random) -> bytes:
    """Some bytes have other values."""
    changed = bytearray(data)
    for _ in range(random.choice((1, 1, 2, 8, 64))):
        changed[random.randrange(len(changed))] = random.choice((0, 1, 127, 128, 255, random.randrange(256)))
    return bytes(changed)


def _ends(data: bytes, random: Random) -> bytes:
    """A part is missing, is there twice, or is zeros."""
    start, end = sorted(random.randrange(len(data)) for _ in range(2))
    part = data[start:end]
    return random.choice((data[:end], data[:start] + data[end:], data[:end] + part + data[end:], data + part))


# --------------------------------------------------------------------- JSON ----


def _values(data: bytes, random: Random) -> bytes:
    """Some values of JSON are others."""
    try:
        value = json.loads(data)
    except ValueError:  # YAML
        return _bytes(data, random)
    for _ in range(random.choice((1, 1, 1, 2, 5))):
        value = changed(value, random)
    return json.dumps(value).encode()


def changed(value: Any, random: Random) -> Any:
    """A JSON value with one of the values in it changed, missing, or there twice."""
    places = list(_places(value))
    if not places:
        return random.choice(VALUES)
    holder, key = random.choice(places)
    action = random.randrange(5)
    if action == 0:
        del holder[key]
    elif action == 1 and isinstance(holder, list):
        holder.insert(key, holder[key])
    elif action == 2 and isinstance(holder, dict):
        holder[random.choice(("name", "class_name", "config", "layers", "units", "x"))] = holder.pop(key)
    elif action == 3:
        other, other_key = random.choice(places)
        holder[key] = json.loads(json.dumps(other[other_key]))
    else:
        holder[key] = random.choice(VALUES)
    return value


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    todo = [value]
    while todo:
        one = todo.pop()
        items = one.items() if isinstance(one, dict) else enumerate(one) if isinstance(one, list) else ()
        for key, item in items:
            yield one, key
            todo.append(item)


# --------------------------------------------------------------------- HDF5 ----


def _attributes(data: bytes, random: Random) -> bytes:
    """Attributes of a file have other values: JSON other JSON, names other names."""
    content = io.BytesIO(data)
    with h5py.File(content, "r+") as file:
        groups: list[Any] = [file]
        file.visititems(lambda _, item: groups.append(item))
        places = [(item, name) for item in groups for name in item.attrs]
        texts = [place for place in places if place[1] in ("model_config", "training_config", "kconvert")]
        for _ in range(random.choice((1, 1, 2))):
            item, name = random.choice(texts if texts and random.random() < 0.7 else places)
            item.attrs[name] = _attribute(item.attrs[name], random)
    return content.getvalue()


def _attribute(value: Any, random: Random) -> Any:
    text = value.decode("utf-8", "replace") if isinstance(value, bytes) else value
    if isinstance(text, str) and text.startswith("{"):
        made = json.dumps(changed(json.loads(text), random))
        return made.encode() if len(made) < 60000 else text
    if isinstance(value, np.ndarray) and value.size:
        names = [name.encode() if isinstance(name, str) else name for name in value.ravel().tolist()]
        names[random.randrange(len(names))] = random.choice((names[0], b"", b"./x", b"nothing", b"/", b"a/../b"))
        return np.array(names if random.random() < 0.8 else [*names, names[0]])
    return random.choice((b"", b"theano", b"tensorflow", b"1.2.2", b"2.15.0", b"x", 3, 1.5, np.arange(3)))


def _items(data: bytes, random: Random) -> bytes:
    """A dataset has another shape or type, or an item is missing, elsewhere or a link."""
    content = io.BytesIO(data)
    with h5py.File(content, "r+") as file:
        names: list[str] = []
        file.visit(names.append)
        if not names:
            return data
        name = random.choice(names)
        item, parent = file[name], file[name].parent
        action = random.randrange(5)
        if action == 0:
            del file[name]
        elif action == 1:
            parent["moved"] = item
            del file[name]
        elif action == 2:
            del file[name]
            file[name] = h5py.SoftLink("/") if random.random() < 0.5 else h5py.ExternalLink("other.h5", "/")
        elif isinstance(item, h5py.Dataset):
            del file[name]
            _dataset(file, name, item.shape, random)
    return content.getvalue()


def _dataset(file: h5py.File, name: str, shape: tuple[int, ...], random: Random) -> None:
    sizes = [random.choice((n, n, n + 1, 0, 1, 2**20, 2**33)) for n in shape] + [2] * random.choice((0, 0, 0, 1))
    dtype = random.choice(("f4", "f4", "f8", "f2", "i8", "u1", "S3", "c8"))
    chunks = tuple(min(max(n, 1), random.choice((1, 16, 256))) for n in sizes) or None
    file.create_dataset(name, sizes, dtype, chunks=chunks if random.random() < 0.7 and 0 not in sizes else None)


# ---------------------------------------------------------------------- zip ----


def _members(data: bytes, random: Random) -> bytes:
    """A member of an archive is changed, missing or packed zeros."""
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as source, zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as target:
        chosen = random.choice(source.namelist())
        for name in source.namelist():
            content = source.read(name)
            if name == chosen:
                action = random.randrange(4)
                if action == 0:
                    continue
                inner = _attributes if name.endswith(".h5") else _values if name.endswith(".json") else _bytes
                content = bytes(2**24) if action == 1 else inner(content, random)
            target.writestr(name, content)
    return made.getvalue()
