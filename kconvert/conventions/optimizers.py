"""The state that Keras stores for each optimizer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field, replace
from typing import Any

import numpy as np

from ..lazy_dataclasses import dataclass


@dataclass(frozen=True)
class Structure:
    """The state that Keras 2.3 stores for one optimizer: scalars, then for each slot one array per parameter."""

    scalars: tuple[str, ...]
    slots: tuple[str, ...]
    keys: Mapping[str, str]
    """The keys of its configuration in Keras 2.3, by those of tf.keras."""
    groups: tuple[tuple[str, ...], ...]
    """The slots in groups that TensorFlow 2.11 and later and Keras 3 store parameter by parameter."""
    needs: Mapping[str, str] = field(default_factory=dict)
    """The option without which Keras 3 does not store a slot, by the slot."""
    shrunk: tuple[str, ...] = ()
    """The slots of which Keras 2.3 stores one element a parameter where they are not used (keras-facts: empty-vhat)."""
    stored: tuple[str, ...] = ()
    """Keys of tf.keras and Keras 3 that change nothing once the slots are stored."""
    later: Mapping[str, Any] = field(default_factory=dict)
    """What TensorFlow 2.11 and later and Keras 3 compute without stating it, in the keys of Keras 2.3."""
    epsilon_below_root: bool = False
    """Whether they add epsilon inside the square root, where Keras 2.3 adds it outside."""

    scalars_of_keras1: tuple[str, ...] = ()
    """The scalars that Keras 1.2 stores (keras-facts: optimizers-of-keras1)."""

    @property
    def of_keras1(self) -> Structure:
        """What Keras 1.2 stores: fewer scalars, and no slots that are not used."""
        slots = tuple(slot for slot in self.slots if slot not in self.shrunk)
        return replace(self, scalars=self.scalars_of_keras1, slots=slots, shrunk=())

    def slots_for(self, config: Mapping[str, Any]) -> tuple[str, ...]:
        """The slots that Keras 3 stores for a configuration of the optimizer."""
        return tuple(slot for slot in self.slots if slot not in self.needs or config.get(self.needs[slot]))


def _keys(*names: str, **others: str) -> Mapping[str, str]:
    """The keys that have the same name in Keras 2.3 and tf.keras, and others (keras-facts: compiled-by-tf-keras)."""
    both = ("learning_rate", "decay", "clipvalue", *names)
    return {**{name: name for name in both}, "lr": "learning_rate", "global_clipnorm": "clipnorm", **others}


RATE, OLD_RATE = "learning_rate", "lr"
"""The key of the learning rate, and that of Keras before 2.3."""

CUSTOM = "Custom>"
"""How the names of the classes of TensorFlow 2.11 and later begin."""


def plain_name(class_name: str | None) -> str:
    """The class of an optimizer without the word that TensorFlow 2.11 and later put before it."""
    return (class_name or "").removeprefix(CUSTOM)


STRUCTURES = {
    "SGD": Structure(
        ("iterations",),
        ("moment",),
        _keys("momentum", "nesterov"),
        (("moment",),),
        needs={"moment": "momentum"},
        scalars_of_keras1=("iterations",),
    ),
    "RMSprop": Structure(
        ("iterations",),
        ("accumulator",),
        _keys("rho", "epsilon"),
        (("accumulator",),),
        epsilon_below_root=True,
    ),
    "Adagrad": Structure(
        ("iterations",),
        ("accumulator",),
        _keys("epsilon"),
        (("accumulator",),),
        stored=("initial_accumulator_value",),
        epsilon_below_root=True,
    ),
    "Adadelta": Structure(
        ("iterations",),
        ("accumulator", "delta_accumulator"),
        _keys("rho", "epsilon"),
        (("accumulator", "delta_accumulator"),),
    ),
    "Adam": Structure(
        ("iterations",),
        ("m", "v", "vhat"),
        _keys("beta_1", "beta_2", "epsilon", "amsgrad"),
        (("m", "v"), ("vhat",)),
        needs={"vhat": "amsgrad"},
        shrunk=("vhat",),
        scalars_of_keras1=("iterations",),
    ),
    "Adamax": Structure(
        ("iterations",),
        ("m", "u"),
        _keys("beta_1", "beta_2", "epsilon"),
        (("m", "u"),),
        scalars_of_keras1=("iterations",),
    ),
    "Nadam": Structure(
        ("iterations", "m_schedule"),
        ("m", "v"),
        _keys("beta_1", "beta_2", "epsilon", decay="schedule_decay"),
        (("m", "v"),),
        later={"schedule_decay": 1.0},
        scalars_of_keras1=("iterations",),
    ),
}

STARTS = {"iterations": np.array(0, "int64"), "m_schedule": np.array(1.0, "float32")}
"""The values with which the scalars start that an older release does not store; it starts with them after loading too
(keras-facts: optimizers-of-keras1).
"""

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

_ERRORS = (
    *("mse", "mae", "mape", "msle", "mean_squared_error", "mean_absolute_error", "mean_absolute_percentage_error"),
    *("mean_squared_logarithmic_error", "binary_crossentropy", "categorical_crossentropy"),
    "sparse_categorical_crossentropy",
)
_ACCURACIES = (
    *("acc", "accuracy", "binary_accuracy", "categorical_accuracy", "sparse_categorical_accuracy"),
    *("top_k_categorical_accuracy", "sparse_top_k_categorical_accuracy"),
)

LOSSES_OF_KERAS3 = {
    **{name: name for name in (*_ERRORS, "hinge", "squared_hinge", "categorical_hinge", "poisson", "kld")},
    "logcosh": "log_cosh",
    "huber_loss": "huber",
    "kullback_leibler_divergence": "kl_divergence",
}
"""The functions of losses in Keras 3, by those of Keras 0.2 - 2.3 that compute the same."""

METRICS_OF_KERAS3 = {name: name for name in (*_ERRORS, *_ACCURACIES)}
"""The same for metrics."""
