"""The functions of `keras.metrics`, of `y_true` and `y_pred`."""

from __future__ import annotations

from collections.abc import Mapping
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
