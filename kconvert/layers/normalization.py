"""BatchNormalization: features or samples scaled to mean 0 and variance 1."""

from __future__ import annotations

import math
from typing import Any, ClassVar

from ..backend.base import Backend, Tensor
from ..backend.float_settings import floatx
from ..conventions.roles import VECTOR, Weight, variance
from ..errors import KconvertError, Problem
from ..lazy_dataclasses import dataclass
from .base import Layer, Shape, Weights
from .component_names import stated
from .input_spec import InputSpec
from .options import old_option
from .phase import Phase


@dataclass(eq=False)
class BatchNormalization(Layer):
    """gamma * (x - mean) / sqrt(variance + epsilon) + beta, for each index of `axis`.

    gamma, beta, moving_mean and moving_variance: vectors of the size of `axis` (keras-facts: normalization-arrays).
    mode: where mean and variance come from. 0: from the weights, in training from the batch; 1: from the last axis of
    each sample; 2: always from the batch. Keras 2 has mode 0 only (keras-facts: normalization-modes).
    """

    axis: int = -1
    momentum: float = 0.99
    epsilon: float = 1e-3
    center: bool = True
    scale: bool = True
    beta_initializer: Any = "zeros"
    gamma_initializer: Any = "ones"
    moving_mean_initializer: Any = "zeros"
    moving_variance_initializer: Any = "ones"
    beta_regularizer: Any = None
    gamma_regularizer: Any = None
    beta_constraint: Any = None
    gamma_constraint: Any = None
    mode: int = old_option(0)

    supports_masking: ClassVar[bool] = True

    @property
    def uses_phase(self) -> bool:
        return self.fixed_phase is None and self.mode == 0

    def compute_output_shape(self, shape: Shape) -> Shape:
        if not -len(shape) <= self.axis < len(shape):
            raise KconvertError(f"there is no axis {self.axis} in an input of shape {shape}", problem=Problem.USAGE)
        return shape

    def spec_of(self, shape: Any) -> InputSpec | None:
        return InputSpec(ndim=len(shape), axes={self.axis: shape[self.axis]}) if shape else None

    def weight_specs(self, shape: Shape) -> list[Weight]:
        size = (self.known(shape, self.axis),)
        gamma = Weight("gamma", size, VECTOR, initializer=stated(self, "gamma_initializer"))
        beta = Weight("beta", size, VECTOR, initializer=stated(self, "beta_initializer"))
        return [
            *([gamma] if self.scale else []),
            *([beta] if self.center else []),
            Weight("moving_mean", size, VECTOR, False, stated(self, "moving_mean_initializer")),
            Weight("moving_variance", size, variance(self.epsilon), False, stated(self, "moving_variance_initializer")),
        ]

    @property
    def counts_samples(self) -> bool:
        return self.mode == 2

    updated: ClassVar[tuple[str, ...]] = ("moving_mean", "moving_variance")

    @property
    def unread(self) -> frozenset[str]:
        return frozenset({"moving_mean", "moving_variance"} if self.mode else ())

    def call(self, K: Backend, w: Weights, x: Tensor, mask: Any = None, training: Phase | None = None) -> Tensor:
        rank = K.ndim(x)
        if self.mode == 1:
            mean, variance = moments(K, x, rank - 1)
            scaled = (x - mean) / (K.sqrt(variance + self.epsilon) + self.epsilon)
            return self._affine(scaled, w)
        axis = self.axis % rank
        broadcast = [-1 if i == axis else 1 for i in range(rank)]
        vectors = {name: K.reshape(vector, broadcast) for name, vector in w.items()}
        as_batch, moves = self.mode == 2 or training, training is not None and training.moves and self.mode == 0
        if as_batch or moves:
            axes = [i for i in range(rank) if i != axis]
            mean, variance = moments(K, x, axes)
            if training is not None and moves:
                n = K.cast(math.prod(K.shape(x)[i] for i in axes), floatx())
                corrected = self.moved_variance(K, variance, n, rank == 4 and axis == 3)
                self._move(K, w, "moving_mean", mean, training)
                self._move(K, w, "moving_variance", corrected, training)
        if not as_batch:
            mean, variance = vectors["moving_mean"], vectors["moving_variance"]
        return self._affine((x - mean) / K.sqrt(variance + self.epsilon), vectors)

    def moved_variance(self, K: Backend, variance: Tensor, n: Tensor, image: bool) -> Tensor:
        """The variance that enters the moving average: with the correction of the backend.

        n: the number of values. image: whether these are channels_last images.
        (keras-facts: moving-variance-correction)
        """
        return K.facts.batch_variance(variance, n, self.epsilon, image)

    def _move(self, K: Backend, w: Weights, name: str, value: Tensor, phase: Phase) -> None:
        """Reports the new moving average `name`. value: that of the batch; all axes except `axis` have size 1."""
        new = self.momentum * w[name] + (1.0 - self.momentum) * K.reshape(value, (-1,))
        phase.update(name, K.stop_gradient(new))

    def _affine(self, x: Tensor, w: Weights) -> Tensor:
        """`x` times gamma, where the layer has one, plus beta, where it has one."""
        x = x * w["gamma"] if self.scale else x
        return x + w["beta"] if self.center else x


def moments(K: Backend, x: Tensor, axes: Any) -> tuple[Tensor, Tensor]:
    """Mean and variance over `axes`, which have size 1 in the results."""
    mean = K.mean(x, axes, keepdims=True)
    centered = x - mean
    return mean, K.mean(centered * centered, axes, keepdims=True)
