"""The methods with which `build` and `call` of a layer in the style of Keras add weights, losses and metrics."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..backend.base import Tensor
from ..errors import KconvertError, Problem
from ..lazy_dataclasses import dataclass
from .lists import as_list, items_of
from .weights import WithWeights


@dataclass(frozen=True, eq=False)
class WeightToMake:
    """A weight of which `add_weight` was told before the layer is built."""

    # The arguments of `add_weight`.
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]


class Adding(WithWeights):
    """The part of a layer that adds weights in `build`, and losses, updates and metrics in `call`."""

    def add_weight(self, *args: Any, **kwargs: Any) -> Tensor:
        """A weight, with the arguments of Keras 1 or 2.

        In `__init__` it only describes the weight, which is made with those of `build`. Raises KconvertError after the
        layer was called.
        """
        builder = self.__dict__.get("_builder")
        if builder is not None:
            return builder.add_weight(*args, **kwargs)
        if self.__dict__.get("_inbound"):
            what = "add_weight is called after the layer was called"
            raise KconvertError(what, f"layer {self.name}", "call it in __init__ or build", Problem.USAGE)
        described = WeightToMake(args, kwargs)
        self.__dict__.setdefault("_to_make", []).append(described)  # the builder replaces it wherever the layer has it
        return described

    def add_loss(self, losses: Any, inputs: Any = None) -> None:
        """Adds scalars to the loss of the model: in `call` of a layer that is written as in Keras.

        inputs: the symbols that they depend on; None: they depend on weights alone. Outside of `call`, they are numbers
        or symbols that were computed from tensors of the model, and the model has to be compiled afterwards.
        """
        builder = self.__dict__.get("_builder")
        if builder is None:
            self.note_added("loss", losses, inputs)
        else:
            builder.run.losses += items_of(losses)

    def add_update(self, updates: Any, inputs: Any = None) -> None:
        """Adds updates of weights to each training step, in `call` of a layer that is written as in Keras.

        updates: what `K.update`, `K.update_add`, ... return, one or a list. inputs: the symbols that they depend on.
        Raises KconvertError for an update outside of `call`; what updates nothing, as a number, is listed in `updates`.
        """
        builder = self.__dict__.get("_builder")
        if builder is None:
            if any(isinstance(one, tuple) for one in as_list(updates)):
                what = "add_update is called outside of call"
                raise KconvertError(what, f"layer {self.name}", problem=Problem.USAGE)
            self.note_added("update", updates, inputs)
        else:
            builder.run.updates += [one for one in as_list(updates) if isinstance(one, tuple)]

    def add_metric(self, value: Any, name: str | None = None) -> None:
        """Adds the mean of `value` to the metrics of the model, in `call` of a layer that is written as in Keras.

        name: in the logs. Raises KconvertError outside of `call`.
        """
        builder = self.__dict__.get("_builder")
        if builder is None:
            raise KconvertError("add_metric is called outside of call", f"layer {self.name}", problem=Problem.USAGE)
        builder.run.metrics.append((name or "mean", value))
