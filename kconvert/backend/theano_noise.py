"""Random numbers in a Theano graph: a function of shape and seed, computed in NumPy."""

from __future__ import annotations

from typing import Any

from . import noise, theano_compat
from .base import Tensor

theano = theano_compat.load()
T = theano.tensor


class _Noise(theano.Op):  # type: ignore[name-defined]
    """Numbers of one distribution, of a shape and by a seed that both are tensors."""

    __props__ = ("draw", "ndim")

    def __init__(self, draw: Any, ndim: int) -> None:
        self.draw, self.ndim = draw, ndim

    def make_node(self, shape: Tensor, seed: Tensor) -> Any:
        inputs = [T.as_tensor_variable(shape), T.as_tensor_variable(seed)]
        return theano.Apply(self, inputs, [T.TensorType("float32", (False,) * self.ndim)()])

    def perform(self, node: Any, inputs: Any, outputs: Any, params: Any = None) -> None:
        outputs[0][0] = self.draw(*inputs)

    def infer_shape(self, node: Any, shapes: Any) -> Any:
        return [tuple(node.inputs[0][axis] for axis in range(self.ndim))]

    def connection_pattern(self, node: Any) -> Any:
        return [[False], [False]]

    def grad(self, inputs: Any, gradients: Any) -> Any:
        return [theano.gradient.DisconnectedType()() for _ in inputs]


def uniform(shape: Tensor, seed: Tensor, ndim: int) -> Tensor:
    """float32 from [0, 1)."""
    return _Noise(noise.uniform, ndim)(shape, seed)


def normal(shape: Tensor, seed: Tensor, ndim: int) -> Tensor:
    """float32 of mean 0 and standard deviation 1."""
    return _Noise(noise.normal, ndim)(shape, seed)
