"""What Keras stores of each optimizer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Structure:
    """What Keras 2.3 stores for one optimizer: scalars, then one array a parameter for each slot."""

    scalars: tuple[str, ...]
    slots: tuple[str, ...]
    keys: Mapping[str, str]
    """The keys of its configuration in Keras 2.3, by those of tf.keras."""
    words: tuple[tuple[str, ...], ...]
    """What TensorFlow 2.11 and later call the slots, in groups that they store parameter by parameter."""
    stored: tuple[str, ...] = ()
    """Keys of tf.keras that change nothing once the slots are stored."""
    later: Mapping[str, Any] = field(default_factory=dict)
    """What TensorFlow 2.11 and later compute without stating it, in the keys of Keras 2.3."""
    later_note: str = ""
    """What they compute otherwise, although its effect is small."""


def _keys(*names: str, **others: str) -> Mapping[str, str]:
    """The keys that have the same name in Keras 2.3 and tf.keras, and others (keras-facts: compiled-by-tf-keras)."""
    both = ("learning_rate", "decay", "clipvalue", *names)
    return {**{name: name for name in both}, "lr": "learning_rate", "global_clipnorm": "clipnorm", **others}


CUSTOM = "Custom>"
"""How the names of the classes of TensorFlow 2.11 and later begin."""


def plain_name(class_name: str | None) -> str:
    """The class of an optimizer without the word that TensorFlow 2.11 and later put before it."""
    return (class_name or "").removeprefix(CUSTOM)


STRUCTURES = {
    "SGD": Structure(("iterations",), ("moment",), _keys("momentum", "nesterov"), (("m",),)),
    "RMSprop": Structure(
        ("iterations",),
        ("accumulator",),
        _keys("rho", "epsilon"),
        (("velocity",),),
        later_note="RMSprop of TensorFlow 2.11 and later adds epsilon below the square root, Keras 2.3 beside it: the"
        " steps differ for gradients of less than about 1e-3",
    ),
    "Adagrad": Structure(
        ("iterations",),
        ("accumulator",),
        _keys("epsilon"),
        (("accumulator",),),
        stored=("initial_accumulator_value",),
    ),
    "Adadelta": Structure(
        ("iterations",),
        ("accumulator", "delta_accumulator"),
        _keys("rho", "epsilon"),
        (("accumulated_grad", "accumulated_delta_var"),),
    ),
    "Adam": Structure(
        ("iterations",),
        ("m", "v", "vhat"),
        _keys("beta_1", "beta_2", "epsilon", "amsgrad"),
        (("m", "v"), ("vhat",)),
    ),
    "Adamax": Structure(("iterations",), ("m", "u"), _keys("beta_1", "beta_2", "epsilon"), (("m", "u"),)),
    "Nadam": Structure(
        ("iterations", "m_schedule"),
        ("m", "v"),
        _keys("beta_1", "beta_2", "epsilon", decay="schedule_decay"),
        (("m", "v"),),
        later={"schedule_decay": 1.0},
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
