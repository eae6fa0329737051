"""Embedding: from integers to vectors by a table."""

from __future__ import annotations

from dataclasses import field
from typing import Any

from ..backend.base import Backend, Tensor
from ..conventions.roles import Weight, embeddings
from ..errors import KconvertError
from ..lazy_dataclasses import dataclass
from .base import Layer, Shape, Weights
from .component_names import stated
from .options import old_option
from .phase import Phase


@dataclass(eq=False)
class Embedding(Layer):
    """The rows of a trained table (input_dim, output_dim) at the integers of the input.

    x (batch, ...), output (batch, ..., output_dim). mask_zero: mask the time steps with the integer 0. dropout: in
    training, rows of the table are dropped out (keras-facts: embedding-dropout-scales).
    """

    input_dim: int = field(kw_only=False)
    output_dim: int
    embeddings_initializer: Any = "uniform"
    embeddings_regularizer: Any = None
    activity_regularizer: Any = None
    embeddings_constraint: Any = None
    mask_zero: bool = False
    input_length: Any = None
    dropout: float = old_option(0.0)

    @classmethod
    def native_arguments(cls, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """The arguments; `batch_size` alone states a shape too, because the layer always has one."""
        batch = kwargs.get("batch_size")
        args, kwargs = super().native_arguments(args, kwargs)
        if batch is not None and kwargs.get("batch_input_shape") is None:
            lengths = kwargs.get("input_length")
            sizes = tuple(lengths) if isinstance(lengths, (list, tuple)) else (lengths,)
            kwargs = {**kwargs, "batch_input_shape": (batch, *sizes)}
        return args, kwargs

    def __post_init__(self) -> None:
        if self.batch_input_shape is None:
            self.batch_input_shape = (None, *(self.lengths or (None,)))

    @property
    def makes_mask(self) -> bool:
        return self.mask_zero

    @property
    def lengths(self) -> tuple[int | None, ...]:
        """`input_length` as the sizes of the axes after the batch; empty where it is not stated."""
        if isinstance(self.input_length, (tuple, list)):
            return tuple(self.input_length)
        return (self.input_length,) if self.input_length else ()

    def weight_specs(self, shape: Shape) -> list[Weight]:
        size = (self.input_dim, self.output_dim)
        return [
            Weight("embeddings", size, embeddings(self.dropout), initializer=stated(self, "embeddings_initializer"))
        ]

    def compute_output_shape(self, shape: Shape) -> Shape:
        lengths = self.lengths or shape[1:]
        sizes = tuple(known if length is None else length for length, known in zip(lengths, shape[1:], strict=False))
        if len(lengths) != len(shape) - 1 or any(b not in (None, a) for a, b in zip(sizes, shape[1:], strict=True)):
            what = f"input_length is {self.input_length}, but the input has shape {shape}"
            raise KconvertError(what, where=f"layer {self.name}")
        return (shape[0], *sizes, self.output_dim)

    def call(self, K: Backend, w: Weights, x: Tensor, mask: Any = None, training: Phase | None = None) -> Tensor:
        table = w["embeddings"]
        if training and self.dropout:
            table = table * training.dropout_factors((self.input_dim, 1), self.dropout)
        return K.gather(table, K.cast(x, "int32"))

    def compute_mask(self, K: Backend, x: Tensor, mask: Any = None) -> Any:
        return K.not_equal(x, 0) if self.mask_zero else None
