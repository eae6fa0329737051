"""LayerNormalization of tf.keras: each sample scaled to mean 0 and variance 1."""

from __future__ import annotations

from typing import Any, ClassVar

from ..backend.base import Backend, Tensor
from ..conventions.roles import Weight, map_parameter
from ..lazy_dataclasses import dataclass
from .base import Layer, Shape, Weights
from .component_names import stated
from .normalization import moments
from .phase import Phase
from .shapes import axes_of


@dataclass(eq=False)
class LayerNormalization(Layer):
    """gamma * (x - mean) / sqrt(variance + epsilon) + beta, with mean and variance over `axis` of each sample.

    gamma and beta have the sizes of `axis`, in the order in which it lists the axes. They are reshaped to the order of
    the input, not transposed (keras-facts: layer-normalization).
    """

    axis: Any = -1
    epsilon: float = 1e-3
    center: bool = True
    scale: bool = True
    beta_initializer: Any = "zeros"
    gamma_initializer: Any = "ones"
    beta_regularizer: Any = None
    gamma_regularizer: Any = None
    beta_constraint: Any = None
    gamma_constraint: Any = None

    supports_masking: ClassVar[bool] = True
    of_tf_keras: ClassVar[bool] = True

    @property
    def counts_samples(self) -> bool:
        axes = self.axis if isinstance(self.axis, (list, tuple)) else (self.axis,)
        return 0 in axes

    def weight_specs(self, shape: Shape) -> list[Weight]:
        if not (self.scale or self.center):
            return []  # the size of the batch, which may be one of `axis`, need not be known
        size = tuple(self.known(shape, axis) for axis in axes_of(self.axis, len(shape)))
        role = map_parameter(len(size))
        gamma = Weight("gamma", size, role, initializer=stated(self, "gamma_initializer"))
        beta = Weight("beta", size, role, initializer=stated(self, "beta_initializer"))
        return [*([gamma] if self.scale else []), *([beta] if self.center else [])]

    def call(self, K: Backend, w: Weights, x: Tensor, mask: Any = None, training: Phase | None = None) -> Tensor:
        axes = axes_of(self.axis, K.ndim(x))
        sizes = [n if axis in axes else 1 for axis, n in enumerate(K.shape(x))]
        mean, variance = moments(K, x, axes)
        y = (x - mean) / K.sqrt(variance + self.epsilon)
        y = y * K.reshape(w["gamma"], sizes) if self.scale else y
        return y + K.reshape(w["beta"], sizes) if self.center else y
