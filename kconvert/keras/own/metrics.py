"""The functions of `keras.metrics` that are no losses, of `y_true` and `y_pred`."""

from __future__ import annotations

from ...models.training.metrics import means
from .recorded import of_backend

accuracy = of_backend(means.accuracy)
binary_accuracy = of_backend(means.binary_accuracy)
categorical_accuracy = of_backend(means.categorical_accuracy)
sparse_categorical_accuracy = of_backend(means.sparse_categorical_accuracy)
top_k_categorical_accuracy = of_backend(means.top_k_categorical_accuracy)
sparse_top_k_categorical_accuracy = of_backend(means.sparse_top_k_categorical_accuracy)
