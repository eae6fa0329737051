"""The weights of a layer, as users read and set them: `get_weights`, `weights`, `count_params`, ... of Keras.

A layer holds no arrays. What holds them is made by the models, which register here how they do it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, Protocol

import numpy as np

from ..errors import AlsoRuntimeError, KconvertError, Problem
from .component_names import component
from .lists import items_of


class Held(Protocol):
    """The weights of one layer on its backend, in the order of Keras."""

    @property
    def backend(self) -> Any: ...

    @property
    def variables(self) -> Sequence[Any]: ...

    @property
    def named(self) -> Sequence[tuple[str, Any]]: ...

    @property
    def trained(self) -> Sequence[bool]: ...

    @property
    def penalties(self) -> Sequence[Any]: ...

    def get(self) -> list[np.ndarray]: ...

    def canonical(self) -> Mapping[str, np.ndarray]: ...

    def tensors(self, K: Any) -> Mapping[str, Any]: ...

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


AROUND = "_around"
"""The attribute with the layer of the user that has the layer as an attribute, from its first call on."""


class WithWeights:
    """The part of a layer that users read and set its weights with. A layer that was not called has none."""

    name: str
    trainable: bool
    # The generation of Keras in whose order and form users see the arrays.
    generation: str = "keras2"

    def __getattr__(self, name: str) -> Any:
        """The variable of a weight by its name, as `layer.kernel`; what a layer of Keras is where it does not say."""
        if isinstance(getattr(type(self), name, None), property):
            return object.__getattribute__(self, name)  # raises the error that the property raised
        if name == "stateful":
            return False
        if name == "built":  # a layer of the user sets it in `build`
            return self.shapes_of_weights is not None
        if name in _ATTRIBUTES and self.shapes_of_weights is not None:
            for own, variable in self._held().named:  # type: ignore[union-attr]
                if own == name:
                    return variable
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def note_build(self, input_shape: Any) -> None:
        """Makes weights for inputs of `input_shape` known, with the batch axis, or a list of shapes."""
        shapes = input_shape if isinstance(input_shape, list) else [input_shape]
        self.__dict__["_built_for"] = [tuple(shape) for shape in shapes]

    @property
    def shapes_of_weights(self) -> list[Any] | None:
        """The shapes of the inputs that the weights are made for: of the first call, or those that `build` was given.

        None where the layer was neither called nor built.
        """
        calls = self.__dict__.get("_inbound")
        return [symbol.shape for symbol in calls[0].inputs] if calls else self.__dict__.get("_built_for")

    def _held(self) -> Held | None:
        """The weights; None for an InputLayer, and for a layer whose input is not known yet."""
        around = self.__dict__.get(AROUND)
        if around is not None and not self.shapes_of_weights:
            around._held()  # makes the weights, which both layers share
        if not self.shapes_of_weights:
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

        In `build`, they are the initial values of the weights that it makes. Raises KconvertError where number or
        shapes differ.
        """
        if "_builder" in self.__dict__:
            self.__dict__["_builder"].take(weights)
            return
        held = self._held()
        if held is None and not weights:
            return
        if held is None:
            fix = "call it on an input, or put it into a model with an input shape"
            raise KconvertError("the layer has no weights yet", f"layer {self.name}", fix, Problem.USAGE)
        held.set(weights)

    def canonical_arrays(self) -> Mapping[str, np.ndarray]:
        """The arrays in canonical form, by the names of the weights."""
        held = self._held()
        return held.canonical() if held else {}

    def count_params(self) -> int:
        """The number of elements of all weights. Raises KconvertError for a layer that was neither called nor built."""
        if self.shapes_of_weights is None and self.__dict__.get("_entry") is None:
            what, fix = "the layer was not built, so it has no weights yet", "call it on a symbol, or call build"
            raise AlsoRuntimeError(what, f"layer {self.name}", fix, Problem.USAGE)
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
        """What training updates in another way than by gradients, as moving averages: their variables, for each call.

        Also what `add_update` was given outside of `call`.
        """
        return self.updates_of(len(self._calls()))

    def updates_of(self, calls: int) -> list[Any]:
        """What `calls` calls of the layer update; see `updates`."""
        moved = self._moved() if self.trainable else []
        return [*moved * calls, *self._added_values("update")]

    def get_updates_for(self, inputs: Any) -> list[Any]:
        """The updates that depend on `inputs`, symbols that the layer was called on; for None, those on no inputs."""
        moved = self._moved() if self.trainable else []
        return [*moved * self._calls().count(_as_tuple(inputs) or ()), *self._added_values("update", _as_tuple(inputs))]

    @property
    def losses(self) -> list[Any]:
        """What adds to the loss: for each regularizer of a weight and, for each call, of the outputs, its penalty.

        Also what `add_loss` was given outside of `call`.
        """
        return [*self._penalties(), *self._activities(), *self._added_values("loss")]

    def get_losses_for(self, inputs: Any) -> list[Any]:
        """The losses that depend on `inputs`, symbols that the layer was called on; for None, those on no inputs."""
        own = self._penalties() if inputs is None else self._activities(inputs)
        return [*own, *self._added_values("loss", _as_tuple(inputs))]

    def note_added(self, kind: str, values: Any, inputs: Any) -> None:
        """Notes what `add_loss` or `add_update` is given outside of `call`; inputs: what it depends on, or None."""
        added = self.__dict__.setdefault("_noted", [])
        added += [(kind, one, _as_tuple(inputs)) for one in (values if isinstance(values, list) else [values])]

    @property
    def noted_losses(self) -> list[Any]:
        """What `add_loss` got outside of `call`, also for the layers inside: ("loss", value, inputs)."""
        return [one for layer in self._parts() for one in vars(layer).get("_noted", []) if one[0] == "loss"]

    def _added_values(self, kind: str, inputs: Any = ...) -> list[Any]:
        """What `note_added` got, also for the layers inside; inputs: only what depends on these."""
        noted = [one for layer in self._parts() for one in vars(layer).get("_noted", [])]
        return [value for own, value, on in noted if own == kind and inputs in (..., on)]

    def _calls(self) -> list[tuple[Any, ...]]:
        """What the layer was called on, for each call."""
        calls = self.__dict__.get("_inbound", [])
        return [tuple(one if one.tensor is None else one.tensor for one in call.inputs) for call in calls]

    def _parts(self) -> list[Any]:
        """The layer, or the layers inside it that have no others inside."""
        return [layer for _, layer in self.leaves()]

    def _moved(self) -> list[Any]:
        """The variables that one call updates."""
        names = {name for layer in self._parts() for name in layer.updated}
        held = self._held() if names else None
        return [] if held is None else [one for name, one in held.named if name in names]

    def _penalties(self) -> list[Any]:
        """What the regularizers of the weights add to the loss; none before the weights are made."""
        held = None if self.shapes_of_weights is None else self._held()
        return [] if held is None else list(held.penalties)

    def _activities(self, inputs: Any = ...) -> list[Any]:
        """What the regularizers of the outputs add to the loss, for each call; inputs: for those on these alone."""
        specs = [
            value for value in (vars(layer.as_called).get(_OF_OUTPUTS) for layer in self._parts()) if value is not None
        ]
        calls = zip(self._calls(), self.__dict__.get("_inbound", []), strict=True)
        outputs = [call.outputs for own, call in calls if inputs is ... or own == _as_tuple(inputs)]
        return [component(_OF_OUTPUTS, spec)(symbols[0]) for symbols in outputs for spec in specs]


_OF_OUTPUTS = "activity_regularizer"
"""The option of a layer that regularizes its outputs."""


def _as_tuple(inputs: Any) -> tuple[Any, ...] | None:
    """Symbols as the inputs of a call; None stays None."""
    return None if inputs is None else tuple(items_of(inputs))
