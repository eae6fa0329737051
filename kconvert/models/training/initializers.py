"""Initializers of Keras 2.3.1: the initial values of weights.

`initializer.values(shape, rng)` returns a float32 array. Shapes are canonical, for kernels (spatial..., in,
out), so that a unit has the same number of inputs and outputs on every backend. Source: `initializers.py` of Keras
2.3.1.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from inspect import signature
from typing import Any
from zlib import crc32

import numpy as np

from ...backend import get_backend
from ...backend.computing import computing, current_backend
from ...backend.float_settings import floatx
from ...backend.seeds import SEEDS_BELOW, stated_or_fresh
from ...conventions.roles import Weight
from ...errors import KconvertError, Problem
from ...layers.component_names import found_by
from ...layers.operations import record
from ...lazy_dataclasses import dataclass
from ...network.graph import LeafWeights
from .registry import Component, Registry
from .registry import serialize as serialize

Shape = tuple[int, ...]

TRUNCATED_STDDEV = 0.8796256610342398
"""Standard deviation of the standard normal distribution, truncated at -2 and 2."""


class Initializer(Component):
    """Base class of the initializers."""

    def __call__(self, shape: Sequence[int], dtype: Any = None) -> Any:
        """The values, as in Keras: what stands for a tensor; a tensor where a backend computes.

        dtype: the name of the type of the elements; None for float32.
        """
        values = self.values(tuple(shape), np.random.default_rng(stated_or_fresh(None)))
        return record(lambda: current_backend().constant(values, dtype or floatx()))

    def values(self, shape: Shape, rng: np.random.Generator) -> np.ndarray:
        """A float32 array of shape `shape`, drawn from `rng`.

        An initializer with a seed does not use `rng`: it counts its calls, and each call takes the next seed
        (keras-facts: seeds-of-initializers).
        """
        seed = getattr(self, "seed", None)
        if seed is not None:
            calls = self.__dict__.get("_calls", 0)
            self.__dict__["_calls"] = calls + 1
            rng = self.generator(seed + calls)
        return np.asarray(self.draw(tuple(shape), rng), floatx())

    def draw_seed(self, shape: Shape) -> int | None:
        """Draws from NumPy's global generator what Keras draws for a weight of `shape`, and gives a seed.

        None where nothing is drawn: the values are not random, or the initializer has a seed.
        """
        return int(np.random.randint(SEEDS_BELOW)) if getattr(self, "seed", 0) is None else None

    def generator(self, seed: int) -> Any:
        """What draws the values of an initializer with a seed."""
        return np.random.default_rng(seed)

    def for_weight(self, leaf: LeafWeights, weight: Weight, rng: np.random.Generator) -> np.ndarray:
        """The values, in canonical form, of a weight of the layer `leaf`."""
        return self.values(weight.shape, rng)

    def draw(self, shape: Shape, rng: np.random.Generator) -> np.ndarray:
        """The values: an array of shape `shape`, of any float dtype."""
        raise NotImplementedError(f"{self.class_name} defines neither draw nor __call__")


@dataclass(frozen=True)
class Zeros(Initializer):
    """Zeros."""

    def draw(self, shape: Shape, rng: np.random.Generator) -> np.ndarray:
        return np.zeros(shape)


@dataclass(frozen=True)
class Ones(Initializer):
    """Ones."""

    def draw(self, shape: Shape, rng: np.random.Generator) -> np.ndarray:
        return np.ones(shape)


@dataclass(frozen=True)
class Constant(Initializer):
    """The same value for all elements; or an array, which is broadcast to the shape."""

    value: Any = 0

    def draw(self, shape: Shape, rng: np.random.Generator) -> np.ndarray:
        try:
            return np.broadcast_to(self.value, shape)
        except ValueError:
            size = np.shape(self.value)
            raise KconvertError(
                f"a constant of shape {size} cannot be broadcast to a weight of shape {shape}"
            ) from None


@dataclass(frozen=True)
class RandomNormal(Initializer):
    """A normal distribution."""

    mean: float = 0.0
    stddev: float = 0.05
    seed: int | None = None

    def draw(self, shape: Shape, rng: np.random.Generator) -> np.ndarray:
        return rng.normal(self.mean, self.stddev, shape)


@dataclass(frozen=True)
class RandomUniform(Initializer):
    """A uniform distribution from `minval` to `maxval`."""

    minval: float = -0.05
    maxval: float = 0.05
    seed: int | None = None

    def draw(self, shape: Shape, rng: np.random.Generator) -> np.ndarray:
        return rng.uniform(self.minval, self.maxval, shape)


@dataclass(frozen=True)
class TruncatedNormal(Initializer):
    """A normal distribution; values more than two standard deviations from the mean are drawn again."""

    mean: float = 0.0
    stddev: float = 0.05
    seed: int | None = None

    def draw(self, shape: Shape, rng: np.random.Generator) -> np.ndarray:
        return self.mean + self.stddev * _truncated_normal(shape, rng)


@dataclass(frozen=True)
class VarianceScaling(Initializer):
    """Random values whose variance is `scale` divided by a number of connections of a unit.

    mode: the number that divides: the inputs ('fan_in'), the outputs ('fan_out') or their mean ('fan_avg').
    distribution: 'normal' (truncated) or 'uniform'. Raises KconvertError for other values.

    >>> values = VarianceScaling(mode="fan_avg", distribution="uniform").values((60, 90), np.random.default_rng(0))
    >>> bool(abs(values).max() < (6 / 150) ** 0.5), round(float(values.var() * 75), 1)
    (True, 1.0)
    """

    scale: float = 1.0
    mode: str = "fan_in"
    distribution: str = "normal"
    seed: int | None = None

    def __post_init__(self) -> None:
        if self.scale <= 0:
            raise KconvertError(f"the scale of VarianceScaling must be positive, not {self.scale}")
        for name, known in (("mode", ("fan_in", "fan_out", "fan_avg")), ("distribution", ("normal", "uniform"))):
            value = str(getattr(self, name)).lower().replace("truncated_", "")
            if value not in known:
                raise KconvertError(
                    f"unknown {name} {value!r} of VarianceScaling",
                    fix=f"one of: {', '.join(known)}",
                    problem=Problem.USAGE,
                )
            object.__setattr__(self, name, value)

    def draw(self, shape: Shape, rng: np.random.Generator) -> np.ndarray:
        fan_in, fan_out = fans(shape)
        fan = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2}[self.mode]
        stddev = np.sqrt(self.scale / max(1.0, fan))
        if self.distribution == "uniform":
            return rng.uniform(-np.sqrt(3) * stddev, np.sqrt(3) * stddev, shape)
        return stddev / TRUNCATED_STDDEV * _truncated_normal(shape, rng)


@dataclass(frozen=True)
class Orthogonal(Initializer):
    """An orthogonal matrix times `gain`: its columns, or its rows if they are fewer, are orthonormal.

    The last axis of the weight is the columns; all other axes together are the rows.
    """

    gain: float = 1.0
    seed: int | None = None

    def draw_seed(self, shape: Shape) -> int | None:
        return None if self.seed is not None else crc32(np.random.normal(size=shape).tobytes())

    def generator(self, seed: int) -> Any:
        """The generator of NumPy that Keras takes, on every backend."""
        return np.random.RandomState(seed)

    def draw(self, shape: Shape, rng: np.random.Generator) -> np.ndarray:
        if len(shape) < 2:
            raise KconvertError(f"the initializer Orthogonal needs a shape of two axes or more, not {shape}")
        flat = (int(np.prod(shape[:-1])), shape[-1])
        u, _, v = np.linalg.svd(rng.standard_normal(flat), full_matrices=False)
        return self.gain * (u if u.shape == flat else v).reshape(shape)


@dataclass(frozen=True)
class Identity(Initializer):
    """The identity matrix times `gain`."""

    gain: float = 1.0

    def draw(self, shape: Shape, rng: np.random.Generator) -> np.ndarray:
        if len(shape) != 2:
            raise KconvertError(f"the initializer Identity needs a shape of two axes, not {shape}")
        return self.gain * np.eye(*shape)


@dataclass(frozen=True)
class UnitForgetBias(Initializer):
    """The bias of an LSTM: ones for the forget gate, values of `bias_initializer` for the other gates.

    Shape (4 * units,), gates in the order `ifco`; or (2, 4 * units) for cuDNN, where the last row has the ones.
    """

    bias_initializer: Any = "zeros"

    def draw_seed(self, shape: Shape) -> int | None:
        seeds = [get(self.bias_initializer).draw_seed(shape) for _ in range(2)]  # for what is before and after the ones
        return seeds[0]

    def draw(self, shape: Shape, rng: np.random.Generator) -> np.ndarray:
        values = get(self.bias_initializer).values(shape, rng).copy()
        units = shape[-1] // 4
        values.reshape(-1, shape[-1])[-1, units : 2 * units] = 1
        return values


def fans(shape: Shape) -> tuple[float, float]:
    """The number of inputs of a unit, and of units that an input goes to.

    For a vector, and for more than five axes, both are the root of the size, as in Keras.

    >>> fans((3, 3, 16, 32))
    (144, 288)
    """
    if len(shape) < 2 or len(shape) > 5:
        root = float(np.sqrt(np.prod(shape)))
        return root, root
    field = int(np.prod(shape[:-2]))
    return field * shape[-2], field * shape[-1]


def _truncated_normal(shape: Shape, rng: np.random.Generator) -> np.ndarray:
    values = rng.standard_normal(shape)
    while (far := np.abs(values) > 2).any():
        values[far] = rng.standard_normal(int(far.sum()))
    return values


def _scaling(scale: float, mode: str, distribution: str) -> Callable[..., Initializer]:
    """A function that makes a VarianceScaling, with the seed as its only parameter."""

    def make(seed: int | None = None) -> Initializer:
        return VarianceScaling(scale, mode, distribution, seed)

    return make


@dataclass(frozen=True)
class FunctionInitializer(Initializer):
    """A function of the user: `f(shape, dtype=None)` as in Keras, or `f(shape, rng)`."""

    function: Callable[..., Any]

    def draw(self, shape: Shape, rng: np.random.Generator) -> np.ndarray:
        if "rng" in signature(self.function).parameters:
            return np.asarray(self.function(shape, rng))
        with computing(get_backend("numpy")):
            return np.asarray(self.function(shape))


zeros = zero = Zeros
ones = one = Ones
constant = Constant
random_normal = normal = RandomNormal
random_uniform = uniform = RandomUniform
truncated_normal = TruncatedNormal
orthogonal = Orthogonal
identity = Identity
glorot_uniform = _scaling(1.0, "fan_avg", "uniform")
glorot_normal = _scaling(1.0, "fan_avg", "normal")
he_uniform = _scaling(2.0, "fan_in", "uniform")
he_normal = _scaling(2.0, "fan_in", "normal")
lecun_uniform = _scaling(1.0, "fan_in", "uniform")
lecun_normal = _scaling(1.0, "fan_in", "normal")

INITIALIZERS = Registry(
    "initializer",
    Initializer,
    {
        "Zeros": Zeros,
        "Ones": Ones,
        "Constant": Constant,
        "RandomNormal": RandomNormal,
        "RandomUniform": RandomUniform,
        "TruncatedNormal": TruncatedNormal,
        "VarianceScaling": VarianceScaling,
        "Orthogonal": Orthogonal,
        "Identity": Identity,
        "UnitForgetBias": UnitForgetBias,
        "glorot_uniform": glorot_uniform,
        "glorot_normal": glorot_normal,
        "he_uniform": he_uniform,
        "he_normal": he_normal,
        "lecun_uniform": lecun_uniform,
        "lecun_normal": lecun_normal,
        "zero": Zeros,
        "one": Ones,
        "uniform": RandomUniform,
        "normal": RandomNormal,
    },
    wrap=FunctionInitializer,
)


def get(spec: Any) -> Any:
    """The initializer that `spec` describes: see `Registry.get`. A function takes (shape, dtype=None) or (shape, rng).

    >>> get("glorot_uniform")
    VarianceScaling(scale=1.0, mode='fan_avg', distribution='uniform', seed=None)
    """
    return INITIALIZERS.get(spec)


found_by(get, "_initializer")
deserialize = INITIALIZERS.deserialize
