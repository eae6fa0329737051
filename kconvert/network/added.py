"""Losses and metrics that a model adds as symbols: `model.add_loss(symbol)`, `model.add_metric(symbol, name)`.

They are computed at the end of each run of the network, also if it is nested in another one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..backend.base import Backend, Tensor
from ..errors import KconvertError, Problem
from ..layers.calls import Call, Symbol, calls_behind
from ..layers.lists import as_list, one_or_list
from ..lazy_dataclasses import dataclass
from .graph import Ref


@dataclass(frozen=True, eq=False)
class Added:
    """A scalar or a tensor that is computed from the tensors of a network."""

    # None: it is a loss; otherwise the name of a metric.
    metric: str | None
    # A symbol or a number.
    symbol: Any
    # The calls that the graph of the network does not have, in their order.
    calls: tuple[Call, ...]
    # The tensors of the network that they start from.
    known: Mapping[Symbol, Ref]
    # What `add_loss` of a layer noted outside of `call`; None: the network itself added it.
    noted: Any = None

    def value(self, K: Backend, tensors: Mapping[Ref, Tensor]) -> Tensor:
        """The value, from the tensors of a run."""
        if not isinstance(self.symbol, Symbol):
            return K.constant(float(self.symbol))
        values = {symbol: tensors[ref] for symbol, ref in self.known.items() if ref in tensors}
        for call in self.calls:
            result = call.layer.call(K, {}, one_or_list([values[one] for one in call.inputs]))
            values.update(zip(call.outputs, as_list(result), strict=True))
        return values[self.symbol]


def added(symbol: Any, known: Mapping[Symbol, Ref], where: str, metric: str | None = None, noted: Any = None) -> Added:
    """The `Added` for `symbol`. known: the symbols of the network's tensors. where: for messages.

    metric, noted: as in `Added`; what a layer noted may be a number.

    Raises KconvertError where it is no symbol, needs an input that the network does not have, or needs a layer with
    weights that is not in the network.
    """
    if noted is not None and isinstance(symbol, (int, float)):
        return Added(metric, symbol, (), {}, noted)
    if not isinstance(symbol, Symbol):
        what = f"add_{'metric' if metric else 'loss'} takes a symbol, not {type(symbol).__name__}"
        raise KconvertError(what, where, "compute it from the inputs and outputs of layers", Problem.USAGE)
    calls: list[Call] = []
    needed = {symbol} - known.keys()
    for call in reversed(calls_behind([symbol])):
        if needed.isdisjoint(call.outputs):
            continue
        if not call.inputs or call.layer.weight_specs(one_or_list([one.shape for one in call.inputs])):
            kind = "an input" if not call.inputs else "a layer with weights"
            what = f"{call.layer.name} is {kind} that is not in the model"
            raise KconvertError(what, where, "compute it from tensors of the model", Problem.USAGE)
        calls.insert(0, call)
        needed.update(set(call.inputs) - known.keys())
    return Added(metric, symbol, tuple(calls), dict(known), noted)
