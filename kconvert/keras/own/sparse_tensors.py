"""Sparse tensors of `keras.backend`: dense ones here, which are marked; sparse matrices of SciPy are made dense."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...backend import functions as F
from ...backend.base import Tensor
from ...backend.computing import current_backend
from ...layers.calls import Symbol
from ...layers.core import InputLayer
from ...layers.deferred import Deferred
from ...layers.operations import Operation
from ...layers.recorded import recorded


def dense_array(value: Any) -> Any:
    """A sparse matrix of SciPy as an array; anything else as it is."""
    return value.toarray() if hasattr(value, "toarray") else value


def is_sparse(tensor: Any) -> bool:
    """Whether a variable, an expression or a symbol stands for a sparse tensor; the tensors of backends are dense."""
    return getattr(_marked(tensor), "sparse", False) is True


def as_sparse(tensor: Any) -> Any:
    """`tensor`, which is marked as a sparse one."""
    owner = _marked(tensor)
    if owner is not None:
        owner.sparse = True
    return tensor


def _marked(tensor: Any) -> Any:
    """What has the mark of a tensor: it, or the input or operation that gives a symbol; None for anything else."""
    owner = tensor.call.layer if isinstance(tensor, Symbol) else tensor
    return owner if isinstance(owner, (Deferred, InputLayer, Operation)) else None


def to_dense(tensor: Any) -> Any:
    """A dense tensor with the values of `tensor`."""
    return _identity(tensor) if is_sparse(tensor) else tensor


def concatenate(tensors: Sequence[Any], axis: int = -1) -> Any:
    """The tensors joined along an existing axis; a sparse tensor where all of them are sparse."""
    joined = _joined(tensors, axis)
    return as_sparse(joined) if all(map(is_sparse, tensors)) else joined


def ctc_label_dense_to_sparse(labels: Any, label_lengths: Any) -> Any:
    """The labels (batch, labels) as a sparse tensor, of which the first `label_lengths` of each sample are stored."""
    return as_sparse(_first_labels(labels, label_lengths))


def _first(labels: Tensor, label_lengths: Tensor) -> Tensor:
    """The labels with zeros behind those that count."""
    K = current_backend()
    places = K.expand_dims(K.arange(F.shape(labels)[1]), 0) + K.cast(labels, "int32") * 0
    counts = K.greater(K.cast(F.reshape(label_lengths, (-1, 1)), "int32"), places)
    return K.where(counts, labels, F.zeros_like(labels, _type_of(labels)))


def _type_of(x: Tensor) -> str:
    return str(getattr(x.dtype, "name", x.dtype))


_identity, _joined, _first_labels = recorded(F.identity), recorded(F.concatenate), recorded(_first)
