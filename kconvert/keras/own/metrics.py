"""The functions of `keras.metrics`, of `y_true` and `y_pred`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ...backend.base import Tensor
from ...backend.computing import current_backend
from ...layers.recorded import recorded
from ...models.training import metrics
from ...models.training.metrics import means
from ...models.training.metrics.base import Metric
from .losses import FUNCTIONS as _LOSSES
from .losses import found, stated
from .objects import deserialize_keras_object

accuracy = recorded(means.accuracy)
binary_accuracy = recorded(means.binary_accuracy)
categorical_accuracy = recorded(means.categorical_accuracy)
sparse_categorical_accuracy = recorded(means.sparse_categorical_accuracy)
top_k_categorical_accuracy = recorded(means.top_k_categorical_accuracy)
sparse_top_k_categorical_accuracy = recorded(means.sparse_top_k_categorical_accuracy)


@recorded
def cosine_proximity(y_true: Tensor, y_pred: Tensor, axis: int = -1) -> Tensor:
    """The cosine of the angle between labels and predictions; the loss of this name has the opposite sign."""
    return means.cosine_similarity(current_backend(), y_true, y_pred, axis)


cosine = cosine_similarity = cosine_proximity


class MeanMetricWrapper(metrics.Mean):
    """The mean of `fn(y_true, y_pred, **options)`. fn: a function of tensors; its name is not stored."""

    def __init__(
        self, fn: Callable[..., Any], name: str | None = None, dtype: str | None = None, **options: Any
    ) -> None:
        _, words = super().native_arguments((), {"name": name, "dtype": dtype})
        super().__init__(**words)
        self._fn, self._fn_kwargs = fn, options

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:  # type: ignore[override]
        return super().update_state(self._fn(y_true, y_pred, **self._fn_kwargs), sample_weight)

    def get_config(self) -> dict[str, Any]:
        """The options of the function, the name and the type of numbers."""
        return {**self._fn_kwargs, **super().get_config()}


def clone_metric(metric: Any) -> Any:
    """A metric with the same configuration and no samples yet; a function stays as it is."""
    return type(metric).from_config(metric.get_config()) if isinstance(metric, Metric) else metric


def clone_metrics(metrics: Any) -> Any:
    """`clone_metric` of each metric in a list or a dict; None stays None."""
    if metrics is None:
        return None
    if isinstance(metrics, Mapping):
        return {name: clone_metric(one) for name, one in metrics.items()}
    return [clone_metric(one) for one in metrics]


_CLASSES = {
    name: value for name, value in vars(metrics).items() if isinstance(value, type) and issubclass(value, Metric)
}


def _objects() -> dict[str, Any]:
    """Functions and classes by the names that Keras has for them."""
    own = {name: value for name, value in globals().items() if hasattr(value, "__wrapped__")}
    return {**_CLASSES, **_LOSSES, **own}


def get(identifier: Any) -> Any:
    """The metric that `identifier` names or describes; a function and an object stay as they are.

    Raises KconvertError for unknown names and other values, None included.
    """
    return found(stated(identifier, "metric"), _objects(), "metric")


def deserialize(config: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """The metric with a name or a configuration. Raises KconvertError for an unknown name."""
    return deserialize_keras_object(config, _objects(), custom_objects, "metric")
