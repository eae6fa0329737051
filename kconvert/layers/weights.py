"""The weights of a layer, as users read and set them: `get_weights`, `weights`, `count_params`, ... of Keras.

A layer holds no arrays. What holds them is made by the models, which register here how they do it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar, Protocol

import numpy as np

from ..errors import KconvertError, Problem


class Held(Protocol):
    """The weights of one layer on its backend, in the order of Keras."""

    @property
    def variables(self) -> Sequence[Any]: ...

    @property
    def named(self) -> Sequence[tuple[str, Any]]: ...

    @property
    def trained(self) -> Sequence[bool]: ...

    def get(self) -> list[np.ndarray]: ...

    def set(self, arrays: Sequence[np.ndarray]) -> None: ...


_holders: list[Callable[[Any], Held]] = []
"""What finds or makes the weights of a layer; the last one counts."""


def held_by(holder: Callable[[Any], Held]) -> None:
    """Registers what finds or makes the weights of a layer."""
    _holders.append(holder)


_ATTRIBUTES = frozenset(
    {"kernel", "recurrent_kernel", "depthwise_kernel", "pointwise_kernel", "bias", "embeddings", "gamma", "beta"}
    | {"moving_mean", "moving_variance"}
)
"""The names of weights that layers of Keras have as attributes."""


class WithWeights:
    """The part of a layer that users read and set its weights with. A layer that was not called has none."""

    name: str
    trainable: bool
    # The generation of Keras in whose order and form users see the arrays.
    generation: str = "keras2"

    def __getattr__(self, name: str) -> Any:
        """The variable of a weight by its name, as `layer.kernel`; what a layer of Keras is where it does not say."""
        if name == "stateful":
            return False
        if name == "built":  # a layer of the user sets it in `build`
            return bool(self.__dict__.get("_inbound"))
        if name in _ATTRIBUTES and self.__dict__.get("_inbound"):
            for own, variable in self._held().named:  # type: ignore[union-attr]
                if own == name:
                    return variable
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def _held(self) -> Held | None:
        """The weights; None for an InputLayer, and for a layer that was not called on an input yet."""
        inbound = getattr(self, "inbound", None)
        if not inbound or not inbound[0].inputs:
            return None
        if not _holders:
            what = "no model was imported, which would hold the weights"
            raise KconvertError(what, f"layer {self.name}", "put the layer into a model", Problem.USAGE)
        return _holders[-1](self)

    def get_weights(self) -> list[np.ndarray]:
        """The arrays in the order of Keras, in the convention of the backend; initial ones before a model runs."""
        held = self._held()
        return held.get() if held else []

    def set_weights(self, weights: Sequence[np.ndarray]) -> None:
        """Sets the arrays, in the order of `get_weights`; none before the layer was called.

        Raises KconvertError where number or shapes differ.
        """
        held = self._held()
        if held is None and not weights:
            return
        if held is None:
            fix = "call it on an input, or put it into a model with an input shape"
            raise KconvertError("the layer has no weights yet", f"layer {self.name}", fix, Problem.USAGE)
        held.set(weights)

    def count_params(self) -> int:
        """The number of elements of all weights."""
        return sum(int(np.prod(array.shape)) for array in self.get_weights())

    @property
    def weights(self) -> list[Any]:
        """The variables of the backend, in the order of `get_weights`."""
        held = self._held()
        return list(held.variables) if held else []

    @property
    def trainable_weights(self) -> list[Any]:
        """The variables that training changes; while `build` runs, those that it listed."""
        return self._listed("trainable_weights", True)

    @trainable_weights.setter
    def trainable_weights(self, listed: Sequence[Any]) -> None:
        self.__dict__["trainable_weights"] = list(listed)

    @property
    def non_trainable_weights(self) -> list[Any]:
        """The variables that training does not change; while `build` runs, those that it listed."""
        return self._listed("non_trainable_weights", False)

    @non_trainable_weights.setter
    def non_trainable_weights(self, listed: Sequence[Any]) -> None:
        self.__dict__["non_trainable_weights"] = list(listed)

    def _listed(self, name: str, trained: bool) -> list[Any]:
        if "_builder" in self.__dict__:
            listed: list[Any] = self.__dict__.setdefault(name, [])
            return listed
        held = self._held()
        return [one for one, does in zip(held.variables, held.trained, strict=True) if does is trained] if held else []

    # The names of the weights that training updates in another way than by gradients.
    updated: ClassVar[tuple[str, ...]] = ()

    @property
    def updates(self) -> list[Any]:
        """The variables that training updates in another way than by gradients, as moving averages."""
        held = self._held() if self.updated and self.trainable else None
        return [] if held is None else [one for name, one in held.named if name in self.updated]

    def get_updates_for(self, inputs: Any) -> list[Any]:
        """`updates`, where `inputs` is not None: all of them depend on the inputs."""
        return [] if inputs is None else self.updates

    def get_losses_for(self, inputs: Any) -> list[Any]:
        """The losses that depend on inputs; for None the others, which depend on weights alone."""
        of_outputs = vars(self).get("activity_regularizer")
        return [one for one in self.losses if (one is of_outputs) is (inputs is not None)]

    @property
    def losses(self) -> list[Any]:
        """The regularizers of the weights and of the outputs, which add to the loss."""
        names = [key for key in vars(self) if key.endswith("_regularizer")]
        return [vars(self)[key] for key in names if vars(self)[key] is not None]
