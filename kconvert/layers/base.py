"""Layer: what a layer is made of, in the same rhythm for every class.

A layer is a dataclass: its fields are its Keras 2.3 configuration, in Keras's order and with Keras's
defaults, so `Conv2D(32, (3, 3))` reads as in Keras. It is pure: it keeps no tensors. Its methods:

    weight_specs(shape)         -> the weights it has for that input shape, each with its role
    compute_output_shape(shape) -> shape after the layer; no framework needed
    call(K, w, x, mask, ...)    -> output tensors; `w` is a dict of weights by name
    compute_mask(K, x, mask)    -> the mask that goes on

Shapes hold the batch axis (None) and may hold None elsewhere. A layer of several inputs gets and
gives lists.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import MISSING, Field, dataclass, field, fields
from typing import Any, ClassVar

from ..backend.base import Backend, Tensor
from ..conventions.roles import Weight
from ..conventions.words.calls import layer_arguments
from ..errors import KconvertError, Problem
from .calls import INPUT_WORDS, call, spelled_inputs
from .phase import Phase

Shape = tuple[int | None, ...]
Weights = Mapping[str, Any]


class _Spelled(type):
    """Classes that are called in more than one spelling: `spelled` gives the arguments in their own."""

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        args, kwargs = cls.spelled(args, kwargs)  # type: ignore[attr-defined]
        return super().__call__(*args, **kwargs)


@dataclass(eq=False, kw_only=True)
class Layer(metaclass=_Spelled):
    """The part that every layer shares.

    extra: configuration keys the class does not know; they are kept and written back. unstated: the
    values of those it knows but the configuration did not state.
    orders: by format, the names of the weights in the order of its files where it is not that of `weights`.
    """

    name: str = ""
    trainable: bool = True
    dtype: str | None = None
    batch_input_shape: Shape | None = None
    extra: dict[str, Any] = field(default_factory=dict, repr=False)
    unstated: dict[str, Any] = field(default_factory=dict, repr=False)

    registry: ClassVar[dict[str, type[Layer]]] = {}
    supports_masking: ClassVar[bool] = False
    orders: ClassVar[Mapping[str, tuple[str, ...]]] = {}
    own_fields: ClassVar[frozenset[str]] = frozenset(
        {"name", "trainable", "dtype", "batch_input_shape", "extra", "unstated"}
    )

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if not cls.__name__.startswith("_"):
            Layer.registry[cls.__name__] = cls

    @classmethod
    def spelled(cls, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """The arguments of a call in Keras 2's words, with the shape of the input as `batch_input_shape`."""
        own = [f for f in fields(cls) if f.init]
        known, words = {f.name for f in own}, [f.name for f in own if not f.kw_only]
        named = {_key(f): f.name for f in own if "only" not in f.metadata}
        kwargs = {named.get(word, word): value for word, value in kwargs.items()}
        args, kwargs = layer_arguments(cls.__name__, words, known | INPUT_WORDS, args, kwargs)
        return args, spelled_inputs(known, kwargs)

    def __call__(self, inputs: Any, **kwargs: Any) -> Any:
        """What the layer makes of symbols (`Input(...)`, or what other layers gave): the model grows by one call."""
        return call(self, inputs, **kwargs)

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
        known = {_key(f): f for f in fields(cls) if f.init and f.name not in ("extra", "unstated")}
        arguments = {known[key].name: value for key, value in config.items() if key in known}
        missing = [
            key
            for key, f in known.items()
            if f.default is MISSING and f.default_factory is MISSING and f.name not in arguments
        ]
        if missing:
            raise KconvertError(
                f"the configuration of a {cls.__name__} lacks {', '.join(missing)}",
                where=f"layer {config.get('name', '?')}",
                problem=Problem.UNREADABLE,
            )
        layer = type.__call__(cls, **arguments, extra={key: value for key, value in config.items() if key not in known})
        layer.unstated = {f.name: getattr(layer, f.name) for f in known.values() if f.name not in arguments}
        return layer

    def get_config(self, form: str = "keras2") -> dict[str, Any]:
        """Configuration in Keras 2's words, JSON values only.

        form: for which generation; a key that only another one has is left out. A key that the layer's
        own configuration did not state is left out too while it has its default, so that the release
        that wrote it can read it back.
        """
        config: dict[str, Any] = {"name": self.name}
        if not self._is_unstated("trainable"):
            config["trainable"] = self.trainable
        if self.batch_input_shape is not None:
            config["batch_input_shape"] = list(self.batch_input_shape)
        if self.dtype is not None:
            config["dtype"] = self.dtype
        for f in self.config_fields():
            if f.metadata.get("only", form) == form and not self._is_unstated(f.name):
                config[_key(f)] = json_value(getattr(self, f.name), form)
        return {**config, **self.extra}

    def only_in(self, form: str) -> dict[str, Any]:
        """What the configuration says with keys that only generation `form` has, where it is not the default."""
        own = [f for f in self.config_fields() if f.metadata.get("only") == form]
        return {_key(f): getattr(self, f.name) for f in own if getattr(self, f.name) != f.default}

    def _is_unstated(self, name: str) -> bool:
        """Whether the configuration did not state `name` and it still has its default."""
        return name in self.unstated and self.unstated[name] == getattr(self, name)

    @property
    def makes_mask(self) -> bool:
        """Whether it masks time steps of its own accord."""
        return False

    # -------------------------------------------------------------- weights ----

    def known(self, shape: Shape, axis: int) -> int:
        """Size of an axis on which weights depend; raises KconvertError where it is unknown."""
        size = shape[axis]
        if size is None:
            raise KconvertError(
                f"a {self.class_name} layer needs to know axis {axis} of its input, which has shape {shape}",
                where=f"layer {self.name}",
                fix="give the shape of the model's input",
            )
        return size

    def weight_specs(self, shape: Any) -> list[Weight]:
        """The weights this layer has for inputs of `shape`, in Keras 2's order."""
        return []

    def adapt(self, expected: Sequence[int], stored: Sequence[int]) -> bool:
        """Takes from the shape of a stored weight what the configuration left out; whether anything changed."""
        return False

    def option(self, weight: str, kind: str) -> Any:
        """What the configuration says of a weight; `kind`: 'regularizer' or 'constraint'.

        >>> Layer.registry["LSTM"](4, recurrent_constraint="max_norm").option("recurrent_kernel", "constraint")
        'max_norm'
        """
        return getattr(self, f"{weight.removesuffix('_kernel')}_{kind}", None)

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

    def sublayer_shapes(self, shape: Any) -> list[Any]:
        """The input shape of each of `sublayers` when this layer takes inputs of `shape`."""
        return []

    def kept_states(self, shape: Any) -> dict[str, Shape]:
        """What the layer keeps from batch to batch besides weights, zeros at first: shapes by name.

        `call` finds them in `w` where they are kept, and reports new ones to the phase.
        """
        return {}

    # -------------------------------------------------------------- running ----

    def compute_output_shape(self, shape: Any) -> Any:
        """Shape of the output for inputs of `shape`; the same by default."""
        return shape

    def call(self, K: Backend, w: Weights, x: Any, mask: Any = None, training: Phase | None = None) -> Any:
        """The outputs; `w` holds the weights by name, in the convention of `K`."""
        raise KconvertError(f"a {self.class_name} layer cannot run", where=f"layer {self.name}")

    def compute_mask(self, K: Backend, x: Tensor, mask: Any = None) -> Any:
        """The mask of the output: passed on by layers that support masking, else it ends here."""
        return mask if self.supports_masking else None


def keras1(default: Any) -> Any:
    """A field that only configurations of Keras 0 and 1 have: read from there, not written to Keras 2."""
    return field(default=default, metadata={"only": "keras1"})


def _key(f: Field[Any]) -> str:
    """The configuration key of a field; metadata "key" names it where a method has that name."""
    return f.metadata.get("key", f.name)


def layer_config(layer: Layer, form: str = "keras2") -> dict[str, Any]:
    """`{'class_name': ..., 'config': ...}` of a layer, for a generation of Keras."""
    return {"class_name": layer.class_name, "config": layer.get_config(form)}


def layer_from_config(item: Layer | Mapping[str, Any]) -> Layer:
    """The layer of `{'class_name': ..., 'config': ...}`, or the layer itself; refuses an unknown class by name."""
    from .registry import WAYS, find_layer

    if isinstance(item, Layer):
        return item
    name, config = item["class_name"], item["config"]
    cls = find_layer(name)
    if cls is None:
        where = config.get("name", "?") if isinstance(config, Mapping) else "?"
        raise KconvertError(f"unknown layer class {name!r}", where=f"layer {where}", fix=WAYS)
    return cls.from_config(config)


def json_value(value: Any, form: str = "keras2") -> Any:
    """Tuples as lists and layers as their configuration, at any depth: what JSON would make of them."""
    if isinstance(value, (tuple, list)):
        return [json_value(item, form) for item in value]
    return layer_config(value, form) if isinstance(value, Layer) else value


def integers(value: Any, n: int, what: str = "size") -> tuple[int, ...]:
    """One integer or a sequence of `n`, as a tuple of `n`.

    >>> integers(3, 2), integers([3, 5], 2)
    ((3, 3), (3, 5))
    """
    result = (value,) * n if isinstance(value, int) else tuple(value)
    if len(result) != n or not all(isinstance(item, int) for item in result):
        raise KconvertError(f"{what} should be an integer or {n} of them, not {value!r}", problem=Problem.USAGE)
    return result
