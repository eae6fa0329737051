"""The arguments of a call besides its tensors, which Keras stores with the call.

`training` and `mask` are those of Keras's layers. They are stored with the first tensor of the call, and written back
(keras-facts: calls-of-tf-keras).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ...errors import KconvertError
from .items import flat, shown


def check_arguments(arguments: Mapping[str, Any], layers: frozenset[str], where: str) -> None:
    """Raises KconvertError where an argument is a tensor of the graph, such as a mask, which only tf.keras stores.

    layers: the names of the layers in the graph.
    """
    for key, value in arguments.items():
        if any(ref[0] in layers for ref in _tensors(value)):
            raise KconvertError(
                f"the argument {key}={shown(value)} of a call is a tensor, which tf.keras stores, not Keras 0.2 - 2.3",
                where=where,
                fix="build the model without the argument, load the weights into it, and save that",
            )


def _tensors(value: Any) -> Iterator[list[Any]]:
    """The parts of an argument that have the form of a tensor: `['layer', 0, 0]`."""
    for one in flat(value):
        if isinstance(one, list) and len(one) in (3, 4) and list(map(type, one[:3])) == [str, int, int]:
            yield one


def always_trains(arguments: Mapping[str, Any], where: str) -> KconvertError | None:
    """The error for a call that states `training=True`, so that it always computes as in training; None for others."""
    if not arguments.get("training"):
        return None
    return KconvertError(
        f"the call states training={arguments['training']!r}: it computes as in training in every run",
        where=where,
        fix="build the model without the argument, load the weights into it, and save that",
    )
