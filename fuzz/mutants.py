"""Mutants: files changed at random, which a seed decides."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from random import Random
from typing import Any

import h5py
import numpy as np

ROOT = Path(__file__).parents[1]
FOLDERS = (ROOT / "tests/fixtures", ROOT / "fuzz/examples")
LARGEST = 400_000  # bytes of a fixture

SHARES = {
    ".h5": 8,
    ".keras": 4,
    ".safetensors": 3,
    ".npz": 3,
    ".json": 3,
    ".yaml": 1,
    ".csv": 2,
    ".jsonl": 2,
    ".index": 1,
}
"""How many of 27 mutants have each ending: .csv and .jsonl are manifests of a batch, .index is that of a checkpoint."""

VALUES: list[Any] = [
    *(None, True, False, 0, 1, -1, 3, 2**31, 2**63, -(2**63), 10**30, 0.5, -0.5, 1e308, float("inf"), float("nan")),
    *("", "x", "./x", "..", "a/b", "\ud800", "::error::x", "x" * 300, "channels_first", "Dense", "Lambda", "Model"),
    *([], {}, [[]], [None], [[1]], {"a": 1}, {"class_name": "Dense", "config": {}}, {"class_name": [], "config": 3}),
]


def fixtures() -> dict[str, list[Path]]:
    """The files that mutants are made of, by their endings."""
    found = [path for folder in FOLDERS for path in sorted(folder.rglob("*")) if path.is_file()]
    fitting = [path for path in found if path.stat().st_size <= LARGEST and path.name not in ("meta.json", "io.json")]
    return {ending: [path for path in fitting if path.suffix == ending] for ending in SHARES}


def mutant(seed: int, origins: Mapping[str, Sequence[Path]]) -> tuple[Path, str, bytes]:
    """The fixture, the way it was changed, and the bytes of the mutant of a seed."""
    random = Random(seed)
    (ending,) = random.choices(list(SHARES), list(SHARES.values()))
    origin = random.choice(origins[ending])
    data = origin.read_bytes()
    change = random.choice(_CHANGES[ending])
    try:
        return origin, change.__name__.strip("_"), change(data, random)
    except (OSError, ValueError, TypeError, LookupError, RuntimeError):  # HDF5 does not write everything
        return origin, "bytes", _bytes(data, random)


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


def nudged(value: Any, random: Random) -> Any:
    """A JSON value in which some numbers, truths and words are others of their kind: most of them are still read."""
    words = ("relu", "linear", "tanh", "same", "valid", "channels_last", "channels_first", "zeros", "a_name")
    places = [(holder, key) for holder, key in _places(value) if isinstance(holder[key], bool | int | float | str)]
    for holder, key in random.sample(places, min(len(places), random.choice((1, 1, 2, 4)))):
        old = holder[key]
        if isinstance(old, bool):
            holder[key] = not old
        elif isinstance(old, int | float):
            holder[key] = random.choice((old + 1, old - 1, old * 2, old))
        elif key in ("name", "activation", "padding", "border_mode", "init"):
            holder[key] = random.choice(words)
    return value


def _settings(data: bytes, random: Random) -> bytes:
    """Some options of an architecture are others of their kind."""
    try:
        return json.dumps(nudged(json.loads(data), random)).encode()
    except ValueError:  # YAML
        return data


# --------------------------------------------------------------------- HDF5 ----


def _options(data: bytes, random: Random) -> bytes:
    """Some options in the JSON of a file are others of their kind; or there is an attribute that nobody knows."""
    content = io.BytesIO(data)
    with h5py.File(content, "r+") as file:
        texts = [name for name in ("model_config", "training_config") if name in file.attrs]
        if not texts or random.random() < 0.3:
            file.attrs[f"attribute_{random.randrange(9)}"] = random.choice((b"x", 3, 1.5, np.arange(3), "\u00e9"))
        else:
            name = random.choice(texts)
            text = file.attrs[name]
            value = nudged(json.loads(text.decode() if isinstance(text, bytes) else text), random)
            file.attrs[name] = json.dumps(value).encode()
    return content.getvalue()


def _arrays(file: h5py.File) -> list[str]:
    """The names of the datasets of numbers."""
    names: list[str] = []
    file.visititems(lambda name, item: names.append(name) if isinstance(item, h5py.Dataset) else None)
    return [name for name in names if file[name].dtype.kind in "iuf" and file[name].size]


def _numbers(data: bytes, random: Random) -> bytes:
    """Numbers of some arrays are others: NaN, infinite, of another size."""
    content = io.BytesIO(data)
    with h5py.File(content, "r+") as file:
        names = _arrays(file)
        for name in random.sample(names, min(len(names), 2)):
            values = file[name][()]
            flat = values.reshape(-1)
            some = flat[random.randrange(flat.size) :][: random.choice((1, 8, flat.size))]
            with np.errstate(over="ignore"):  # float16 cannot hold 1e30
                some[...] = random.choice((0, 1, 1e-30, 1e30, np.nan, np.inf)) if flat.dtype.kind == "f" else 1
            file[name][...] = values
    return content.getvalue()


def _stored(data: bytes, random: Random) -> bytes:
    """An array is stored in another way: packed, in chunks, with other types or byte orders."""
    content = io.BytesIO(data)
    with h5py.File(content, "r+") as file:
        names = _arrays(file)
        for name in random.sample(names, min(len(names), 3)):
            values = file[name][()]
            packing = random.choice((None, "gzip", "lzf")) if values.ndim else None
            dtype = random.choice((values.dtype, values.dtype.newbyteorder(), "f8", "f4", "f2"))
            del file[name]
            file.create_dataset(name, data=values, dtype=dtype, compression=packing, shuffle=bool(packing))
    return content.getvalue()


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


def _repacked(data: bytes, random: Random, change: Callable[[str, bytes], bytes | None]) -> bytes:
    """An archive with another member in place of one of its members, or without it."""
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as source, zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as target:
        chosen = random.choice(source.namelist())
        for name in source.namelist():
            stored = source.read(name)
            content = change(name, stored) if name == chosen else stored
            if content is not None:
                target.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)
    return made.getvalue()


def _member_options(data: bytes, random: Random) -> bytes:
    """A member of an archive has other options or other numbers, and is packed."""

    def change(name: str, content: bytes) -> bytes:
        inner = random.choice((_numbers, _stored)) if name.endswith(".h5") else _settings
        return inner(content, random)

    return _repacked(data, random, change)


def _header(data: bytes, random: Random) -> bytes:
    """Some values in the header of safetensors are others."""
    begin = 8 + int.from_bytes(data[:8], "little")
    header = json.loads(data[8:begin])
    changing = random.choice((changed, nudged))
    made = json.dumps(changing(header, random)).encode()
    return len(made).to_bytes(8, "little") + made + data[begin:]


def _payload(data: bytes, random: Random) -> bytes:
    """Some bytes behind the header of safetensors have other values."""
    begin = 8 + int.from_bytes(data[:8], "little")
    return data[:begin] + _bytes(data[begin:], random)


def _members(data: bytes, random: Random) -> bytes:
    """A member of an archive is changed, missing or packed zeros."""

    def change(name: str, content: bytes) -> bytes | None:
        action = random.randrange(4)
        if action == 0:
            return None
        inner = _attributes if name.endswith(".h5") else _values if name.endswith(".json") else _bytes
        return bytes(2**24) if action == 1 else inner(content, random)

    return _repacked(data, random, change)


def _arrays_of_inputs(data: bytes, random: Random) -> bytes:
    """Arrays of an .npz file have other types, shapes, orders or names."""
    with np.load(io.BytesIO(data)) as stored:
        arrays = {name: stored[name] for name in stored.files}
    name = random.choice(list(arrays))
    array = arrays.pop(name)
    dtype = random.choice((array.dtype, ">f4", "f8", "f2", "i8", "u1", "b1", "c8", "S3", "M8[s]"))
    shape = random.choice((array.shape, (1, *array.shape), array.shape[:-1] + (-1,), (-1,), (0,), (2**40, 0)))
    changed = np.resize(array, array.size).astype(dtype)
    changed = changed.reshape(shape) if changed.size or 0 in shape else changed
    made = io.BytesIO()
    packed = np.savez_compressed if random.random() < 0.5 else np.savez
    packed(made, **arrays, **{random.choice((name, "x", "a/b", "..")): np.asfortranarray(changed)})
    return made.getvalue()


# ---------------------------------------------------------------- manifests ----

CELLS = ("", "x", "theano", "tensorflow", "keras2", "keras3", "same", "channels_last", "true", "no", "models/lstm.h5")
"""Values of manifests: of some option each, or of none."""


def _cells(data: bytes, random: Random) -> bytes:
    """Some values of a table are others."""
    rows = list(csv.reader(io.StringIO(data.decode())))
    for _ in range(random.choice((1, 1, 2))):
        row = random.choice(rows[1:])
        row[random.randrange(len(row))] = random.choice((*CELLS, *map(str, VALUES)))
    return _table(rows)


def _columns(data: bytes, random: Random) -> bytes:
    """A table has another order, lacks a column or a row, or has a row twice."""
    rows = list(csv.reader(io.StringIO(data.decode())))
    action, column = random.randrange(4), random.randrange(1, len(rows[0]))
    if action == 0:
        rows = [row[:column] + row[column + 1 :] for row in rows]
    elif action == 1:
        rows = [row[column:] + row[:column] for row in rows]
    elif action == 2:
        del rows[random.randrange(len(rows))]
    else:
        rows.append(random.choice(rows))
    return _table(rows)


def _table(rows: list[list[str]]) -> bytes:
    made = io.StringIO()
    csv.writer(made, lineterminator="\n").writerows(rows)
    return made.getvalue().encode("utf-8", "replace")


def _lines(data: bytes, random: Random) -> bytes:
    """Some values in lines of JSON are others."""
    rows = [json.loads(line) for line in data.splitlines()]
    row = random.choice(rows)
    if random.random() < 0.5:
        row[random.choice(list(row))] = random.choice((*CELLS, True, None, ["a=Dense"]))
    else:
        rows[rows.index(row)] = changed(row, random)
    return "".join(f"{json.dumps(row)}\n" for row in rows).encode()


_CHANGES: dict[str, list[Callable[[bytes, Random], bytes]]] = {
    ".h5": [_bytes, _ends, *[_attributes] * 2, *[_items] * 2, *[_numbers] * 2, *[_stored] * 2, *[_options] * 3],
    ".keras": [_bytes, _ends, _members, _members, *[_member_options] * 4],
    ".npz": [_bytes, _ends, _members, *[_arrays_of_inputs] * 3],
    ".safetensors": [_bytes, _ends, _header, _header, *[_payload] * 3],
    ".json": [_bytes, _ends, _values, *[_settings] * 4],
    ".yaml": [_bytes, _ends, _values, *[_settings] * 4],
    ".csv": [_bytes, _ends, _columns, *[_cells] * 3],
    ".jsonl": [_bytes, _ends, *[_lines] * 4],
    ".index": [_bytes, _bytes, _ends],
}
"""The ways to change a file, by its ending; the ways that files are still read after come more often."""
