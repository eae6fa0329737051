"""Weights of layers in groups of HDF5 files, and models as values: what scripts import from `keras.engine.saving`.

Source: the module of this name in Keras 2.3.1.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from io import BytesIO
from typing import Any

import numpy as np

from ...backend import default_backend
from ...conventions.generations import Convention
from ...errors import AlsoRuntimeError, KconvertError, Problem, warn
from ...formats.hdf5.reader import as_stored
from ...formats.hdf5.writer import HEADER_LIMIT, in_pieces
from ...models.layer_weights import converted
from .models import load_model
from .utils import ask_to_proceed_with_overwrite as ask_to_proceed_with_overwrite

_RELEASE = "2.3.1"
_KERAS1 = "1"
"""What a file without a release is of."""

# --------------------------------------------------------------- attributes ----


def save_attributes_to_hdf5_group(group: Any, name: str, data: Sequence[Any]) -> None:
    """Writes a list of names, as bytes, into an attribute of a group; into several where one cannot hold it.

    Raises KconvertError for a name that no attribute can hold (keras-facts: split-lists-of-names).
    """
    if any(len(one) > HEADER_LIMIT for one in data):
        what = f"a name in {name} is longer than {HEADER_LIMIT} bytes"
        raise AlsoRuntimeError(what, "attribute of an HDF5 group", problem=Problem.USAGE)
    pieces = in_pieces(np.asarray(data))
    if len(pieces) == 1:
        group.attrs[name] = data
    for i, piece in enumerate(pieces if len(pieces) > 1 else ()):
        group.attrs[f"{name}{i}"] = piece


def load_attributes_from_hdf5_group(group: Any, name: str) -> list[str]:
    """The names in an attribute, or in several, as `save_attributes_to_hdf5_group` writes them.

    Raises KconvertError where there is something else, or more text than `limits` allow.
    """
    return as_stored(group).names(name) or []


# ------------------------------------------------------------------ weights ----


def save_weights_to_hdf5_group(group: Any, layers: Sequence[Any]) -> None:
    """Writes the weights of layers into an open group of an HDF5 file, in the form of `Model.save_weights`."""
    save_attributes_to_hdf5_group(group, "layer_names", [layer.name.encode() for layer in layers])
    group.attrs["backend"] = default_backend().encode()
    group.attrs["keras_version"] = _RELEASE.encode()
    for layer in layers:
        own = group.create_group(layer.name)
        names = [str(getattr(weight, "name", None) or f"param_{i}") for i, weight in enumerate(layer.weights)]
        save_attributes_to_hdf5_group(own, "weight_names", [name.encode() for name in names])
        for name, array in zip(names, layer.get_weights(), strict=True):
            own.create_dataset(name, data=array)


def _stored(group: Any) -> Iterator[tuple[str, list[np.ndarray]]]:
    """The names and the arrays of the layers in a group of a file."""
    weights = as_stored(group)
    for name in weights.names("layer_names") or ():
        own = weights.group(name)
        yield name, [own.array(one).read() for one in own.names("weight_names") or ()]


def _facts(group: Any) -> tuple[str, str | None]:
    """The release and the backend that a group of a file states; '1' and None where it states none."""
    weights = as_stored(group)
    return weights.text("keras_version") or _KERAS1, weights.text("backend")


def preprocess_weights_for_loading(
    layer: Any,
    weights: Sequence[Any],
    original_keras_version: str | None = None,
    original_backend: str | None = None,
    reshape: bool = False,
) -> list[Any]:
    """The arrays of a layer in a file, as `layer.set_weights` takes them here.

    original_keras_version: '1' for arrays of Keras 1; anything else for those of Keras 2. original_backend: the
    backend that saved them, None for the one that runs. Kernels are reversed, gates joined and cuDNN arrays unpacked
    where that is needed. reshape: has no effect. Raises KconvertError where number or shapes do not fit.
    """
    generation = "keras1" if original_keras_version == _KERAS1 else "keras2"
    return converted(layer, weights, Convention(generation, original_backend or default_backend()))


def load_weights_from_hdf5_group(f: Any, layers: Sequence[Any], reshape: bool = False) -> None:
    """Sets the weights of layers from a group of an HDF5 file, in the order of both.

    Raises KconvertError where numbers or shapes do not fit; then no weight has changed.
    """
    stored = [(name, arrays) for name, arrays in _stored(f) if arrays]
    taking = [layer for layer in layers if layer.weights]
    if len(stored) != len(taking):
        what = f"the file has {len(stored)} layers with weights, and {len(taking)} are expected"
        raise KconvertError(what, problem=Problem.USAGE)
    facts = _facts(f)
    new = [
        (layer, preprocess_weights_for_loading(layer, arrays, *facts, reshape))
        for layer, (_, arrays) in zip(taking, stored, strict=True)
    ]
    for layer, arrays in new:
        layer.set_weights(arrays)


def load_weights_from_hdf5_group_by_name(
    f: Any, layers: Sequence[Any], skip_mismatch: bool = False, reshape: bool = False
) -> None:
    """Sets the weights of those layers that a group of an HDF5 file has under the same name.

    skip_mismatch: whether layers of another number or shape of weights stay as they are, with a warning. Raises
    KconvertError for such layers if not; then no weight has changed.
    """
    facts, new = _facts(f), []
    for name, arrays in _stored(f):
        for layer in (one for one in layers if one.name == name):
            try:
                new.append((layer, preprocess_weights_for_loading(layer, arrays, *facts, reshape)))
            except KconvertError as error:
                if not skip_mismatch:
                    raise
                warn(f"layer {name} keeps its weights: {error.what}")
    for layer, arrays in new:
        layer.set_weights(arrays)


# ------------------------------------------------------------------- models ----


def pickle_model(model: Any) -> dict[str, bytes]:
    """A model as a value that can be pickled: the bytes of its file."""
    stream = BytesIO()
    model.save(stream)
    return {_FILE: stream.getvalue()}


def unpickle_model(state: Mapping[str, bytes]) -> Any:
    """The model of which `pickle_model` made a value."""
    return load_model(BytesIO(state[_FILE]))


_FILE = "file"
