"""Layer: what a layer is made of, in the same rhythm for every class.

A layer is a dataclass: its fields are its Keras 2.3 configuration, in Keras's order and with Keras's
defaults, so `Conv2D(32, (3, 3))` reads as in Keras. It is pure: it keeps no tensors. Its methods:

    weights(shape)              -> the weights it has for that input shape, each with its role
    output_shape(shape)         -> shape after the layer; no framework needed
    call(K, w, x, mask, ...)    -> output tensors; `w` is a dict of weights by name
    compute_mask(K, x, mask)    -> the mask that goes on

Shapes hold the batch axis (None) and may hold None elsewhere. A layer of several inputs gets and
gives lists.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import MISSING, Field, dataclass, field, fields
from typing import Any, ClassVar

from ..backend.base import Backend, Tensor
from ..conventions import Weight
from ..errors import KconvertError, Problem

Shape = tuple[int | None, ...]
Weights = Mapping[str, Any]


@dataclass(eq=False, kw_only=True)
class Layer:
    """The part that every layer shares.

    extra: configuration keys the class does not know; they are kept and written back.
    """

    name: str = ""
    trainable: bool = True
    dtype: str | None = None
    batch_input_shape: Shape | None = None
    extra: dict[str, Any] = field(default_factory=dict, repr=False)

    registry: ClassVar[dict[str, type[Layer]]] = {}
    supports_masking: ClassVar[bool] = False
    own_fields: ClassVar[frozenset[str]] = frozenset({"name", "trainable", "dtype", "batch_input_shape", "extra"})

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if not cls.__name__.startswith("_"):
            Layer.registry[cls.__name__] = cls

    # ------------------------------------------------------- configuration ----

    @property
    def class_name(self) -> str:
        return type(self).__name__

    @classmethod
    def config_fields(cls) -> list[Field[Any]]:
        """The fields that are configuration keys of this class."""
        return [f for f in fields(cls) if f.name not in Layer.own_fields and f.init]

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Layer:
        """The layer that a Keras 2 `config` describes; unknown keys go to `extra`.

        Raises KconvertError where a required key is missing.
        """
        known = {f.name: f for f in fields(cls) if f.init and f.name != "extra"}
        arguments = {key: value for key, value in config.items() if key in known}
        missing = [
            f.name
            for f in known.values()
            if f.default is MISSING and f.default_factory is MISSING and f.name not in arguments
        ]
        if missing:
            raise KconvertError(
                f"the configuration of a {cls.__name__} lacks {', '.join(missing)}",
                where=f"layer {config.get('name', '?')}",
                problem=Problem.UNREADABLE,
            )
        extra = {key: value for key, value in config.items() if key not in known}
        return cls(**arguments, extra=extra)

    def get_config(self) -> dict[str, Any]:
        """Keras 2 configuration, JSON values only."""
        config: dict[str, Any] = {"name": self.name, "trainable": self.trainable}
        if self.batch_input_shape is not None:
            config["batch_input_shape"] = list(self.batch_input_shape)
        if self.dtype is not None:
            config["dtype"] = self.dtype
        config.update({f.name: _json(getattr(self, f.name)) for f in self.config_fields()})
        return {**config, **self.extra}

    # -------------------------------------------------------------- weights ----

    def weights(self, shape: Any) -> list[Weight]:
        """The weights this layer has for inputs of `shape`, in Keras 2's order."""
        return []

    @property
    def sublayers(self) -> list[Layer]:
        """Layers inside this one (wrappers, nested models), in the order of their weights."""
        return []

    def leaves(self, prefix: str = "") -> Iterator[tuple[str, Layer]]:
        """(path, layer) of every layer that holds weights itself: `outer/inner`, or the layer's own name."""
        path = f"{prefix}{self.name}"
        if not self.sublayers:
            yield path, self
        for layer in self.sublayers:
            yield from layer.leaves(f"{path}/")

    # -------------------------------------------------------------- running ----

    def output_shape(self, shape: Any) -> Any:
        """Shape of the output for inputs of `shape`; the same by default."""
        return shape

    def call(self, K: Backend, w: Weights, x: Any, mask: Any = None, training: bool = False) -> Any:
        """The outputs; `w` holds the weights by name, in the convention of `K`."""
        raise KconvertError(f"a {self.class_name} layer cannot run", where=f"layer {self.name}")

    def compute_mask(self, K: Backend, x: Tensor, mask: Any = None) -> Any:
        """The mask of the output: passed on by layers that support masking, else it ends here."""
        return mask if self.supports_masking else None


def _json(value: Any) -> Any:
    """Tuples as lists, at any depth: what JSON would make of them."""
    if isinstance(value, (tuple, list)):
        return [_json(item) for item in value]
    return value


def integers(value: Any, n: int, what: str = "size") -> tuple[int, ...]:
    """One integer or a sequence of `n`, as a tuple of `n`.

    >>> integers(3, 2), integers([3, 5], 2)
    ((3, 3), (3, 5))
    """
    result = (value,) * n if isinstance(value, int) else tuple(value)
    if len(result) != n or not all(isinstance(item, int) for item in result):
        raise KconvertError(f"{what} should be an integer or {n} of them, not {value!r}", problem=Problem.USAGE)
    return result
