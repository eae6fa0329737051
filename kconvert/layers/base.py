"""Layer: the base class of all layers.

A layer is a dataclass. Its fields are its Keras 2.3 configuration, in Keras's order and with Keras's defaults, so
`Conv2D(32, (3, 3))` means the same as in Keras. A layer is pure: it keeps no tensors. Its methods:

    weight_specs(shape)         -> the weights of the layer for that input shape, each with its role
    compute_output_shape(shape) -> the shape of the output; this needs no framework
    call(K, w, x, mask, ...)    -> the output tensors; `w` is a dict of weights by name
    compute_mask(K, x, mask)    -> the mask of the output

Shapes include the batch axis. Unknown sizes are None, as that of the batch usually is. A layer with several inputs or
outputs has lists of tensors, shapes and masks.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import Field, field, fields
from functools import lru_cache
from inspect import Parameter, signature
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from ..arguments import argument
from ..backend.base import Backend, Tensor
from ..backend.float_settings import widest
from ..conventions.roles import Weight
from ..conventions.words.calls import layer_arguments
from ..errors import KconvertError, Problem
from ..lazy_dataclasses import dataclass
from .adding import Adding
from .as_called import AsCalled
from .at_work import build_native, call_inside, in_two_forms, is_at_work, mask_native, same_input
from .builder import MADE, is_in_keras_style
from .calls import INPUT_WORDS, Callee, Symbol, input_arguments, steps_of_input
from .component_names import WithComponents, are_checked, check_component_names, stated, unchecked
from .configuration import configured
from .constructors import Constructed, constructor_parameters
from .custom import NONE_GIVEN, CustomObjects, given
from .image_defaults import with_default_format
from .input_spec import WithInputSpec, check_input_spec
from .keras_style import NAMES, built_weights, keras_style, losses_of_calls, note_built, note_layers_inside
from .lists import as_list
from .names import next_name
from .on_tensors import call_on_tensors, takes_tensors
from .options import FloatType, is_later, is_old, key_of
from .phase import Phase, WithPhase
from .presented import presented
from .set_by_build import SetByBuild
from .weights import AROUND

_OF_CALLS = frozenset({"_inbound", "_outbound", "_kept", "_built_for", "_noted", NAMES, "_called_with", AROUND, MADE})
"""The attributes that calls of a layer set. Copies of the layer do not have them."""

Shape = tuple[int | None, ...]
Weights = Mapping[str, Any]


def how_to_give_the_shape() -> str:
    """How to state the shape of the input of a model that leaves it open."""
    return f"give the shape of the model's input, such as {argument('input_shape', (224, 224, 3))}"


@dataclass(eq=False, kw_only=True)
class Layer(SetByBuild, Callee, Adding, WithComponents, AsCalled, WithInputSpec, WithPhase, metaclass=Constructed):
    """Base class of all layers: the configuration that they share, and the default methods."""

    name: str = ""
    trainable: bool = True
    # The type of the weights and outputs; who reads it gets `floatx` where the layer does not state it.
    dtype: str | None = FloatType()  # type: ignore[assignment]  # a descriptor
    # The shape of the input with the batch axis; None where the layer does not state it.
    batch_input_shape: Shape | None = None
    if TYPE_CHECKING:  # arguments of Keras, which `native_arguments` takes, are no fields
        input_shape: Any = None
        input_dim: Any = None
        batch_size: Any = None
        weights: Any = None
    # Configuration keys that the class does not know. They are stored, and written back.
    extra: dict[str, Any] = field(default_factory=dict, repr=False)
    # Configuration keys that the class does not know and that change nothing. They are not written.
    left_out: dict[str, Any] = field(default_factory=dict, repr=False)
    # The fields whose keys the configuration did not state, with their values.
    unstated: dict[str, Any] = field(default_factory=dict, repr=False)
    # Whether a conversion leaves the layer as it is, because it takes nothing from the file that is converted.
    fixed: bool = field(default=False, init=False, repr=False)
    # Why a file of some layers alone has no weights of this one; '': it has them, or is whole.
    lacks_weights: str = field(default="", init=False, repr=False)

    # Whether the layer is a graph of layers.
    is_network: ClassVar[bool] = False
    # Whether it is a class of the user, registered with `register_layer`.
    is_custom: ClassVar[bool] = False
    # Whether tf.keras has the class and Keras 2.3 does not.
    of_tf_keras: ClassVar[bool] = False
    # Whether the mask of the input is also the mask of the output.
    supports_masking: ClassVar[bool] = False
    # Whether the input may have a mask although the output has none.
    drops_mask: ClassVar[bool] = False
    # Whether the argument `input_dim` is the size of one step, and `input_length` the number of steps.
    over_steps: ClassVar[bool] = False
    # Whether training moves the averages of the layer even where it is not trainable.
    moves_frozen: ClassVar[bool] = False
    # Whether a configuration states `trainable`, as those of all layers but inputs do in Keras.
    states_trainable: ClassVar[bool] = True
    # Arguments that Keras 2.3 takes although they change nothing; a warning says so.
    without_effect: ClassVar[frozenset[str]] = frozenset()
    # Whether the weights of layers that are its attributes are weights of it: from Keras 2.3 on.
    tracks_layers: ClassVar[bool] = True
    # The fields of this base class.
    base_fields: ClassVar[frozenset[str]] = frozenset(
        {"name", "trainable", "dtype", "batch_input_shape", "extra", "left_out", "unstated"}
    )

    # The fields that users do not set.
    inner_fields: ClassVar[frozenset[str]] = frozenset({"extra", "left_out", "unstated"})

    # Whether a class of the user defines `build` or `call`, as in Keras.
    is_built_by_user: ClassVar[bool] = False
    # Whether the attributes that `build` and `call` set are shown: for classes of the user, and in Keras 1 for all.
    shows_weights: ClassVar[bool] = False

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        keras_style(cls, Layer)

    @property
    def losses(self) -> list[Any]:
        return [*super().losses, *losses_of_calls(self)]

    @property
    def floatx(self) -> str:
        """The type of floats in which it computes: float64 where it or a layer inside it has that, else float32."""
        return widest([str(self.dtype), *(inner.floatx for inner in self.sublayers)])

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        """A new layer, which remembers the objects of the user, the phase that is set, and `weights` as in Keras.

        weights: the arrays that it gets in place of initial ones, in the order of `get_weights`.
        """
        layer = super().__new__(cls)
        if given():
            layer.__dict__["_custom_objects"] = given()
        if not cls.is_network:
            layer.take_phase()
        if kwargs.get("weights") is not None and not cls.is_network:
            layer.__dict__["_first_weights"] = list(kwargs["weights"])
        return layer

    def __init__(
        self,
        name: str = "",
        trainable: bool = True,
        dtype: str | None = None,
        batch_input_shape: Shape | None = None,
        **words: Any,
    ) -> None:
        """Constructor for subclasses that write their own `__init__`; that of a dataclass sets all fields.

        words: `input_shape`, `input_dim`, `input_length`, `batch_size` and `weights`, as in Keras. Raises KconvertError
        for any other argument.
        """
        words.pop("weights", None)  # see `__new__`
        dtype = words.pop("input_dtype", dtype)  # its name in Keras 1
        stated = input_arguments(set(), words)
        self.name, self.trainable, self.dtype = name or "", trainable, dtype
        self.batch_input_shape = stated.pop("batch_input_shape", batch_input_shape)
        self.extra, self.left_out, self.unstated = {}, {}, {}
        if stated:
            what = f"{type(self).__name__} has no argument {next(iter(stated))!r}"
            raise KconvertError(what, problem=Problem.USAGE)

    @classmethod
    def native_arguments(cls, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """The arguments of the constructor under their Keras 2 names, with the input's shape as `batch_input_shape`."""
        parameters = constructor_parameters(cls)
        known = {p.name for p in parameters}
        words = [p.name for p in parameters if p.kind is Parameter.POSITIONAL_OR_KEYWORD]
        keys = {key_of(f): f.name for f in fields(cls) if f.init and not is_old(f)}
        kwargs = {keys.get(word, word): value for word, value in kwargs.items()}
        if not cls.is_network:
            kwargs.pop("weights", None)  # see `__new__`
        if cls.over_steps:
            kwargs = steps_of_input(kwargs)
        kwargs = with_default_format(cls.__name__, words, len(args), kwargs)
        args, kwargs = layer_arguments(
            cls.__name__, words, known | INPUT_WORDS, args, kwargs, cls.inner_fields, cls.without_effect
        )
        return args, input_arguments(known, kwargs)

    def check_arguments(self) -> None:
        """Names a layer of the user that has no name, as Keras does: layers count in the order in which they are made.

        Raises KconvertError where an argument of the constructor names an unknown component of training.
        """
        check_component_names(self)
        if are_checked() and not self.name and not self.is_network:
            self.name = next_name(self.class_name)

    def __copy__(self) -> Any:
        """A layer with the same configuration, without calls and arrays."""
        result = object.__new__(type(self))
        result.__dict__.update(
            {key: value for key, value in self.__getstate__().items() if key not in ("_entry", "_drawn")}
        )
        return result

    def __getstate__(self) -> dict[str, Any]:
        """The state of a deep copy or a pickle: the configuration and the arrays, without calls."""
        return {key: value for key, value in self.__dict__.items() if key not in _OF_CALLS}

    def take_first_weights(self) -> list[Any] | None:
        """The argument `weights` of the constructor, at the first call; None later, and where it was not given."""
        return self.__dict__.pop("_first_weights", None)

    @property
    def custom_objects(self) -> CustomObjects:
        """The user's functions and classes that were given when the layer was made."""
        return self.__dict__.get("_custom_objects", NONE_GIVEN)

    @property
    def entry(self) -> Any:
        """The entry of the store that holds this layer's arrays, for all models that contain the layer.

        The layer only refers to it: it neither computes with it nor serializes it.
        """
        return self.__dict__.get("_entry")

    @entry.setter
    def entry(self, entry: Any) -> None:
        self.__dict__["_entry"] = entry

    # ------------------------------------------------------- configuration ----

    @property
    def class_name(self) -> str:
        """The class name that Keras writes into an architecture."""
        return type(self).__name__

    @classmethod
    def config_fields(cls) -> list[Field[Any]]:
        """The fields that are configuration keys of this class."""
        return list(_config_fields(cls))

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Layer:
        """The layer with the configuration `config` of Keras 2. Its words of Keras 1 are translated.

        A class of the user keeps unknown keys in `extra`. Raises KconvertError where a required key is missing, or an
        unknown key of another class changes what it computes.
        """
        with unchecked():
            return configured(cls, config)

    def get_config(self) -> dict[str, Any]:
        """The configuration as Keras 2.3.1 shows it: see `presented`."""
        return presented(self)

    def stated_config(self, old_options: bool = False) -> dict[str, Any]:
        """The configuration as it is stored: under the keys of Keras 2, as JSON values.

        old_options: whether it has the options that Keras 2 dropped. A key that the configuration of the layer did not
        state is left out as long as it has its default, so that the release that wrote the configuration can read it
        again.
        """
        config: dict[str, Any] = {"name": self.name}
        if self.states_trainable and not self._is_unstated("trainable"):
            config["trainable"] = self.trainable
        if self.batch_input_shape is not None:
            config["batch_input_shape"] = list(self.batch_input_shape)
        if (dtype := stated(self, "dtype")) is not None:
            config["dtype"] = dtype
        for key, f in _config_keys(type(self), old_options):
            value = stated(self, f.name)
            if (is_later(f) and value == f.default) or self._is_unstated(f.name):
                continue
            config[key] = json_value(value, old_options)
        return {**config, **self.extra}

    def stored_config(self, old_options: bool = False) -> dict[str, Any]:
        """`stated_config`; for a class of the user with a method `get_config`, what that returns."""
        if type(self).get_config is Layer.get_config:
            return self.stated_config(old_options)
        takes_it = old_options and "old_options" in signature(self.get_config).parameters
        return self.get_config(old_options=True) if takes_it else self.get_config()  # type: ignore[call-arg]

    def old_options(self) -> dict[str, Any]:
        """The options that Keras 2 dropped, by key, where their values are not the defaults."""
        old = [f for f in self.config_fields() if is_old(f)]
        return {key_of(f): stated(self, f.name) for f in old if stated(self, f.name) != f.default}

    def later_options(self) -> dict[str, Any]:
        """The options that tf.keras has and Keras 2.3 does not, by key, where their values are not the defaults."""
        later = [f for f in self.config_fields() if is_later(f)]
        return {key_of(f): stated(self, f.name) for f in later if stated(self, f.name) != f.default}

    def _is_unstated(self, name: str) -> bool:
        """Whether the configuration did not state `name` and it still has its default."""
        return name in self.unstated and self.unstated[name] == stated(self, name)

    @property
    def cannot_run(self) -> KconvertError | None:
        """Why the layer cannot compute, as the error that running it raises. None: it runs.

        Classes that hold code of the user decide it here alone; verification leaves such layers out.
        """
        if self.lacks_weights:
            return KconvertError(f"it has no weights: {self.lacks_weights}", where=f"layer {self.name}")
        return next(filter(None, (inner.cannot_run for inner in self.sublayers)), None)

    @property
    def counts_samples(self) -> bool:
        """Whether the outputs may depend on the number of samples, as with states, or in code of a user."""
        return self.is_custom or bool(getattr(self, "stateful", False))

    @property
    def makes_mask(self) -> bool:
        """Whether the layer computes a mask from its input, as Masking does."""
        return False

    @property
    def passes_mask(self) -> bool:
        """Whether the output has the mask of the input; a recurrent layer keeps it for sequences."""
        return self.supports_masking and getattr(self, "return_sequences", True)

    @property
    def takes_mask(self) -> bool:
        """Whether Keras 2.3 lets the input have a mask (keras-facts: masks-that-layers-refuse)."""
        own = type(self).compute_mask is not Layer.compute_mask
        return own or self.supports_masking or self.drops_mask or self.of_tf_keras

    # -------------------------------------------------------------- weights ----

    def known(self, shape: Shape, axis: int) -> int:
        """The size of an axis on which weights depend. Raises KconvertError where it is unknown."""
        size = shape[axis]
        if size is None:
            raise KconvertError(
                f"a {self.class_name} layer needs to know axis {axis} of its input, which has shape {shape}",
                where=f"layer {self.name}",
                fix=how_to_give_the_shape(),
            )
        return size

    def needs_axes(self, shape: Any, count: int) -> None:
        """Raises KconvertError unless an input of `shape` has `count` axes, that of the batch included."""
        if len(shape) != count:
            what = f"a {self.class_name} layer takes inputs of {count} axes, not of shape {tuple(shape)}"
            raise KconvertError(what, f"layer {self.name}", problem=Problem.USAGE)

    @property
    def unread(self) -> frozenset[str]:
        """The names of weights that the layer stores and does not compute with."""
        return frozenset()

    def check_inputs(self, shapes: Sequence[Shape]) -> None:
        """Raises KconvertError where Keras 2.3 does not let the layer be called on inputs of `shapes`."""
        check_input_spec(self, shapes)

    def weight_specs(self, shape: Any) -> list[Weight]:
        """The weights of this layer for inputs of `shape`, in the order of Keras 2: those that `build` makes."""
        written = type(self).build is not Layer.build or is_in_keras_style(self)
        return built_weights(self, shape) if written else []

    weight_specs.of_base = True  # type: ignore[attr-defined]

    def build(self, input_shape: Any) -> None:
        """Makes the weights for inputs of `input_shape`, with the batch axis; a call of the layer does so too.

        A layer that is written as in Keras makes them here, by `add_weight`.
        """
        if is_at_work(self):
            build_native(self, input_shape)
        else:
            self.note_build(input_shape)

    def __call__(self, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        """Calls the layer on symbols, and returns the output symbols; in functions of a user, on tensors."""
        if is_at_work(self) and not any(isinstance(one, Symbol) for one in as_list(inputs)):
            return call_inside(self, inputs, *args, **kwargs)
        if takes_tensors(self, inputs):
            return call_on_tensors(self, inputs, *args, **kwargs)
        return super().__call__(inputs, *args, **kwargs)

    def note_called(self) -> None:
        """Notes what follows from the first call: what layers inside share, and what `build` of a user sets."""
        note_layers_inside(self)
        note_built(self)

    def show_own_weights(self, weights: Mapping[str, Weight], tensors: Mapping[str, Tensor]) -> None:
        """Sets the attributes that have the weights of a class of Keras, while `build` of a class of the user runs."""
        self.__dict__.update(tensors)

    def shown_own_weights(self, weights: Sequence[Weight]) -> dict[str, Tensor]:
        """The tensors of these weights by name, as the attributes show them: the user may have replaced them."""
        return {weight.name: self.__dict__[weight.name] for weight in weights if weight.name in self.__dict__}

    def adapt(self, expected: Sequence[int], stored: Sequence[int]) -> bool:
        """Completes the configuration from the shape of a stored weight. Returns whether anything changed.

        expected: the shape of the weight by the configuration; stored: its shape in the file.
        """
        return False

    def option(self, weight: str, kind: str) -> Any:
        """The regularizer or constraint of a weight; None without one.

        kind: 'regularizer' or 'constraint'.

        >>> from kconvert.layers import LSTM
        >>> LSTM(4, recurrent_constraint="max_norm").option("recurrent_kernel", "constraint")
        'max_norm'
        """
        return vars(self).get(f"{weight.removesuffix('_kernel')}_{kind}")

    @property
    def sublayers(self) -> list[Layer]:
        """The layers inside a wrapper or a nested model, in the order of their weights."""
        return []

    def leaves(self, prefix: str = "") -> Iterator[tuple[str, Layer]]:
        """(path, layer) of every layer without sublayers; paths are `outer/inner`, or the name of this layer."""
        path = f"{prefix}{self.name}"
        sublayers = self.sublayers  # a network lists all its layers anew
        if not sublayers:
            yield path, self
        for layer in sublayers:
            yield from layer.leaves(f"{path}/")

    def sublayer_shapes(self, shape: Any) -> list[Any]:
        """The input shape of each of `sublayers` for inputs of `shape`."""
        return []

    def kept_states(self, shape: Any) -> dict[str, Shape]:
        """The shapes by name of the states that a stateful layer keeps from batch to batch. They are zeros at first.

        `call` reads them from `w` and reports their new values to the phase.
        """
        return {}

    # -------------------------------------------------------------- running ----

    def compute_output_shape(self, shape: Any) -> Any:
        """The shape of the output for inputs of `shape`; by default the same shape."""
        return shape

    def get_output_shape_for(self, input_shape: Any) -> Any:
        """`compute_output_shape` under its name in Keras 1."""
        return self.compute_output_shape(input_shape)

    @property
    def is_unknown(self) -> bool:
        """Whether nothing states the shape of the output: then `compute_output_shape` gives a guess."""
        return False

    @property
    def assumed(self) -> Shape | None:
        """The shape of the output without the batch axis, as the stored arrays show it, where nothing states it."""
        return self.__dict__.get("_assumed")

    @assumed.setter
    def assumed(self, shape: Shape | None) -> None:
        self.__dict__["_assumed"] = shape

    def guessed_shape(self, shape: Any) -> Shape:
        """The guess for a layer that `is_unknown`: `assumed`, else the shape of the first input.

        Raises KconvertError where the shape of the input is not known either.
        """
        first = shape[0] if isinstance(shape, list) else shape
        if first is None:
            raise KconvertError("the shape of its input is not known", f"layer {self.name}", problem=Problem.UNREADABLE)
        return tuple(first) if self.assumed is None else (first[0], *self.assumed)

    def call(self, K: Backend, w: Weights, x: Any, mask: Any = None, training: Phase | None = None) -> Any:
        """The outputs for the inputs `x`.

        w: the weights by name, in the convention of the backend `K`. training: the phase; without one, the layer
        computes as in prediction.
        """
        raise KconvertError(f"a {self.class_name} layer cannot run", where=f"layer {self.name}")

    call = in_two_forms(call, same_input)

    def compute_mask(self, K: Backend, x: Tensor, mask: Any = None) -> Any:
        """The mask of the output: that of the input where the layer supports masking, else None."""
        return mask if self.supports_masking else None

    compute_mask = in_two_forms(compute_mask, mask_native)


@lru_cache(1024)
def _config_fields(cls: type[Layer]) -> tuple[Field[Any], ...]:
    return tuple(f for f in fields(cls) if f.name not in Layer.base_fields and f.init)


@lru_cache(1024)
def _config_keys(cls: type[Layer], old_options: bool) -> tuple[tuple[str, Field[Any]], ...]:
    """The fields that are configuration keys, by key; old_options: with the options that Keras 2 dropped."""
    return tuple((key_of(f), f) for f in cls.config_fields() if old_options or not is_old(f))


def layer_config(layer: Layer, old_options: bool = False) -> dict[str, Any]:
    """`{'class_name': ..., 'config': ...}` of a layer; old_options: with the options that Keras 2 dropped."""
    return {"class_name": layer.class_name, "config": layer.stored_config(old_options)}


_PLAIN = frozenset({str, bool, int, float, type(None)})


def json_value(value: Any, old_options: bool = False) -> Any:
    """`value` as JSON, at any depth: tuples and arrays become lists, layers and other objects their configuration.

    A class stands for its object with all defaults, a function for its name.
    """
    if type(value) in _PLAIN:
        return value
    if isinstance(value, (tuple, list)):
        return [json_value(item, old_options) for item in value]
    if isinstance(value, Mapping):
        return {key: json_value(item, old_options) for key, item in value.items()}
    if isinstance(value, Layer):
        return layer_config(value, old_options)
    if isinstance(value, (np.ndarray, np.generic)):
        return value.tolist()
    if isinstance(value, type):
        return json_value(value(), old_options)
    if hasattr(value, "to_config"):
        return json_value(value.to_config(), old_options)
    if hasattr(value, "get_config"):
        config = json_value(value.get_config(), old_options)
        return {"class_name": getattr(value, "class_name", type(value).__name__), "config": config}
    return getattr(value, "__name__", type(value).__name__) if callable(value) else value
