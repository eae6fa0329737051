"""Random numbers in a Theano graph: a function of shape and seed, computed with NumPy."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count
from typing import Any

from . import noise, theano_compat
from .base import Size, Tensor

theano = theano_compat.load()
T = theano.tensor


class _Noise(theano.Op):  # type: ignore[name-defined]
    """Random numbers of one distribution; the inputs are the shape and the seed, both as tensors.

    draw: `noise.uniform` or `noise.normal`.
    units: for each axis, whether it is known to have size 1.
    """

    __props__ = ("draw", "units")

    def __init__(self, draw: Any, units: tuple[bool, ...]) -> None:
        self.draw, self.units = draw, units

    def make_node(self, shape: Tensor, seed: Tensor) -> Any:
        inputs = [T.as_tensor_variable(shape), T.as_tensor_variable(seed)]
        return theano.Apply(self, inputs, [T.TensorType("float32", self.units)()])

    def perform(self, node: Any, inputs: Any, outputs: Any, params: Any = None) -> None:
        outputs[0][0] = self.draw(*inputs)

    def infer_shape(self, node: Any, shapes: Any) -> Any:
        return [tuple(node.inputs[0][axis] for axis in range(len(self.units)))]

    def connection_pattern(self, node: Any) -> Any:
        return [[False], [False]]

    def grad(self, inputs: Any, gradients: Any) -> Any:
        return [theano.gradient.DisconnectedType()() for _ in inputs]


class _FreshSeed(theano.Op):  # type: ignore[name-defined]
    """Two int32 that are drawn in each run.

    number: another one for each use, because Theano merges equal operations. seed: of the series, see `noise.series`.
    """

    __props__ = ("number",)

    def __init__(self, number: int, seed: int | None) -> None:
        self.number, self.generator = number, noise.series(seed)

    def make_node(self) -> Any:
        return theano.Apply(self, [], [T.ivector()])

    def perform(self, node: Any, inputs: Any, outputs: Any, params: Any = None) -> None:
        outputs[0][0] = noise.fresh_seed(self.generator)

    def infer_shape(self, node: Any, shapes: Any) -> Any:
        return [(T.as_tensor_variable(2),)]

    def do_constant_folding(self, node: Any) -> bool:
        return False


_uses = count()


def fresh_seed(seed: int | None = None) -> Tensor:
    """A seed that is drawn in each run; seed: of the series."""
    return _FreshSeed(next(_uses), seed)()


def uniform(shape: Sequence[Size], seed: Tensor) -> Tensor:
    """Uniform float32 numbers in [0, 1)."""
    return _drawn(noise.uniform, shape, seed)


def normal(shape: Sequence[Size], seed: Tensor) -> Tensor:
    """Normal float32 numbers of mean 0 and standard deviation 1."""
    return _drawn(noise.normal, shape, seed)


def _drawn(draw: Any, shape: Sequence[Size], seed: Tensor) -> Tensor:
    units = tuple(isinstance(n, int) and n == 1 for n in shape)
    return _Noise(draw, units)(T.stack(list(shape)), seed)
