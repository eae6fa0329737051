"""Inputs for a network: those of the user, checked, those of a file, and seeded random ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from os import PathLike
from typing import Any
from zipfile import BadZipFile

import numpy as np

from .. import layers as L
from ..errors import KconvertError, Problem
from ..layers.base import Layer
from .network import Network, Ref

FREE_STEPS = 7
FREE_SPACE = 24


def checked_inputs(network: Network, x: Any) -> list[np.ndarray]:
    """The inputs as arrays of the right dtype, in the order of the network's inputs.

    x: an array, a list of arrays, or a dict of them by the names of the inputs. Raises KconvertError where number or
    shapes do not fit.
    """
    names = [ref.layer for ref in network.input_refs]
    xs = [numbers(array, f"input {name}") for array, name in zip(_by_input(network, x, names), names, strict=True)]
    for array, shape, name in zip(xs, network.input_shapes, names, strict=True):
        fits = len(array.shape) == len(shape) and all(
            want in (None, have) for want, have in zip(shape, array.shape, strict=True)
        )
        if not fits:
            raise KconvertError(
                f"an array of shape {array.shape} was given where {shape} is expected (None is free)",
                where=f"input {name}",
                problem=Problem.USAGE,
            )
    return [a.astype(spec.dtype, copy=False) for a, spec in zip(xs, network.input_specs, strict=True)]


def _by_input(network: Network, x: Any, names: Sequence[str]) -> list[Any]:
    """One value for each input. Raises KconvertError where their number or names differ."""
    if isinstance(x, Mapping):
        unknown = set(x) ^ set(names)
        if unknown:
            what = f"inputs do not match: {', '.join(sorted(unknown))}"
            raise KconvertError(what, network.name, f"the inputs are {', '.join(names)}", Problem.USAGE)
        x = [x[name] for name in names]
    several = isinstance(x, (list, tuple)) and (len(names) > 1 or any(isinstance(a, np.ndarray) for a in x))
    values = list(x) if several else [x]
    if x is None or len(values) != len(names):
        count = 0 if x is None else len(values)
        what = f"the model has {len(names)} inputs, {count} were given"
        raise KconvertError(what, where=network.name, problem=Problem.USAGE)
    return values


def numbers(array: Any, where: str) -> np.ndarray:
    """`array` as an array of numbers; raises KconvertError for anything else."""
    try:
        result = np.asarray(array)
    except ValueError as error:
        raise KconvertError("rows of different lengths are not an array", where, "pad them", Problem.USAGE) from error
    if result.dtype.kind not in "fiub":
        fix = "give float or integer arrays of one shape"
        raise KconvertError(f"an array of dtype {result.dtype} is not an array of numbers", where, fix, Problem.USAGE)
    return result


# ------------------------------------------------------------------ samples ----


def sample_inputs(model: Network, samples: int = 4, seed: int = 0) -> list[np.ndarray]:
    """One array an input of `model`: normal numbers, or the integers and padding its first layer expects.

    Free sizes become 7 time steps or 24 pixels; no two free sizes of an image are the same.
    """
    random = np.random.default_rng(seed)
    return [
        _sample(random, _sizes(shape, samples), _first(model, ref))
        for ref, shape in zip(model.input_refs, model.input_shapes, strict=True)
    ]


def input_arrays(model: Network, path: str | PathLike[str]) -> list[np.ndarray]:
    """The inputs of `model` from an `.npy` file (a model of one input) or an `.npz` file.

    The arrays of an .npz are taken by the names of the inputs, or in their order where the names are others. Raises
    KconvertError where the file cannot be read or its arrays do not fit.
    """
    where = str(path)
    try:
        loaded = np.load(path, allow_pickle=False)
        found = {name: loaded[name] for name in loaded.files} if hasattr(loaded, "files") else {"": loaded}
    except (OSError, ValueError, EOFError, BadZipFile) as error:
        what = f"the inputs cannot be read ({error})".replace(f": {where!r}", "")
        raise KconvertError(what, where, "give an .npy or .npz file of numbers", Problem.UNREADABLE) from error
    names = [ref.layer for ref in model.input_refs]
    try:
        return checked_inputs(
            model, [found[name] for name in names] if set(names) <= set(found) else list(found.values())
        )
    except KconvertError as error:
        raise error.within(where) from None


def _sizes(shape: tuple[int | None, ...], samples: int) -> tuple[int, ...]:
    free = FREE_STEPS if len(shape) <= 3 else FREE_SPACE
    batch = shape[0] or samples
    return (batch, *(free + 2 * i if n is None else n for i, n in enumerate(shape[1:])))


# Layers behind which the values of an input still stand.
_KEEPING = (L.Dropout, L.SpatialDropout1D, L.Flatten, L.Reshape, L.Permute, L.RepeatVector)


def _first(model: Network, ref: Ref) -> Layer | None:
    """The first layer that says what its input should hold; an Embedding, which takes nothing else, before others."""
    todo, found = [ref], list[Layer | None]()
    while todo:
        tensor = todo.pop(0)
        for node in model.nodes:
            if tensor in node.inputs:
                layer = model.by_name[node.layer]
                found.append(_demanding(layer, node.inputs.index(tensor)))
                todo += [node.output] if _keeps(layer) else []
    layers = [layer for layer in found if layer]
    return next((layer for layer in layers if isinstance(layer, L.Embedding)), layers[0] if layers else None)


def _demanding(layer: Any, position: int) -> Layer | None:
    """`layer`, or the one in it, if it says what its input number `position` should hold."""
    if isinstance(layer, Network):
        return _first(layer, layer.input_refs[position])
    if isinstance(layer, L.TimeDistributed):
        return _demanding(layer.layer, position)
    return layer if isinstance(layer, (L.Embedding, L.Masking)) else None


def _keeps(layer: Any) -> bool:
    if isinstance(layer, (Network, L.TimeDistributed)):
        return all(_keeps(inner) for inner in layer.sublayers)
    return isinstance(layer, _KEEPING)


def _sample(random: np.random.Generator, shape: tuple[int, ...], layer: Any) -> np.ndarray:
    if isinstance(layer, L.Embedding):
        indices = random.integers(min(1, layer.input_dim - 1), layer.input_dim, shape)
        words = _padded((shape[0], shape[-1])).reshape(shape[0], *[1] * (len(shape) - 2), shape[-1])
        return (np.where(words, 0, indices) if layer.mask_zero else indices).astype("float32")
    values = random.standard_normal(shape).astype("float32")
    if isinstance(layer, L.Masking):
        values[_padded(shape)] = layer.mask_value
    return values


def _padded(shape: tuple[int, ...]) -> np.ndarray:
    """Which steps of a batch are padding: one more in each sample, never all of them."""
    steps = shape[1] if len(shape) > 1 else 1
    padding = np.minimum(np.arange(shape[0]), steps - 1)
    return np.arange(steps) >= (steps - padding)[:, None]
