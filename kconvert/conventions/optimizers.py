"""What Keras stores of each optimizer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Structure:
    """What Keras 2.3 stores for one optimizer: scalars, then one array a parameter for each slot."""

    scalars: tuple[str, ...]
    slots: tuple[str, ...]
    keys: Mapping[str, str]
    """The keys of its configuration in Keras 2.3, by those of tf.keras."""


def _keys(*names: str, **others: str) -> Mapping[str, str]:
    """The keys that have the same name in Keras 2.3 and tf.keras, and others (keras-facts: compiled-by-tf-keras)."""
    both = ("learning_rate", "decay", "clipvalue", *names)
    return {**{name: name for name in both}, "lr": "learning_rate", "global_clipnorm": "clipnorm", **others}


STRUCTURES = {
    "SGD": Structure(("iterations",), ("moment",), _keys("momentum", "nesterov")),
    "RMSprop": Structure(("iterations",), ("accumulator",), _keys("rho", "epsilon")),
    "Adagrad": Structure(("iterations",), ("accumulator",), _keys("epsilon")),
    "Adadelta": Structure(("iterations",), ("accumulator", "delta_accumulator"), _keys("rho", "epsilon")),
    "Adam": Structure(("iterations",), ("m", "v", "vhat"), _keys("beta_1", "beta_2", "epsilon", "amsgrad")),
    "Adamax": Structure(("iterations",), ("m", "u"), _keys("beta_1", "beta_2", "epsilon")),
    "Nadam": Structure(
        ("iterations", "m_schedule"), ("m", "v"), _keys("beta_1", "beta_2", "epsilon", decay="schedule_decay")
    ),
}

WITHOUT_EFFECT = frozenset({"name", "jit_compile", "is_legacy_optimizer", "ema_momentum", "ema_overwrite_frequency"})
"""Keys of optimizers of tf.keras that change nothing: the moving average has a switch of its own."""

LOSSES = frozenset(
    {
        "MeanSquaredError",
        "MeanAbsoluteError",
        "MeanAbsolutePercentageError",
        "MeanSquaredLogarithmicError",
        "BinaryCrossentropy",
        "CategoricalCrossentropy",
        "SparseCategoricalCrossentropy",
        "Hinge",
        "SquaredHinge",
        "CategoricalHinge",
        "Poisson",
    }
)
"""The losses that Keras 2.3 and tf.keras have as classes of the same name and meaning."""
