"""Data of the user as training takes it: what scripts import from `keras.engine.training_utils`.

Source: the module of this name in Keras 2.3.1; Keras 1.2.2 has most of it in `engine/training.py`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ...errors import AlsoTypeError, KconvertError, Problem
from ...models.training.losses import BinaryCrossentropy, CategoricalCrossentropy, MeanSquaredError
from . import backend
from .settings import floatx

# ------------------------------------------------------------------- arrays ----


def standardize_single_array(x: Any) -> Any:
    """An array with a second axis, of size 1 where it has one axis alone; None and tensors stay as they are.

    Raises KconvertError for a tensor whose number of samples is not known.
    """
    if backend.is_tensor(x):
        shape = backend.int_shape(x)
        if not shape or shape[0] is None:
            what = f"a tensor as data needs a known number of samples, and its shape is {shape}"
            raise KconvertError(what, fix="give batch_shape=", problem=Problem.USAGE)
        return x
    return np.expand_dims(x, 1) if getattr(x, "ndim", None) == 1 else x


def standardize_input_data(
    data: Any,
    names: Sequence[str],
    shapes: Sequence[Any] | None = None,
    check_batch_axis: bool = True,
    exception_prefix: str = "",
) -> list[Any]:
    """The arrays of a model, in the order of `names`.

    data: an array, a list of arrays, a dict of arrays by name, or None. shapes: for each array its shape, where None
    is any size; None: any shape. check_batch_axis: whether the first axis counts. exception_prefix: the word for the
    data in messages. Raises KconvertError for missing and superfluous arrays, and for other shapes.

    >>> standardize_input_data({"a": np.zeros(3)}, ["a"], [(None, 1)])[0].shape
    (3, 1)
    """
    where = exception_prefix or "data"
    if not names:
        if data is not None and hasattr(data, "__len__") and len(data):
            raise KconvertError(f"{len(data)} arrays were given where none is expected", where, None, Problem.USAGE)
        return []
    if data is None:
        return [None] * len(names)
    arrays = [standardize_single_array(one) for one in _in_order(data, names, where)]
    if len(arrays) != len(names):
        if len(names) > 1 or (arrays and hasattr(arrays[0], "shape")):
            what = f"{len(arrays)} arrays were given, and {len(names)} are expected"
            raise KconvertError(what, where, f"the names are {', '.join(names)}", Problem.USAGE)
        arrays = [np.asarray(arrays)]
    for name, array, shape in zip(names, arrays, shapes or (), strict=False):
        if shape is not None and not backend.is_tensor(array):
            _check_shape(f"{where} {name}", np.shape(array), tuple(shape), check_batch_axis)
    return arrays


def _in_order(data: Any, names: Sequence[str], where: str) -> list[Any]:
    """The arrays in `data`, in the order of `names` where it is a dict."""
    if isinstance(data, Mapping):
        missing = [name for name in names if name not in data]
        if missing:
            raise KconvertError(f"{missing[0]!r} is missing", where, f"give {', '.join(names)}", Problem.USAGE)
        return [_array(data[name]) for name in names]
    if not isinstance(data, list):
        return [_array(data)]
    if data and isinstance(data[0], list):
        return [np.asarray(one) for one in data]
    if data and len(names) == 1 and isinstance(data[0], (float, int)):
        return [np.asarray(data)]
    return [_array(one) for one in data]


def _array(data: Any) -> Any:
    """The array of a DataFrame of pandas; anything else as it is."""
    return data.values if type(data).__name__ == "DataFrame" else data


def _check_shape(where: str, found: Sequence[int], wanted: Sequence[int | None], with_batch: bool) -> None:
    first = 0 if with_batch else 1
    sizes = zip(found[first:], wanted[first:], strict=False)
    if len(found) != len(wanted) or any(size not in (own, None, 0) for own, size in sizes):
        what = f"the shape {tuple(found)} was given, and {tuple(wanted)} is expected"
        raise KconvertError(what, where, None, Problem.USAGE)


def check_array_length_consistency(inputs: Any, targets: Any, weights: Any = None) -> None:
    """Raises KconvertError where lists of arrays have different numbers of samples.

    A missing list, and None in a list, count as 0 samples.
    """
    groups = {"inputs": inputs, "targets": targets, "sample weights": weights}
    counts = {name: _lengths(arrays) for name, arrays in groups.items()}
    mixed = next((name for name, found in counts.items() if len(found) > 1), None)
    if mixed:
        what = f"the arrays have different numbers of samples: {sorted(counts[mixed])}"
        raise KconvertError(what, mixed, problem=Problem.USAGE)
    for one, other in (("inputs", "targets"), ("sample weights", "targets")):
        if counts[one] and counts[other] and counts[one] != counts[other]:
            what = f"{max(counts[one])} samples of {one}, and {max(counts[other])} of {other}"
            raise KconvertError(what, problem=Problem.USAGE)


def _lengths(arrays: Any) -> set[int]:
    return {0} if arrays is None else {0 if one is None else int(one.shape[0]) for one in arrays}


def check_num_samples(
    ins: Any, batch_size: int | None = None, steps: int | None = None, steps_name: str = "steps"
) -> int | None:
    """The number of samples of the arrays `ins`; None where tensors give as many as `steps` take.

    steps_name: the name of the argument, for messages. Raises KconvertError for a batch size with steps, and for
    tensors without steps.
    """
    if steps is not None and batch_size is not None:
        raise KconvertError(f"{steps_name} excludes batch_size", problem=Problem.USAGE)
    if not ins or any(map(backend.is_tensor, ins)):
        if steps is None:
            raise KconvertError("tensors as data have no number of samples", fix=f"give {steps_name}=")
        return None
    return int(ins[0].shape[0]) if hasattr(ins[0], "shape") else None


_OF_OUTPUT_SHAPE = MeanSquaredError, BinaryCrossentropy, CategoricalCrossentropy
"""Losses whose labels have the shape of the output."""


def check_loss_and_target_compatibility(targets: Any, loss_fns: Any, output_shapes: Any) -> None:
    """Raises KconvertError where labels have another shape than their loss needs.

    targets: arrays. loss_fns: the losses of `get_loss_function`, or functions. output_shapes: those of the outputs.
    """
    for labels, loss, shape in zip(targets, loss_fns, output_shapes, strict=False):
        if labels is None or loss is None:
            continue
        name = getattr(loss, "name", None) or getattr(loss, "__name__", loss)
        check_labels(labels, shape, name, is_categorical_crossentropy(loss), isinstance(loss, _OF_OUTPUT_SHAPE))


def check_labels(labels: Any, shape: Sequence[Any], loss: Any, one_hot: bool, of_output_shape: bool) -> None:
    """Raises KconvertError where the labels of one output have another shape than the loss needs.

    shape: of the output. loss: its name, for messages. one_hot: whether labels are one-hot. of_output_shape: whether
    they have the shape of the output.
    """
    where = f"labels for {loss}"
    if one_hot and labels.shape[-1] == 1:
        fix = "integer classes need sparse_categorical_crossentropy"
        raise KconvertError(f"one class alone, in the shape {labels.shape}", where, fix, Problem.USAGE)
    sizes = zip(labels.shape[1:], shape[1:], strict=False)
    if of_output_shape and any(size not in (own, None) for own, size in sizes):
        what = f"the shape {labels.shape} was given for an output of the shape {tuple(shape)}"
        raise KconvertError(what, where, problem=Problem.USAGE)


def is_categorical_crossentropy(loss: Any) -> bool:
    """Whether `loss`, an object, a function or a name, is the categorical crossentropy."""
    name = "categorical_crossentropy"
    return isinstance(loss, CategoricalCrossentropy) or name in (loss, getattr(loss, "__name__", None))


# ------------------------------------------------------------------ weights ----


def standardize_sample_or_class_weights(x_weight: Any, output_names: Sequence[str], weight_type: str) -> list[Any]:
    """The weights of each output, None where there are none.

    x_weight: a list in the order of `output_names`, a dict by them, or the weights of the only output. weight_type:
    the word for them in messages. Raises KconvertError for a list of another length, and for anything else.
    """
    if x_weight is None or len(x_weight) == 0:
        return [None] * len(output_names)
    if len(output_names) == 1:
        if isinstance(x_weight, list) and len(x_weight) == 1:
            return x_weight
        own = isinstance(x_weight, Mapping) and output_names[0] in x_weight
        return [x_weight[output_names[0]] if own else x_weight]
    if isinstance(x_weight, list):
        if len(x_weight) != len(output_names):
            what = f"{len(x_weight)} items were given for {len(output_names)} outputs"
            raise KconvertError(what, weight_type, problem=Problem.USAGE)
        return x_weight
    if not isinstance(x_weight, Mapping):
        what = f"{type(x_weight).__name__} is neither a list nor a dict, which several outputs need"
        raise AlsoTypeError(what, weight_type, problem=Problem.USAGE)
    return [x_weight.get(name) for name in output_names]


def standardize_class_weights(class_weight: Any, output_names: Sequence[str]) -> list[Any]:
    """The class weights of each output: see `standardize_sample_or_class_weights`."""
    return standardize_sample_or_class_weights(class_weight, output_names, "class_weight")


def standardize_sample_weights(sample_weight: Any, output_names: Sequence[str]) -> list[Any]:
    """The sample weights of each output: see `standardize_sample_or_class_weights`."""
    return standardize_sample_or_class_weights(sample_weight, output_names, "sample_weight")


def standardize_weights(
    y: np.ndarray, sample_weight: Any = None, class_weight: Any = None, sample_weight_mode: str | None = None
) -> Any:
    """The weights of the samples (samples,), or of the steps (samples, time): those given times those of the classes.

    y: labels. class_weight: a dict by class. sample_weight_mode: None or 'temporal', for weights of steps. Raises
    KconvertError for weights of another shape, and for classes without a weight.
    """
    _check_weights(y, sample_weight, sample_weight_mode)
    by_class = _of_classes(y, class_weight) if isinstance(class_weight, dict) else None
    given = [one for one in (sample_weight, by_class) if one is not None]
    if given:
        return given[0] if len(given) == 1 else given[0] * given[1]
    return np.ones(y.shape[: 1 if sample_weight_mode is None else 2], floatx())


def _check_weights(y: np.ndarray, sample_weight: Any, mode: str | None) -> None:
    axes = 1 if mode is None else 2
    if mode not in (None, "temporal"):
        what = f"sample_weight_mode is None or 'temporal', not {mode!r}"
    elif axes == 2 and y.ndim < 3:
        what = f"weights of steps need labels with a time axis, not the shape {y.shape}"
    elif sample_weight is not None and sample_weight.ndim != axes:
        what = f"weights of shape {sample_weight.shape} do not fit sample_weight_mode={mode!r}"
    elif sample_weight is not None and y.shape[:axes] != sample_weight.shape:
        what = f"weights of shape {sample_weight.shape} do not fit labels of shape {y.shape}"
    else:
        return
    raise KconvertError(what, "sample_weight", problem=Problem.USAGE)


def _of_classes(y: np.ndarray, class_weight: Mapping[Any, float]) -> np.ndarray:
    """The weights of the classes of the samples. Raises KconvertError for a class without one."""
    if y.ndim > 2:
        raise KconvertError("labels with a time axis have no weights of classes", "class_weight", None, Problem.USAGE)
    classes = (y.argmax(1) if y.ndim == 2 and y.shape[1] > 1 else y.reshape(-1)).tolist()
    missing = set(classes) - set(class_weight)
    if missing:
        raise KconvertError(f"the classes {sorted(missing)} have no weight", "class_weight", None, Problem.USAGE)
    return np.asarray([class_weight[one] for one in classes])
