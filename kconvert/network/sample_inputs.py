"""Inputs of a network: arrays of the user (`checked_inputs`), arrays from a file, and random samples.

Prediction and training check the arrays of the user here; verification draws samples.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping, Sequence
from numbers import Number
from typing import Any

import numpy as np

from .. import layers as L
from ..arguments import argument
from ..errors import KconvertError, Problem
from ..layers.base import Layer
from .graph import Ref
from .network import Network

_LOG = logging.getLogger(__name__)

# The sizes of random samples along axes of unknown size: time steps, and rows or columns of images.
FREE_STEPS = 7
FREE_SPACE = 24

LARGEST = 2**27  # elements of random inputs: 1 GiB as they are drawn
MOST_AXES = 32  # of an array, in all releases of NumPy


def checked_inputs(network: Network, x: Any, as_many_as_first: bool = False) -> list[np.ndarray]:
    """`x` as a list of arrays, in the order and with the dtypes of the network's inputs.

    x: an array, a list of arrays, or a dict of arrays by the names of the inputs; an array (samples,) becomes
    (samples, 1). as_many_as_first: whether further samples of later inputs are left out, with a warning, as `predict`
    of Keras leaves them out (keras-facts: samples-of-predict). Raises KconvertError where their number, names, shapes
    or numbers of samples do not fit.
    """
    names, shapes = [ref.layer for ref in network.input_refs], network.input_shapes
    xs = [numbers(array, f"input {name}") for array, name in zip(_with_tensors(network, x, names), names, strict=True)]
    vectors = [
        array.ndim == 1 and len(shape) == 2 and shape[1] in (None, 1) for array, shape in zip(xs, shapes, strict=True)
    ]
    xs = [array[:, None] if vector else array for array, vector in zip(xs, vectors, strict=True)]
    for array, shape, name in zip(xs, shapes, names, strict=True):
        fits = len(array.shape) == len(shape) and all(
            expected in (None, size) for expected, size in zip(shape[1:], array.shape[1:], strict=True)
        )
        if not fits:
            raise KconvertError(
                f"an array of shape {array.shape} was given where {shape} is expected (None is free)",
                where=f"input {name}",
                problem=Problem.USAGE,
            )
    if as_many_as_first and xs:
        xs = [xs[0], *(_first(array, len(xs[0]), name) for array, name in zip(xs[1:], names[1:], strict=True))]
    if len({len(array) for array in xs}) > 1:
        lengths = ", ".join(f"{name} {len(array)}" for array, name in zip(xs, names, strict=True))
        what = f"the inputs have different numbers of samples: {lengths}"
        raise KconvertError(what, network.name, problem=Problem.USAGE)
    _check_whole_batches(network, len(xs[0]))
    return [a.astype(spec.dtype, copy=False) for a, spec in zip(xs, network.input_specs, strict=True)]


def _first(array: np.ndarray, samples: int, name: str) -> np.ndarray:
    """The first `samples` of an array; a warning says that there are more."""
    if len(array) > samples:
        _LOG.warning("input %s has %d samples, of which the first %d are used", name, len(array), samples)
    return array[:samples]


def _check_whole_batches(network: Network, samples: int) -> None:
    """Refuses samples that do not fill batches of a fixed size, as Keras does (keras-facts: fixed-batch)."""
    fixed = network.fixed_batch
    if fixed and samples % fixed:
        raise KconvertError(
            f"{samples} samples were given to a model that takes batches of {fixed}, as its inputs state",
            where=network.name,
            fix=f"give a number of samples that {fixed} divides",
            problem=Problem.USAGE,
        )


def size_of_batches(network: Network, given: int | None, samples: int) -> int:
    """The size of the batches that `samples` are cut into; given: that of the user, None for the usual one.

    Raises KconvertError where the model has a fixed one that differs (keras-facts: fixed-batch).
    """
    fixed = network.fixed_batch
    _check_whole_batches(network, samples)
    if given is not None and given < 1:
        raise KconvertError(f"batch_size is {given}", network.name, "give 1 or more", Problem.USAGE)
    if fixed and given not in (None, fixed) and samples != fixed:
        what = f"batch_size={given} was given to a model that takes batches of {fixed}, as its inputs state"
        raise KconvertError(what, network.name, f"leave it out or give batch_size={fixed}", Problem.USAGE)
    return fixed or given or network.stated_batch or 32


def check_batch(network: Network, samples: int) -> None:
    """Raises KconvertError for a batch of another size than the one that the model takes."""
    size_of_batches(network, samples or None, samples)
    if network.fixed_batch not in (None, samples):
        what = f"a batch of {samples} samples was given to a model that takes batches of {network.fixed_batch}"
        raise KconvertError(what, network.name, problem=Problem.USAGE)


def _with_tensors(network: Network, x: Any, names: list[str]) -> list[Any]:
    """The array of each input: that of `x`, or the value of the tensor that the input always is."""
    own = {layer.name: layer.tensor.eval() for layer in network.input_layers if layer.tensor is not None}
    wanted = [name for name in names if name not in own]
    given = dict(zip(wanted, _by_input(network, x, wanted), strict=True)) if wanted or x is not None else {}
    return [own[name] if name in own else given[name] for name in names]


def _by_input(network: Network, x: Any, names: Sequence[str]) -> list[Any]:
    """The values in `x`, one for each input; of a dict, names of no input are left out, as in Keras.

    Raises KconvertError where their number does not fit, or an input is missing.
    """
    if isinstance(x, Mapping):
        if missing := set(names) - set(x):
            what = f"missing inputs: {', '.join(sorted(missing))}; there are {', '.join(sorted(map(str, x)))}"
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
    """`array` as a NumPy array of numbers; a sparse matrix of SciPy is made dense.

    Raises KconvertError, with `where`, for anything else.
    """
    try:
        result = array.toarray() if hasattr(array, "toarray") else np.asarray(array)
    except ValueError as error:
        raise KconvertError("rows of different lengths are not an array", where, "pad them", Problem.USAGE) from error
    if result.dtype.kind == "O" and all(isinstance(one, Number) for one in result.flat):
        result = result.astype("float64")
    if result.dtype.kind not in "fiub":
        fix = "give float or integer arrays of one shape"
        raise KconvertError(f"an array of dtype {result.dtype} is not an array of numbers", where, fix, Problem.USAGE)
    return result


# ------------------------------------------------------------------ samples ----


def sample_inputs(model: Network, samples: int = 4, seed: int = 0) -> list[np.ndarray]:
    """A random float32 array for each input of `model`.

    The values are normal random numbers. An input that an Embedding reads has integers of its table, and where time
    steps are masked, the last ones are padding. Unknown sizes become 7 time steps or 24 pixels; the unknown axes of an
    image have different sizes. samples: the number of samples, where the model does not fix it.
    """
    random = np.random.default_rng(seed)
    sizes = [_sizes(shape, samples) for shape in model.input_shapes]
    _check_sizes(sizes, model)
    return [_sample(random, shape, _reader(model, ref)) for ref, shape in zip(model.input_refs, sizes, strict=True)]


def sample_tensor(model: Network, ref: Ref, shape: tuple[int | None, ...], samples: int, seed: Any) -> np.ndarray:
    """A random array for a tensor of `model` that has the shape `shape`, as for an input."""
    sizes = _sizes(shape, samples)
    _check_sizes([sizes], model)
    return _sample(np.random.default_rng(seed), sizes, _reader(model, ref))


def _check_sizes(shapes: Sequence[tuple[int, ...]], model: Network) -> None:
    """Raises KconvertError where random arrays of these shapes would fill the memory, or NumPy has no such arrays."""
    total = sum(map(math.prod, shapes))
    if total > LARGEST or max(map(len, shapes), default=0) > MOST_AXES:
        shown = ", ".join(map(str, shapes)) if total <= LARGEST else f"{total:,} elements"
        what = f"the inputs are too large to draw them at random ({shown:.80})"
        raise KconvertError(what, model.name, f"give inputs: {argument('inputs')}", Problem.UNVERIFIED)


def _sizes(shape: tuple[int | None, ...], samples: int) -> tuple[int, ...]:
    """`shape` with a number in place of each None."""
    free = FREE_STEPS if len(shape) <= 3 else FREE_SPACE
    batch = shape[0] or samples
    return (batch, *(free + 2 * i if n is None else n for i, n in enumerate(shape[1:])))


# Layers whose output has the values of their input, where they do not train.
_KEEP_VALUES = (L.Dropout, L.SpatialDropout1D, L.Flatten, L.Reshape, L.Permute, L.RepeatVector)


def _reader(model: Network, ref: Ref) -> Layer | None:
    """The Embedding or Masking layer that reads the values of tensor `ref`; None where there is none.

    An Embedding comes before a Masking layer, because it accepts integers only.
    """
    todo, readers = [ref], list[Layer]()
    while todo:
        tensor = todo.pop(0)
        for node in model.nodes:
            if tensor in node.inputs:
                layer = model.by_name[node.layer]
                reader = _reader_in(layer, node.inputs.index(tensor))
                readers += [reader] if reader else []
                todo += [node.output] if _keeps_values(layer) else []
    return next((layer for layer in readers if isinstance(layer, L.Embedding)), readers[0] if readers else None)


def _reader_in(layer: Any, position: int) -> Layer | None:
    """The Embedding or Masking layer that reads input `position` of `layer`: itself or one inside it."""
    if isinstance(layer, Network):
        return _reader(layer, layer.input_refs[position])
    if isinstance(layer, L.TimeDistributed):
        return _reader_in(layer.layer, position)
    return layer if isinstance(layer, (L.Embedding, L.Masking)) else None


def _keeps_values(layer: Any) -> bool:
    """Whether the output of `layer` has the values of its input."""
    if isinstance(layer, (Network, L.TimeDistributed)):
        return all(_keeps_values(inner) for inner in layer.sublayers)
    return isinstance(layer, _KEEP_VALUES)


def _sample(random: np.random.Generator, shape: tuple[int, ...], layer: Any) -> np.ndarray:
    """A random array for `layer`, the Embedding or Masking layer that reads it, or None."""
    if isinstance(layer, L.Embedding):
        indices = random.integers(min(1, layer.input_dim - 1), layer.input_dim, shape)
        padding = _padded((shape[0], shape[-1])).reshape(shape[0], *[1] * (len(shape) - 2), shape[-1])
        return (np.where(padding, 0, indices) if layer.mask_zero else indices).astype("float32")
    values = random.standard_normal(shape).astype("float32")
    if isinstance(layer, L.Masking):
        values[_padded(shape)] = layer.mask_value
    return values


def _padded(shape: tuple[int, ...]) -> np.ndarray:
    """Which steps (batch, time) are padding: one step more in each sample, but never all steps."""
    steps = shape[1] if len(shape) > 1 else 1
    padding = np.minimum(np.arange(shape[0]), steps - 1)
    return np.arange(steps) >= (steps - padding)[:, None]
