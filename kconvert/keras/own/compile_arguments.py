"""The arguments of `compile` for each output: what scripts import from `keras.engine.training_utils`.

Source: the module of this name in Keras 2.3.1.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from ...errors import AlsoTypeError, KconvertError, Problem, warn
from ...models.training import losses
from ...models.training.losses import Loss
from ...models.training.metrics import BY_LOSS, SHORT, resolve
from . import backend, metrics
from .generic import check_for_unexpected_keys, to_list


def get_loss_function(loss: Any) -> Any:
    """The loss as an object, from a name, a configuration or a function; None and objects stay as they are."""
    if loss is None or isinstance(loss, Loss) or (callable(loss) and not hasattr(loss, "__name__")):
        return loss
    return losses.get(loss)


def prepare_loss_functions(loss: Any, output_names: Sequence[str]) -> list[Any]:
    """The loss of each output, None where there is none.

    loss: one loss for all outputs, a list in their order, or a dict by their names. Raises KconvertError for unknown
    names and lists of another length.
    """
    if isinstance(loss, Mapping):
        check_for_unexpected_keys("loss", loss, output_names)
        for name in set(output_names) - set(loss):
            warn(f"output {name} has no loss, and takes no labels")
        return [get_loss_function(loss.get(name)) for name in output_names]
    return [get_loss_function(one) for one in _each("loss", loss, output_names)]


def prepare_loss_weights(output_names: Sequence[str], loss_weights: Any = None) -> list[Any]:
    """The weight of the loss of each output; an output without a weight has 1.

    loss_weights: a list in the order of the outputs, or a dict by their names. Raises KconvertError for unknown names,
    lists of another length, and anything else.
    """
    if isinstance(loss_weights, Mapping):
        check_for_unexpected_keys("loss_weights", loss_weights, output_names)
        return [loss_weights.get(name, 1.0) for name in output_names]
    if loss_weights is not None and not isinstance(loss_weights, list):
        what = f"{type(loss_weights).__name__} is neither a list nor a dict"
        raise AlsoTypeError(what, "loss_weights", problem=Problem.USAGE)
    return [1.0] * len(output_names) if loss_weights is None else _each("loss_weights", loss_weights, output_names)


def get_output_sample_weight_and_mode(
    skip_target_weighing_indices: Collection[int], sample_weight_mode: str | None, output_name: str, output_index: int
) -> tuple[Any, str | None]:
    """The symbol of the sample weights of an output, and its mode; both None where the output has no weights."""
    if output_index in skip_target_weighing_indices:
        return None, None
    mode = "temporal" if sample_weight_mode == "temporal" else None
    shape = [None, None] if mode else [None]
    return backend.placeholder(shape, name=f"{output_name}_sample_weights"), mode


def prepare_sample_weights(
    output_names: Sequence[str], sample_weight_mode: Any, skip_target_weighing_indices: Collection[int]
) -> tuple[list[Any], list[Any]]:
    """The symbols of the sample weights of each output, and their modes; None for the outputs that are left out.

    sample_weight_mode: one mode, a list in the order of the outputs, or a dict by their names. Raises KconvertError for
    unknown and missing names, and for lists of another length.
    """
    if isinstance(sample_weight_mode, Mapping):
        check_for_unexpected_keys("sample_weight_mode", sample_weight_mode, output_names)
        missing = [
            name
            for i, name in enumerate(output_names)
            if i not in skip_target_weighing_indices and name not in sample_weight_mode
        ]
        if missing:
            raise KconvertError(f"output {missing[0]!r} is missing", "sample_weight_mode", problem=Problem.USAGE)
        modes = [sample_weight_mode.get(name) for name in output_names]
    else:
        modes = _each("sample_weight_mode", sample_weight_mode, output_names)
    pairs = [
        get_output_sample_weight_and_mode(skip_target_weighing_indices, mode, name, i)
        for i, (name, mode) in enumerate(zip(output_names, modes, strict=True))
    ]
    return [symbol for symbol, _ in pairs], [mode for _, mode in pairs]


def _each(what: str, value: Any, names: Sequence[str]) -> list[Any]:
    """The value of each output: a list in their order, or one value for all."""
    if not isinstance(value, (list, tuple)):
        return [value] * len(names)
    if len(value) != len(names):
        raise KconvertError(f"{len(value)} values were given for {len(names)} outputs", what, problem=Problem.USAGE)
    return list(value)


# ------------------------------------------------------------------ metrics ----


def get_metric_name(metric: Any, weighted: bool = False) -> str:
    """The name of a metric in the logs: the name that the user gave, or its own. weighted: has no effect."""
    if isinstance(metric, str):
        return metric
    found = metrics.get(metric)
    return str(getattr(found, "name", None) or found.__name__)


def get_metric_function(metric: Any, output_shape: Any = None, loss_fn: Any = None) -> Any:
    """The function or the object that a metric means for an output.

    output_shape, loss_fn: of the output; they decide on 'accuracy' and 'crossentropy' (keras-facts: accuracy-by-loss).
    """
    if not isinstance(metric, str) or SHORT.get(metric, metric) not in BY_LOSS:
        return metrics.get(metric)
    cls: Any = type(resolve(metric, loss_fn, output_shape))
    return metrics.get(cls.function.__name__)


def collect_per_output_metric_info(
    metrics: Any,
    output_names: Sequence[str],
    output_shapes: Sequence[Any],
    loss_fns: Sequence[Any],
    is_weighted: bool = False,
) -> list[dict[str, Any]]:
    """For each output, its metrics as objects, by name.

    metrics: a list for all outputs, a list of the lists of the outputs, or a dict by their names. is_weighted: has no
    effect. Raises KconvertError for unknown names, lists of another length, and anything else.
    """
    per_output = zip(_by_output(metrics, output_names), loss_fns, output_shapes, strict=True)
    return [{get_metric_name(one): resolve(one, loss, shape) for one in own} for own, loss, shape in per_output]


def _by_output(metrics: Any, output_names: Sequence[str]) -> list[list[Any]]:
    if isinstance(metrics, Mapping):
        check_for_unexpected_keys("metrics", metrics, output_names)
        metrics = dict(metrics)
    if isinstance(metrics, list) and any(isinstance(one, list) for one in metrics):
        return [to_list(one) for one in _each("metrics", metrics, output_names)]
    return collect_metrics(metrics, output_names)


def collect_metrics(metrics: Any, output_names: Sequence[str]) -> list[list[Any]]:
    """The metrics of each output, as lists (`keras.engine.training` of Keras 1.2.2).

    metrics: a list for all outputs, or a dict by their names. Raises KconvertError for anything else.
    """
    if not metrics or isinstance(metrics, list):
        return [list(metrics or []) for _ in output_names]
    if not isinstance(metrics, dict):
        what = f"{type(metrics).__name__} is neither a list nor a dict"
        raise AlsoTypeError(what, "metrics", problem=Problem.USAGE)
    return [to_list(metrics.get(name, [])) for name in output_names]
