"""The functions of `keras.metrics` that are no losses, of `y_true` and `y_pred`."""

from __future__ import annotations

from ...models.training.metrics import means
from .recorded import recorded

accuracy = recorded(means.accuracy)
binary_accuracy = recorded(means.binary_accuracy)
categorical_accuracy = recorded(means.categorical_accuracy)
sparse_categorical_accuracy = recorded(means.sparse_categorical_accuracy)
top_k_categorical_accuracy = recorded(means.top_k_categorical_accuracy)
sparse_top_k_categorical_accuracy = recorded(means.sparse_top_k_categorical_accuracy)
