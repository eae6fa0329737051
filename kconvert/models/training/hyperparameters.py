"""The numbers of an optimizer that Keras holds in variables."""

from __future__ import annotations

from typing import Any

from ...layers.deferred import Variable


class Hyperparameter(float):
    """A number of an optimizer, which `K.set_value` sets, such as its learning rate."""

    owner: Any
    name: str

    @classmethod
    def of(cls, owner: Any, name: str, value: float) -> Hyperparameter:
        """The value of the attribute `name` of an optimizer."""
        number = cls(value)
        number.owner, number.name = owner, name
        return number

    def set(self, value: float) -> None:
        """Sets the attribute of the optimizer, from the next step on."""
        setattr(self.owner, self.name, value)


def number_of(value: Any) -> float:
    """The present value of a hyperparameter: a number, or a variable of an optimizer of the user."""
    return float(value.value if isinstance(value, Variable) else value)
