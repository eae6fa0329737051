"""Mistakes: the known ways to write a weight wrongly, as values.

The table has two uses. A self-test plants each mistake in a good file, and the verification must catch it. The search
for the cause of a difference tries which mistake explains it. The ways to misread a configuration are for the self-test
only: such a difference is seen by comparing the configurations.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from copy import copy
from itertools import combinations
from typing import Any

import numpy as np

from ..conventions.backends import CHANNELS_FIRST, CHANNELS_LAST, BackendFacts
from ..conventions.roles import Weight
from ..conversion.passes.hazards import windows
from ..conversion.passes.relayout import image_data_format, relayout
from ..kernels import Chain, Flip, Gates, Op, Power, Scale, Transpose
from ..layers import Flatten
from ..layers.base import Layer
from ..lazy_dataclasses import dataclass
from ..network.graph import LayerPath, LeafWeights
from ..network.network import Network

Arrays = Mapping[str, np.ndarray]


@dataclass(frozen=True)
class Mistake:
    """One way to write the weights of a layer wrongly."""

    words: str  # what is wrong with the layer
    ops: Mapping[str, Chain]  # for each wrong weight, what was done to its canonical array
    swapped: tuple[str, str] | None = None  # two weights that were exchanged

    @property
    def weights(self) -> Sequence[str]:
        """The names of the weights that are wrong."""
        return self.swapped or list(self.ops)

    @property
    def remedy(self) -> str:
        """What would repair it."""
        if self.swapped:
            return f"swap {self.swapped[0]} and {self.swapped[1]}"
        return "; ".join(f"{chain.inverse} ({name})" for name, chain in self.ops.items())

    def apply(self, arrays: Arrays) -> dict[str, np.ndarray]:
        """The canonical arrays of the wrong weights, after the mistake."""
        if self.swapped:
            first, second = self.swapped
            return {first: arrays[second], second: arrays[first]}
        return {name: chain.apply(arrays[name])[0] for name, chain in self.ops.items()}

    def explains(self, expected: Arrays, stored: Arrays) -> bool:
        """Whether it turns the expected arrays of a layer into the stored ones."""
        return all(close(array, stored[name]) for name, array in self.apply(expected).items())


def close(x: np.ndarray, y: np.ndarray) -> bool:
    """Equal, rounding aside."""
    if x.shape != y.shape:
        return False
    with np.errstate(invalid="ignore"):
        scale = float(np.nanmax(np.abs(x), initial=0.0))
        return bool(np.allclose(x, y, rtol=1e-5, atol=1e-6 * scale, equal_nan=True))


def mistakes(leaf: LeafWeights, reordered: Mapping[LayerPath, Chain]) -> list[Mistake]:
    """The mistakes that the weights of one layer allow; reordered: those of `in_other_order`."""
    weights = leaf.weights
    found = [Mistake(words, {weight.name: Chain((op,))}) for weight in weights for words, op in _single(weight)]
    found += [Mistake(words, {weight.name: Chain((op,)) for weight in gated}) for words, op, gated in _gates(weights)]
    found += [
        Mistake(f"{a.name} and {b.name} are swapped", {}, (a.name, b.name))
        for a, b in combinations(weights, 2)
        if a.shape == b.shape
    ]
    for weight in weights:
        chain = reordered.get((*leaf.path, weight.name), Chain())
        if len(chain) and chain.shapes((weight.shape,)) == (weight.shape,):
            found.append(
                Mistake(f"the rows of {weight.name} are in the order of another data format", {weight.name: chain})
            )
    return found


def in_other_order(model: Network) -> Mapping[LayerPath, Chain]:
    """For each weight whose rows follow a flattened map: the ops that give them the order of the other data format."""
    there = CHANNELS_LAST if image_data_format(model) == CHANNELS_FIRST else CHANNELS_FIRST
    flattens = frozenset(path.partition("/")[2] for path, layer in model.leaves() if isinstance(layer, Flatten))
    return relayout(model, there, flattens).weights


def _single(weight: Weight) -> Iterator[tuple[str, Op]]:
    """(what is wrong, what was done) for one weight by itself."""
    name, axes, role = weight.name, weight.role.axes, weight.role
    if role.reversed:
        yield f"{name} is reversed along {role.reversed}", Flip(role.reversed, axes)
    for axis in role.reversed if len(role.reversed) > 1 else "":
        yield f"{name} is reversed along {axis} only", Flip(axis, axes)
    sizes = dict(zip(axes, weight.shape, strict=False))
    for a, b in combinations(axes, 2) if len(axes) == len(weight.shape) else ():
        if sizes[a] == sizes[b] > 1:
            exchanged = axes.translate(str.maketrans(a + b, b + a))
            yield f"the axes {a} and {b} of {name} are swapped", Transpose(exchanged, axes)
    if name.endswith("bias"):
        yield f"{name} is halved", Scale(0.5)
    if role.name == "variance":
        yield f"{name} holds the standard deviation", Power(2, root=True)


def _gates(weights: Sequence[Weight]) -> Iterator[tuple[str, Op, list[Weight]]]:
    """(what is wrong, what was done, to which weights) for gates in another order, in all weights or in one."""
    gated = [weight for weight in weights if weight.role.gates]
    if not gated:
        return
    gates = gated[0].role.gates
    for a, b in combinations(gates, 2):
        op = Gates(gates, gates.translate(str.maketrans(a + b, b + a)))
        yield f"the gates {a} and {b} are swapped", op, gated
        for weight in gated if len(gated) > 1 else ():
            yield f"the gates {a} and {b} of {weight.name} are swapped", op, [weight]


# ------------------------------------------------------------ configuration ----

MISREAD: Mapping[str, Mapping[str, str]] = {
    "padding": {"same": "valid", "valid": "same"},
    "recurrent_activation": {"hard_sigmoid": "sigmoid", "sigmoid": "hard_sigmoid"},
}
_CONCATENATED = {"Concatenate": "axis", "Merge": "concat_axis"}


def misread(class_name: str, config: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """(key, wrong value): the ways to misread the Keras 2 configuration of a layer."""
    for key, wrong in MISREAD.items():
        if str(config.get(key)) in wrong:
            yield key, wrong[str(config[key])]
    key = _CONCATENATED.get(class_name, "")
    if key in config:
        yield from ((key, config[key] + shift) for shift in (-1, 1))


def pads_nothing(layer: Layer, shapes: Sequence[Any], facts: BackendFacts) -> bool:
    """Whether a layer computes the same from inputs of `shapes` with padding 'same' and 'valid': nothing is added."""
    same = copy(layer)
    same.padding = "same"
    return all(window.added(facts) == (0, 0) for shape in shapes for window in windows(same, shape))
