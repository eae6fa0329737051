"""Configuration fields that several families of layers share."""

from __future__ import annotations

from typing import Any

from ..lazy_dataclasses import dataclass
from .component_names import WithComponents


@dataclass(eq=False, kw_only=True)
class KernelFields(WithComponents):
    """Options for the kernel and the bias of Dense, convolutions and locally connected layers."""

    kernel_initializer: Any = "glorot_uniform"
    bias_initializer: Any = "zeros"
    kernel_regularizer: Any = None
    bias_regularizer: Any = None
    activity_regularizer: Any = None
    kernel_constraint: Any = None
    bias_constraint: Any = None
