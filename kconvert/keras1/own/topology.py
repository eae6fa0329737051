"""Layer of Keras 1.2.2: the base class of the layers of this dialect, and of the classes of users."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from ... import layers
from ...errors import AlsoTypeError, KconvertError, Problem
from ...keras.own.settings import floatx
from ...layers.calls import Symbol
from ...layers.custom import given
from ...layers.lists import as_list, one_or_list
from ...layers.names import next_name
from ...layers.registry import layer_from_config
from .initializations import with_initializations
from .settings import GENERATION

_WORDS = frozenset({"input_shape", "batch_input_shape", "input_dtype", "name", "trainable"})


class Layer(layers.Layer):
    """A layer that shows its configuration and its weights as Keras 1.2.2 does.

    Its constructor takes `input_shape`, `batch_input_shape`, `input_dtype`, `name` and `trainable`. Raises
    KconvertError, a TypeError too, for any other argument.
    """

    generation = GENERATION
    shows_weights = True
    # Whether the layer computes differently in training.
    uses_learning_phase: bool = False
    # The constraints that `build` gives to weights.
    constraints: Mapping[Any, Any] = MappingProxyType({})
    tracks_layers = False

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        with with_initializations():
            return super().__new__(cls, *args, **kwargs)

    def __init__(self, **kwargs: Any) -> None:
        for word in kwargs:
            if word not in _WORDS:
                fix = f"the arguments of every layer are {', '.join(sorted(_WORDS))}"
                what = f"{type(self).__name__} has no argument {word!r}"
                raise AlsoTypeError(what, None, fix, Problem.USAGE)
        shape = kwargs.get("batch_input_shape")
        if shape is None and kwargs.get("input_shape") is not None:
            shape = (None, *kwargs["input_shape"])
        layers.Layer.__init__(
            self,
            name_of(self, kwargs.get("name")),
            kwargs.get("trainable", True),
            dtype_of_input(shape, kwargs.get("input_dtype")),
            None if shape is None else tuple(shape),
        )

    def get_output_shape_for(self, input_shape: Any) -> Any:
        """The shape of the output: by default that of the input."""
        return input_shape

    @property
    def passes_mask(self) -> bool:
        """Whether the output is known to have the mask of the input: not where a class of the user computes it."""
        base = CLASSES[self.facts.name] if hasattr(self, "facts") else layers.Layer
        return super().passes_mask and type(self).compute_mask is base.compute_mask

    @property
    def regularizers(self) -> list[Any]:
        """Nothing: Keras 1.2.2 has the penalties of a layer in `losses`, and leaves those out that are set here."""
        return []

    @regularizers.setter
    def regularizers(self, _: Any) -> None:
        """Has no effect."""

    @property
    def input_spec(self) -> Any:
        """What the layer accepts: a list of an InputSpec for each input; None where it accepts anything."""
        stated = super().input_spec
        return stated if stated is None else as_list(stated)

    @input_spec.setter
    def input_spec(self, spec: Any) -> None:
        self.__dict__["input_spec"] = spec

    def assert_input_compatibility(self, input: Any) -> None:
        """Raises KconvertError where the layer does not accept `input`, a symbol or a list of symbols."""
        self.check_inputs([one.shape for one in as_list(input)])

    def create_input_layer(
        self, batch_input_shape: Sequence[int | None], input_dtype: str | None = None, name: str | None = None
    ) -> None:
        """Calls the layer on a new Input with `batch_input_shape`."""
        self.batch_input_shape = tuple(batch_input_shape)
        self.dtype = dtype_of_input(batch_input_shape, input_dtype)
        self(Input(batch_shape=batch_input_shape, name=name or f"{self.name}_input", dtype=self.dtype))

    def add_inbound_node(
        self,
        inbound_layers: Any,
        node_indices: Sequence[int] | None = None,
        tensor_indices: Sequence[int] | None = None,
    ) -> None:
        """Calls the layer on outputs of other layers.

        inbound_layers: a layer or a list of layers. node_indices: for each, the number of its call, by default 0.
        tensor_indices: for each, the number of the output of that call, by default 0.
        """
        layers = as_list(inbound_layers)
        zeros = [0] * len(layers)
        places = zip(layers, node_indices or zeros, tensor_indices or zeros, strict=True)
        self(one_or_list([as_list(layer.get_output_at(node))[tensor] for layer, node, tensor in places]))

    @property
    def input_dtype(self) -> str:
        """The type of the elements of the input that the layer states."""
        return self.dtype or floatx()

    def get_config(self) -> dict[str, Any]:
        """The arguments of the constructor that every layer has."""
        config: dict[str, Any] = {"name": self.name, "trainable": self.trainable}
        if self.batch_input_shape is not None:
            config.update(batch_input_shape=tuple(self.batch_input_shape), input_dtype=self.input_dtype)
        return config


class InputLayer(Layer, layers.InputLayer):
    """An input of a model.

    input_shape: without the batch axis; batch_input_shape: with it. input_tensor: see `Input`. Raises KconvertError
    where neither of the shapes is given, and where both are.
    """

    def __init__(
        self,
        input_shape: Sequence[int | None] | None = None,
        batch_input_shape: Sequence[int | None] | None = None,
        input_dtype: str | None = None,
        input_tensor: Any = None,
        sparse: bool = False,
        name: str | None = None,
    ) -> None:
        if sparse:
            raise KconvertError("sparse inputs are not supported", fix="give dense arrays")
        if any(shape is not None and not isinstance(shape, Sequence) for shape in (input_shape, batch_input_shape)):
            raise AlsoTypeError("the shape of an input must be a tuple", fix="shape=(3,)", problem=Problem.USAGE)
        if input_tensor is not None:
            batch_input_shape = batch_input_shape or input_tensor.shape
        layers.InputLayer.__init__(
            self,
            input_shape=input_shape,
            batch_input_shape=None if batch_input_shape is None else tuple(batch_input_shape),
            dtype=input_dtype or floatx(),
            name=name or next_name("input"),
        )
        self.note_input(input_tensor)

    @property
    def class_name(self) -> str:
        """The name of the class in Keras 2."""
        return "InputLayer"

    def stored_config(self, old_options: bool = False) -> dict[str, Any]:
        return layers.InputLayer.stated_config(self, old_options)

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        del config["trainable"]
        return {**config, "sparse": self.sparse}


def Input(
    shape: Sequence[int | None] | None = None,
    batch_shape: Sequence[int | None] | None = None,
    name: str | None = None,
    dtype: str | None = None,
    sparse: bool = False,
    tensor: Any = None,
) -> Symbol:
    """The symbol of an input of a model.

    shape: without the batch axis; batch_shape: with it. dtype: by default `floatx`. tensor: as for `Input` of
    `kconvert.keras`. Raises KconvertError without a shape, and for sparse inputs.
    """
    made = InputLayer(None if batch_shape else shape, batch_shape, dtype, tensor, sparse, name)
    symbol: Symbol = made.output
    return symbol


def name_of(layer: layers.Layer, stated: str | None) -> str:
    """The name of a new layer: as stated, else that of its class in lower case and a number, as Keras 1 writes it."""
    return stated or next_name(type(layer).__name__.lower())


def dtype_of_input(shape: Any, stated: str | None) -> str | None:
    """The type of the elements of an input: as stated, else `floatx`; None for a layer that states no input."""
    return None if shape is None else stated or floatx()


CLASSES: dict[str, Any] = {}
"""The classes of layers and models by name."""


def layer_of_item(item: Any) -> Any:
    """The layer that `{'class_name': ..., 'config': ...}` in the words of Keras 1.2.2 describes; a layer is itself."""
    if not isinstance(item, Mapping):
        return item
    cls = {**CLASSES, **given().classes}.get(item["class_name"])
    return layer_from_config(item) if cls is None else cls.from_config(item["config"])


def item_of_layer(layer: Any) -> dict[str, Any]:
    """The class and the configuration of a layer or a model, as Keras 1.2.2 states them."""
    return {"class_name": type(layer).__name__, "config": layer.get_config()}
