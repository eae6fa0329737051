"""Reading the safetensors files that kconvert writes. A hostile header costs no more than its own bytes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ...conventions.words.values import parse_json
from ...errors import KconvertError
from ..checkpoint import PROVENANCE, Architecture, Checkpoint, Group, LazyArray
from ..content import Content
from ..endings import SAFETENSORS
from ..failures import COPY_AGAIN, unreadable
from ..limits import LONG_JSON, check_limit
from ..provenance import checked_provenance
from .header import LENGTH, LIMIT, decoded
from .stored import Stored

PLACE = "the metadata"
ORIGIN = "kconvert reads the safetensors files that it wrote: in others, nothing says what an array is"


def is_safetensors(path: Path) -> bool:
    """Whether a file has the ending of safetensors, or begins as such a file does."""
    if not path.is_file():
        return False
    if path.name.lower().endswith(SAFETENSORS.endings):
        return True
    with open(path, "rb") as file:
        beginning = file.read(LENGTH + 1)
    return beginning[LENGTH:] == b"{" and int.from_bytes(beginning[:LENGTH], "little") <= LIMIT


@contextmanager
def read(path: Path, architecture: Architecture | None = None) -> Iterator[Checkpoint]:
    """Opens a file that kconvert wrote. Raises KconvertError (UNREADABLE) for any other, and for a damaged one."""
    with open(path, "rb", buffering=0) as file:
        size = path.stat().st_size
        length = int.from_bytes(file.read(LENGTH), "little")
        if size < LENGTH or length > size - LENGTH:
            raise unreadable(
                f"is no safetensors file, or is cut off: its header would have {length:,} bytes", path, COPY_AGAIN
            )
        if length > LIMIT:
            raise unreadable(f"has a header of {length:,} bytes, where {LIMIT:,} are allowed", path)
        check_limit("json", length, LONG_JSON, str(path))
        begin = LENGTH + length
        try:
            entries, metadata = decoded(file.read(length), size - begin)
        except ValueError as error:
            raise unreadable(f"has a damaged header ({error})", path, COPY_AGAIN) from None
        if not {PROVENANCE, "layers"} <= set(metadata):
            raise unreadable("does not say which layers its arrays belong to", path, ORIGIN)
        content = Content(path, file)
        stored = {entry.key: Stored(entry.key, entry, begin, content) for entry in entries}
        try:
            checkpoint = _checkpoint(path, stored, metadata)
        except KconvertError:
            raise
        except (ValueError, TypeError, LookupError) as error:
            raise unreadable(f"has damaged metadata ({error})", path, COPY_AGAIN) from None
        yield checkpoint


def _checkpoint(path: Path, stored: Mapping[str, Stored], metadata: Mapping[str, str]) -> Checkpoint:
    """Raises ValueError, TypeError or LookupError where the metadata does not fit the arrays."""
    values = {name: parse_json(text) for name, text in metadata.items() if name in _JSON}
    for name, kind in _JSON.items():
        if name in values and not isinstance(values[name], kind):
            raise TypeError(f"{name} is no {kind.__name__}")
    left = dict(stored)

    def array(item: Mapping[str, Any]) -> LazyArray:
        if not isinstance(item["name"], str):
            raise TypeError("a name of an array is no text")
        found = left.pop(item["key"], None)
        if found is None:
            raise ValueError(f"there is no array {item['key']!r} for {item['name']!r}")
        return Stored(item["name"], found.entry, found.begin, found.content)

    groups = [Group(str(layer["name"]), [array(item) for item in layer["arrays"]]) for layer in values["layers"]]
    optimizer = [array(item) for item in values.get("optimizer", ())]
    if left:
        raise ValueError(f"no layer has the array {next(iter(left))!r}")
    stated = {name: metadata[name] for name in ("backend", "keras_version") if name in metadata}
    return Checkpoint(
        groups=groups,
        named=values.get("named", True),
        path=path,
        backend=stated.get("backend"),
        keras_version=stated.get("keras_version"),
        stated_in=dict.fromkeys(stated, PLACE),
        whole_model=values.get("whole_model", False),
        model_config=values.get("model_config"),
        training_config=values.get("training_config"),
        optimizer=optimizer,
        provenance=checked_provenance(values[PROVENANCE], f"{path}, {PLACE}"),
        form=SAFETENSORS,
    )


_JSON: Mapping[str, type] = {
    PROVENANCE: dict,
    "model_config": dict,
    "training_config": dict,
    "whole_model": bool,
    "named": bool,
    "layers": list,
    "optimizer": list,
}
