"""Core layers: input, dense layers, masking and Lambda."""

from __future__ import annotations

import math
import warnings
from dataclasses import field
from typing import Any, ClassVar

import numpy as np

from ..arguments import own_code
from ..backend.base import Backend, Tensor
from ..backend.float_settings import floatx
from ..conventions.roles import DENSE_KERNEL, MAXOUT_BIAS, MAXOUT_KERNEL, VECTOR, Weight
from ..conventions.words.items import shown
from ..errors import KconvertError, Problem
from ..lazy_dataclasses import dataclass
from . import python_functions
from .activations import activation
from .base import Layer, Shape, Weights
from .calls import Call, Symbol
from .component_names import are_checked, stated
from .custom import CustomFunction, check_output, giving
from .fields import KernelFields
from .input_spec import InputSpec
from .options import old_option
from .phase import Phase
from .python_functions import DumpedFunction
from .registry import find_function
from .shapes import MOST_AXES

# -------------------------------------------------------------------- input ----


@dataclass(eq=False)
class InputLayer(Layer):
    """An input of a model, with the shape `batch_input_shape`.

    sparse: whether it stands for a sparse tensor; it computes with a dense one.
    """

    sparse: bool = False

    supports_masking: ClassVar[bool] = True

    def check_arguments(self) -> None:
        super().check_arguments()
        if are_checked() and self.batch_input_shape is None:
            fix = "give input_shape=(784,)"
            raise KconvertError("InputLayer needs the shape of the input", None, fix, Problem.USAGE)

    @property
    def tensor(self) -> Any:
        """The variable or expression that the input always is; None: its values are given to the model."""
        return self.__dict__.get("_tensor")

    @tensor.setter
    def tensor(self, tensor: Any) -> None:
        self.__dict__["_tensor"] = tensor

    def note_input(self, tensor: Any = None) -> None:
        """Notes the call that gives the symbol of the input; tensor: see `Input`."""
        behind = (tensor,) if isinstance(tensor, Symbol) else ()
        self.tensor = None if behind else tensor
        self.inbound.append(Call(self, behind, (tuple(self.batch_input_shape or ()),)))

    @property
    def is_placeholder(self) -> bool:
        """Whether `keras.backend.placeholder` made the input, so that it is no tensor of a model."""
        return bool(self.__dict__.get("_placeholder"))

    @is_placeholder.setter
    def is_placeholder(self, value: bool) -> None:
        self.__dict__["_placeholder"] = value

    @classmethod
    def native_arguments(cls, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """The arguments; as in Keras, the first one without a name is `input_shape`, the second one `batch_size`."""
        words = {**dict(zip(("input_shape", "batch_size"), args, strict=False)), **kwargs}
        if words.get("batch_input_shape") and words.get("input_shape"):
            fix = "give one of them"
            raise KconvertError("InputLayer has input_shape and batch_input_shape", None, fix, Problem.USAGE)
        return super().native_arguments((), words)

    def __post_init__(self) -> None:
        sizes = () if self.batch_input_shape is None else self.batch_input_shape
        listed = isinstance(sizes, (list, tuple)) and len(sizes) <= MOST_AXES
        if not listed or not all(n is None or (isinstance(n, int) and n >= 0) for n in sizes):
            raise KconvertError(
                f"batch_input_shape must be a list of at most {MOST_AXES} sizes, not {shown(sizes)}",
                where=f"layer {self.name}",
                problem=Problem.UNREADABLE,
            )
        self.trainable = False

    states_trainable: ClassVar[bool] = False

    def count_params(self) -> int:
        """0: an input has no weights."""
        return 0

    def call(self, K: Backend, w: Weights, x: Tensor, mask: Any = None, training: Phase | None = None) -> Tensor:
        return x


# -------------------------------------------------------------------- dense ----


@dataclass(eq=False)
class Dense(KernelFields, Layer):
    """activation(x . kernel + bias), along the last axis of an input of any rank.

    x (batch, ..., in), kernel (in, units), bias (units,)
    """

    units: int
    activation: Any = "linear"
    use_bias: bool = True

    supports_masking: ClassVar[bool] = True
    accepts: ClassVar[InputSpec] = InputSpec(min_ndim=2)

    def spec_of(self, shape: Any) -> InputSpec:
        return InputSpec(min_ndim=2, axes={-1: shape[-1]}) if shape else self.accepts

    def weight_specs(self, shape: Shape) -> list[Weight]:
        size = (self.known(shape, -1), self.units)
        kernel = Weight("kernel", size, DENSE_KERNEL, initializer=stated(self, "kernel_initializer"))
        bias = Weight("bias", size[1:], VECTOR, initializer=stated(self, "bias_initializer"))
        return [kernel, bias] if self.use_bias else [kernel]

    def compute_output_shape(self, shape: Shape) -> Shape:
        return (*shape[:-1], self.units)

    def call(self, K: Backend, w: Weights, x: Tensor, mask: Any = None, training: Phase | None = None) -> Tensor:
        return activation(stated(self, "activation"))(K, _affine(K, w, x))


@dataclass(eq=False)
class TimeDistributedDense(Dense):
    """Dense at every time step, in Keras 0 and 1, configured like Dense (keras-facts: time-distributed-dense)."""


@dataclass(eq=False, kw_only=True)
class _LegacyDense(Layer):
    """Base class of MaxoutDense and Highway, whose configuration has the keys of Keras 1 in Keras 2 too."""

    init: Any = "glorot_uniform"
    W_regularizer: Any = None
    b_regularizer: Any = None
    activity_regularizer: Any = None
    W_constraint: Any = None
    b_constraint: Any = None
    bias: bool = True
    input_dim: int | None = None

    def option(self, weight: str, kind: str) -> Any:
        return super().option({"kernel": "W", "bias": "b"}.get(weight, weight), kind)


@dataclass(eq=False)
class MaxoutDense(_LegacyDense):
    """The maximum of `nb_feature` affine maps (keras-facts: plain-kernels).

    x (batch, in), kernel (feature, in, out), bias (feature, out)
    """

    output_dim: int
    nb_feature: int = 4

    def weight_specs(self, shape: Shape) -> list[Weight]:
        size = (self.nb_feature, self.known(shape, 1), self.output_dim)
        kernel = Weight("kernel", size, MAXOUT_KERNEL, initializer=self.init)
        bias = Weight("bias", (self.nb_feature, self.output_dim), MAXOUT_BIAS)
        return [kernel, bias] if self.bias else [kernel]

    def compute_output_shape(self, shape: Shape) -> Shape:
        return (shape[0], self.output_dim)

    def call(self, K: Backend, w: Weights, x: Tensor, mask: Any = None, training: Phase | None = None) -> Tensor:
        size = (self.nb_feature, self.output_dim)
        kernel = K.reshape(K.transpose(w["kernel"], (1, 0, 2)), (-1, math.prod(size)))  # (in, feature * out)
        maps = K.reshape(K.dot(x, kernel), (-1, *size))
        return K.max(maps + w["bias"] if self.bias else maps, axis=1)


@dataclass(eq=False)
class Highway(_LegacyDense):
    """t * activation(x . kernel + bias) + (1 - t) * x, with t = sigmoid(x . carry_kernel + carry_bias).

    x (batch, n), kernels (n, n), biases (n,)
    """

    activation: Any = "linear"
    transform_bias: float = old_option(1.0)

    def weight_specs(self, shape: Shape) -> list[Weight]:
        n = self.known(shape, 1)
        kernels = [Weight(name, (n, n), DENSE_KERNEL, initializer=self.init) for name in ("kernel", "carry_kernel")]
        carry = {"class_name": "Constant", "config": {"value": self.transform_bias}}
        biases = [Weight("bias", (n,)), Weight("carry_bias", (n,), initializer=carry)]
        return [*kernels, *biases] if self.bias else kernels

    def call(self, K: Backend, w: Weights, x: Tensor, mask: Any = None, training: Phase | None = None) -> Tensor:
        transform = K.sigmoid(_affine(K, w, x, "carry_"))
        return transform * activation(stated(self, "activation"))(K, _affine(K, w, x)) + (1.0 - transform) * x


def _affine(K: Backend, w: Weights, x: Tensor, prefix: str = "") -> Tensor:
    """x . kernel + bias, or x . kernel in a layer without a bias."""
    y = K.dot(x, w[f"{prefix}kernel"])
    return y + w[f"{prefix}bias"] if f"{prefix}bias" in w else y


# -------------------------------------------------------------------- masks ----


@dataclass(eq=False)
class Masking(Layer):
    """Masks the time steps in which every feature is `mask_value`, and sets them to 0."""

    mask_value: float = 0.0

    @property
    def makes_mask(self) -> bool:
        return True

    def call(self, K: Backend, w: Weights, x: Tensor, mask: Any = None, training: Phase | None = None) -> Tensor:
        return x * K.cast(K.expand_dims(self.compute_mask(K, x), -1), floatx())

    def compute_mask(self, K: Backend, x: Tensor, mask: Any = None) -> Tensor:
        return K.any(K.not_equal(x, self.mask_value), axis=-1)


# --------------------------------------------------------- arbitrary functions ----


@dataclass(eq=False)
class Lambda(Layer):
    """A user's function, which a file stores as Python bytecode or by name. Bytecode is never loaded.

    A configuration that this process wrote has its functions again (`python_functions`). Else a function of the user
    replaces it, under the name of the layer or under the name of the function in the file: one that is given as
    `custom_objects`, or registered with `kconvert.register_function`. Another one may compute the shape of the output,
    under the name of the layer and `_output_shape`, or under the name in the file.
    """

    # The function, as the file stores it or as the user gives it.
    function: Any
    # The output shape without the batch axis, where the file states it.
    declared_shape: Any = field(default=None, metadata={"key": "output_shape"})
    # The mask of the output, or a function `mask(inputs, mask)` that computes it. Keras does not store it.
    mask: Any = None
    # Keyword arguments of the function.
    arguments: dict[str, Any] = field(default_factory=dict)
    # "function": `function` is a name; "lambda": it is bytecode. The same for the shape: "raw" is a value.
    function_type: str = "lambda"
    output_shape_type: str = "raw"
    # Whether Keras infers the output shape where none is declared, as it does on TensorFlow.
    infers: bool = field(default=False, init=False)

    def __post_init__(self) -> None:
        self.function = self._live(self.function, self.function_type)
        self.declared_shape = self._live(self.declared_shape, self.output_shape_type)
        self.infers = callable(self.function)

    def _live(self, stated: Any, kind: str) -> Any:
        """The function that the configuration states, if it is at hand and is no custom object; else what it states."""
        function = getattr(stated, "function", None)
        if function is None and kind in ("lambda", "function") and find_function(self.name, stated) is None:
            function = python_functions.found(stated, kind, self.name)
            if function is not None and kind == "function":
                what = (
                    f"layer {self.name}: the configuration names a function {stated!r}; the one of this process is used"
                )
                warnings.warn(what, stacklevel=2)
        return stated if function is None else function

    def __getstate__(self) -> dict[str, Any]:
        """The state of a deep copy or a pickle, in which lambdas are bytecode."""
        dumped = {
            key: value
            for key in ("function", "declared_shape")
            if isinstance(value := self._stored(getattr(self, key))[0], DumpedFunction)
        }
        return {**super().__getstate__(), **dumped}

    def __copy__(self) -> Any:
        result = super().__copy__()
        result.__setstate__(result.__dict__)
        return result

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update({key: getattr(value, "function", value) for key, value in state.items()})

    def _stored(self, value: Any) -> tuple[Any, str | None]:
        """A function as the configuration states it, with its kind; any other value as it is, and None."""
        return python_functions.stored(value, self.name) if callable(value) else (value, None)

    def stated_config(self, old_options: bool = False) -> dict[str, Any]:
        """The configuration: lambdas are stored as bytecode, other functions of the user by their names."""
        config = super().stated_config(old_options)
        config.pop("mask", None)
        for key, value in (("function", self.function), ("output_shape", self.declared_shape)):
            stated, kind = self._stored(value)
            if kind:
                config.update({key: stated, f"{key}_type": kind})
        return config

    @property
    def counts_samples(self) -> bool:
        return True

    @property
    def custom(self) -> CustomFunction | None:
        """The user's function; None where there is none."""
        if callable(self.function):
            shape = self.declared_shape if callable(self.declared_shape) else None
            return CustomFunction(self.name or self.class_name, self.function, shape)
        with giving(self.custom_objects):
            return find_function(self.name, self.function if self.function_type == "function" else None)

    @property
    def _shape_function(self) -> Any:
        """The user's function from the shape of the input to that of the output; None where there is none."""
        if self.custom and callable(self.custom.output_shape):
            return self.custom.output_shape
        with giving(self.custom_objects):
            named = self.declared_shape if self.output_shape_type == "function" else None
            found = find_function(f"{self.name}_output_shape", named)
        return found and found.shape_of

    def compute_output_shape(self, shape: Any) -> Shape:
        """The declared shape. Where none is declared, the shape of the input, as in Keras on Theano.

        Where Keras infers it, or the file stores it as a function, it is the shape that the user's function gives, if
        there is one, else a guess.
        """
        first = shape[0] if isinstance(shape, list) else shape
        if function := self._shape_function:
            return tuple(function(shape))
        declared = self._declared
        if declared is not None:
            return (first[0], *declared)
        if self.is_unknown:
            return self.guessed_shape(shape)
        computes = self.infers or self.output_shape_type != "raw"
        return (self.computed_shape(shape) if computes else None) or tuple(first)

    @property
    def _declared(self) -> Any:
        """The shape that the user or the file states, without the batch; None where neither states one."""
        if self.custom and self.custom.output_shape is not None:
            return None if callable(self.custom.output_shape) else self.custom.output_shape
        return self.declared_shape if self.output_shape_type == "raw" else None

    @property
    def is_unknown(self) -> bool:
        """Whether Keras computes the output shape, and no declaration and no function of the user states it."""
        computed = self.output_shape_type != "raw" or (self.infers and self.declared_shape is None)
        return computed and self.custom is None and self._shape_function is None

    def computed_shape(self, shape: Any) -> Shape | None:
        """The shape that the registered function gives for inputs of `shape`.

        None where one is declared, or where there is no function.

        Raises KconvertError where the function cannot be run.
        """
        if self.custom is None or self._shape_function or self._declared is not None:
            return None
        try:
            return self.custom.shape_for(shape, self._arguments)
        except (KconvertError, ValueError) as error:
            what, fix = (error.what, error.fix) if isinstance(error, KconvertError) else (str(error), None)
            state = f"state the shape with kconvert.register_function({self.name!r}, output_shape=...)"
            raise KconvertError(
                f"its output shape is not known: {what}", f"layer {self.name}", f"{fix}, or {state}" if fix else state
            ) from error

    @property
    def _arguments(self) -> dict[str, Any]:
        """The keyword arguments of the function. Keras stores an array as a mapping."""
        return {
            key: np.array(value["value"]) if isinstance(value, dict) and value.get("type") == "ndarray" else value
            for key, value in (self.arguments or {}).items()
        }

    @property
    def cannot_run(self) -> KconvertError | None:
        if self.custom is not None:
            return None
        return self.refusal("it holds a Python function, which kconvert does not load from a file")

    def call(self, K: Backend, w: Weights, x: Any, mask: Any = None, training: Phase | None = None) -> Any:
        function = self.custom
        if function is None:
            raise self.cannot_run  # type: ignore[misc]  # as there is no function
        masks = {"mask": mask} if "mask" in function.parameters else {}
        y = function.run(K, x, **self._arguments, **masks)
        if self._declared is not None:
            check_output(function, K, y, tuple(self._declared))
        return y

    def compute_mask(self, K: Backend, x: Any, mask: Any = None) -> Any:
        if not callable(self.mask):
            return self.mask
        return CustomFunction(f"{self.name}_mask", self.mask).attempt(K, x, mask)

    def refusal(self, reason: str, *more: str) -> KconvertError:
        """The error for a Lambda without a function of the user. more: further arguments to register it with."""
        call = ", ".join((repr(self.name), *more))
        return KconvertError(
            f"a Lambda layer cannot run: {reason}",
            f"layer {self.name}",
            own_code("function", self.name, f"kconvert.register_function({call})"),
        )
