"""Writes docs/support.md from the code: `python -m docs.generate` (`make docs`); `--check` only compares.

Every layer class of `Layer.registry` is put into a model of its own, saved (without a file) as every
generation of Keras on either backend would, and planned for the other backend: what the page says is what
`plan` did. Only the configurations that are tried stand here.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import MISSING, dataclass, field
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from kconvert import layers as L
from kconvert.backend import get_backend
from kconvert.binding import leaf_storage, places
from kconvert.checkpoint import Checkpoint, Group, InMemory
from kconvert.config import RULES, model_config
from kconvert.conventions import BACKENDS, CHANNELS_FIRST, CHANNELS_LAST, DATA_FORMATS, FORMATS, Convention, storage
from kconvert.conversion import KEEP, KERAS2_RELEASE, SAME, Plan, plan
from kconvert.errors import KconvertError
from kconvert.hazards import Window, windows
from kconvert.inputs import sample_inputs
from kconvert.kernels import Block, Rows
from kconvert.layers.base import Layer
from kconvert.layers.custom import CUSTOM
from kconvert.layers.recurrent import _Cell
from kconvert.model import LeafWeights, Model, Node, Ref, nest
from kconvert.optimizer import STRUCTURES
from kconvert.relayout import Call, Layout, moved, rule

PAGE = Path(__file__).parent / "support.md"
OTHER = dict(zip(BACKENDS, reversed(BACKENDS), strict=True))
TITLES = {"theano": "Theano", "tensorflow": "TensorFlow"}
NONE, AS_IS, CONVERTED, REWRITTEN, REFUSED = "–", "as is", "converted", "rewritten", "**refused**"

# ------------------------------------------------------------ what is tried ----

# Values of the fields that have no default, whatever the class.
ARGUMENTS: Mapping[str, Any] = {
    "activation": "relu",
    "axes": -1,
    "cell": L.LSTMCell(4),
    "cells": [L.LSTMCell(4), L.GRUCell(4)],
    "dims": (2, 1),
    "filters": 4,
    "function": "f",
    "input_dim": 9,
    "kernel_size": 3,
    "n": 3,
    "output_dim": 4,
    "rate": 0.5,
    "stddev": 0.5,
    "target_shape": (-1,),
    "units": 4,
}
INNER: Mapping[type[Layer], Layer] = {
    L.TimeDistributed: L.Dense(4, name="inner"),
    L.Bidirectional: L.LSTM(4, name="inner"),
}

# Configurations that are worth a line of their own, by the field that they are about.
OPTIONS: Mapping[str, Sequence[Any]] = {
    "mode": (0, 1, 2, "sum", "mul", "ave", "max", "concat", "dot", "cos"),
    "reset_after": (True,),
    "implementation": (1, 2),
}
SIZES: Sequence[Mapping[str, Any]] = [
    {"padding": padding, window: k, "strides": stride}
    for padding, window, k, stride in product(("valid", "same"), ("kernel_size", "pool_size"), (2, 3, 4, 5), (1, 2))
]
SHAPES = ((None, 8, 9, 6), (None, 8, 6), (None, 6), (None, 7, 8, 9, 6), ([None, 8, 6],) * 2, ([None, 6],) * 2)


# --------------------------------------------------------------- one layer ----


@dataclass(frozen=True)
class Example:
    """A layer of one class with one configuration, called in a model of its own."""

    layer: Layer
    model: Model
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def title(self) -> str:
        words = ", ".join(f"{key}={value!r}" for key, value in self.options.items())
        return f"{self.layer.class_name}({words})" if words else self.layer.class_name

    @property
    def shapes(self) -> list[Any]:
        return self.model.input_shapes

    @property
    def leaves(self) -> list[LeafWeights]:
        return self.model.weight_table()


def classes() -> list[type[Layer]]:
    """The layers that stand in a model by themselves, by name."""
    inside = (Model, _Cell, L.InputLayer)
    return [
        cls for name, cls in sorted(Layer.registry.items()) if name not in CUSTOM and not issubclass(cls, inside)
    ]


def example(cls: type[Layer], **options: Any) -> Example | None:
    """The first model of one layer of `cls` that runs; None where the class does not take `options`."""
    fields = {f.name: f for f in cls.config_fields()}
    if not set(options) <= set(fields):
        return None
    given = {
        name: INNER[cls] if name == "layer" else ARGUMENTS[name]
        for name, f in fields.items()
        if f.default is MISSING and f.default_factory is MISSING
    }
    reasons: list[Exception] = []
    for shape in SHAPES:
        try:
            found = _alone(cls(name="layer", **{**given, **options}), shape)
            _run(found.model)
            return Example(found.layer, found.model, options)
        except (KconvertError, TypeError, ValueError, LookupError, ArithmeticError) as error:
            reasons.append(error)
    if options:
        return None
    raise LookupError(f"no example of a {cls.__name__} runs: {reasons}; see ARGUMENTS and SHAPES")


def _alone(layer: Layer, shape: Any) -> Example:
    """`layer` in a model: one input of `shape`, or two where it is a pair of lists."""
    shapes = [tuple(one) for one in shape] if isinstance(shape[0], list) else [shape]
    inputs: list[Layer] = [
        L.InputLayer(name=f"input_{i}", batch_input_shape=one, dtype="float32") for i, one in enumerate(shapes, 1)
    ]
    refs = [Ref(entry.name) for entry in inputs]
    nodes = [*(Node(entry.name, 0, ()) for entry in inputs), Node(layer.name, 0, tuple(refs))]
    return Example(layer, Model([*inputs, layer], nodes, refs, [nodes[-1].output], name="model"))


def _run(model: Model) -> None:
    """Runs the model on the NumPy reference; a layer that holds a function of the user's may refuse."""
    arrays = nest(
        ((*leaf.path, weight.name), np.zeros(weight.shape, "float32")) for leaf in model.weight_table() for weight in leaf.weights
    )
    try:
        outputs = model.bind(get_backend("numpy"), arrays).predict(sample_inputs(model, 2))
    except KconvertError as error:
        if "register_function" not in str(error):
            raise
        return
    finally:
        model.arrays, model.backend, model._functions = {}, None, {}
    shapes = model.shapes()
    wanted = [shapes[ref] for ref in model.outputs]
    for found, shape in zip(outputs if isinstance(outputs, list) else [outputs], wanted, strict=True):
        if found.ndim != len(shape) or any(n not in (None, m) for n, m in zip(shape, found.shape, strict=True)):
            raise ValueError(f"{found.shape} where {shape} is said")


# ----------------------------------------------------------------- planning ----


def saved(model: Model, convention: Convention) -> Checkpoint:
    """The file of `model` that a Keras of `convention` would write; KconvertError where it has no such layer."""
    release = FORMATS[convention.format].releases.split()[-1]
    groups = [
        Group(name, [InMemory(place.name(convention), np.zeros(place.stored.shapes[place.index])) for place in found])
        for name, found in places(model, convention)
    ]
    return Checkpoint(
        convention.format,
        groups,
        backend=convention.backend,
        keras_version=release,
        whole_model=True,
        model_config=model_config(model, convention.format, release, convention.backend),
    )


@dataclass(frozen=True)
class Outcome:
    """What becomes of an example: a word, and the plan or the reason why there is none."""

    word: str
    made: Plan | None = None
    why: str = ""

    @property
    def classes(self) -> list[str]:
        assert self.made
        return [layer.class_name for layer in self.made.result.model.sublayers]


def outcome(found: Example, convention: Convention, form: str = "keras2") -> Outcome:
    """What a plan for the other backend makes of `found`."""
    try:
        checkpoint = saved(found.model, convention)
    except KconvertError:
        return Outcome(NONE)
    try:
        goal = OTHER[convention.backend]
        made = plan(checkpoint, convention.backend, goal, KEEP, form, source_data_format=CHANNELS_LAST)
    except KconvertError as error:
        return Outcome(REFUSED, why=error.what)
    if [type(layer) for layer in made.result.model.sublayers] != [type(found.layer)]:
        return Outcome(REWRITTEN, made)
    return Outcome(CONVERTED if any(len(step.chain) for step in made.steps) else AS_IS, made)


def conventions() -> Iterator[Convention]:
    for form, backend in product(FORMATS, BACKENDS):
        yield Convention(form, backend)


@cache
def plain() -> dict[str, Example]:
    """One example a class, with nothing but what it needs."""
    return {cls.__name__: found for cls in classes() if (found := example(cls))}


@cache
def cell(name: str, convention: Convention) -> Outcome:
    """What becomes of a class in a file of `convention`; none in Keras 2 where Keras 2 says it otherwise."""
    found = plain()[name]
    if convention.format == "keras2" and outcome(found, Convention("keras1", convention.backend)).word != NONE:
        modern = outcome(found, convention)
        if modern.word in (REFUSED, REWRITTEN):
            return Outcome(NONE)
    return outcome(found, convention)


# ------------------------------------------------------------------- tables ----


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    lines = [heads, ["---"] * len(heads), *rows]
    return ["| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines] + [""]


def code(words: Iterable[object]) -> str:
    return ", ".join(f"`{word}`" for word in words)


def layers_table() -> list[str]:
    """Every class in every generation on either backend."""
    columns = list(conventions())
    heads = ["class", "in Keras 1", "weights", *(f"{c.format} {TITLES[c.backend]}" for c in columns)]
    rows = []
    for name, found in plain().items():
        older = [rule.old for rule in RULES if rule.new == name and rule.old != name]
        roles = [f"{weight.name}: {weight.role.name}" for leaf in found.leaves for weight in leaf.weights]
        words = [cell(name, convention).word for convention in columns]
        rows.append([f"`{name}`", code(older), "<br>".join(dict.fromkeys(roles)), *words])
    return table(heads, rows)


def weights_table() -> list[str]:
    """How every kind of weight gets from its stored form to the canonical one."""
    roles: dict[str, tuple[LeafWeights, Any, list[str]]] = {}
    for name, found in {**plain(), **_optioned("implementation")}.items():
        for leaf in found.leaves:
            for weight in leaf.weights:
                fused = getattr(leaf.layer, "fused_gates", False)
                axes = f"{weight.role.name} `{weight.role.axes}`"
                gates = f", gates `{weight.role.gates}`" if weight.role.gates else ""
                note = " stored as one array" if gates and fused else ""
                roles.setdefault(axes + gates + note, (leaf, weight, []))[2].append(name)
    rows = []
    for title, (leaf, weight, _) in sorted(roles.items()):
        ways: dict[tuple[str, ...], dict[str, list[str]]] = {}
        for form, data_format in product(FORMATS, DATA_FORMATS):
            chains = tuple(
                _chain(weight, Convention(form, backend), data_format, getattr(leaf.layer, "fused_gates", False))
                for backend in BACKENDS
            )
            ways.setdefault(chains, {}).setdefault(form, []).append(data_format)
        rows += [[title, _files(files), *chains] for chains, files in ways.items()]
    return table(["weight", "files", *(f"from {TITLES[backend]}" for backend in BACKENDS)], rows)


def _chain(weight: Any, convention: Convention, data_format: str, fused: bool) -> str:
    (stored,) = storage([weight], convention, data_format, fused)
    return f"`{stored.chain}`" if len(stored.chain) else AS_IS


def _files(files: Mapping[str, Sequence[str]]) -> str:
    """Formats, and the data format where only one is meant."""
    by_data_format: dict[tuple[str, ...], list[str]] = {}
    for form, data_formats in files.items():
        by_data_format.setdefault(tuple(data_formats), []).append(form)
    return "; ".join(
        ", ".join(forms) + ("" if len(data_formats) > 1 else f" {data_formats[0]}")
        for data_formats, forms in by_data_format.items()
    )


def _optioned(*names: str) -> dict[str, Example]:
    """Every class with every one of its options."""
    found = {}
    for cls, name in product(classes(), names):
        for value in OPTIONS[name]:
            one = example(cls, **{name: value})
            if one:
                found[one.title] = one
    return found


def rewritten_table() -> list[str]:
    """Classes and configurations of Keras 1 that Keras 2 says with others, or not at all."""
    rows = []
    for title, found in {**plain(), **_optioned("mode")}.items():
        one = outcome(found, Convention("keras1", "theano"))
        if one.word == REWRITTEN and found.layer.padding != "same" if hasattr(found.layer, "padding") else one.word == REWRITTEN:
            rows.append([f"`{title}`", " + ".join(f"`{name}`" for name in one.classes)])
        elif one.word == REFUSED:
            rows.append([f"`{title}`", f"{REFUSED}: {one.why}"])
    return table(["Keras 0 and 1", "Keras 2"], rows)
