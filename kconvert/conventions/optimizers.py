"""What Keras stores of each optimizer."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Structure:
    """What Keras 2.3 stores for one optimizer: scalars, then one array a parameter for each slot."""

    scalars: tuple[str, ...]
    slots: tuple[str, ...]


STRUCTURES = {
    "SGD": Structure(("iterations",), ("moment",)),
    "RMSprop": Structure(("iterations",), ("accumulator",)),
    "Adagrad": Structure(("iterations",), ("accumulator",)),
    "Adadelta": Structure(("iterations",), ("accumulator", "delta_accumulator")),
    "Adam": Structure(("iterations",), ("m", "v", "vhat")),
    "Adamax": Structure(("iterations",), ("m", "u")),
    "Nadam": Structure(("iterations", "m_schedule"), ("m", "v")),
}
