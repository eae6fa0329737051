"""The functions of `keras.losses`, of `y_true` and `y_pred`, under all names that Keras has for them."""

from __future__ import annotations

from ...models.training import losses
from .recorded import of_backend

_NAMES = {
    "mean_squared_error": "mse MSE",
    "mean_absolute_error": "mae MAE",
    "mean_absolute_percentage_error": "mape MAPE",
    "mean_squared_logarithmic_error": "msle MSLE",
    "kullback_leibler_divergence": "kld KLD",
    "binary_crossentropy": "",
    "categorical_crossentropy": "",
    "sparse_categorical_crossentropy": "",
    "hinge": "",
    "squared_hinge": "",
    "categorical_hinge": "",
    "logcosh": "",
    "huber_loss": "",
    "poisson": "",
    "cosine_proximity": "cosine cosine_similarity",
}
"""The functions, with their other names."""

for _name, _others in _NAMES.items():
    _function = of_backend(getattr(losses, _name))
    globals().update(dict.fromkeys([_name, *_others.split()], _function))
