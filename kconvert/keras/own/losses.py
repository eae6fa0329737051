"""The functions of `keras.losses`, of `y_true` and `y_pred`, under all names that Keras has for them."""

from __future__ import annotations

from ...models.training import losses
from .recorded import recorded

_FUNCTIONS = [cls.function for cls in losses.CLASSES]

globals().update({name: recorded(value) for name, value in vars(losses).items() if value in _FUNCTIONS})
