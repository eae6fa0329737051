"""Writes docs/support.md from the code: `python -m docs.generate` (`make docs`).

Each layer class of `LAYERS` is put into a model of one layer. The model is saved (without a file) as each
generation of Keras on each backend would save it, and planned for the other backend. The page says what `plan` did.
This module only holds the configurations to try.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import MISSING, dataclass, field
from functools import cache
from itertools import groupby, product
from pathlib import Path
from typing import Any

import numpy as np

from kconvert import layers as L
from kconvert.backend import get_backend
from kconvert.conventions.backends import BACKENDS, CHANNELS_FIRST, CHANNELS_LAST, DATA_FORMATS
from kconvert.conventions.generations import GENERATIONS, Convention
from kconvert.conventions.optimizers import STRUCTURES
from kconvert.conventions.storage import storage
from kconvert.conventions.words.rules import RULES
from kconvert.conventions.words.tf_keras_classes import BEYOND, SHARED
from kconvert.conversion.binding import places
from kconvert.conversion.passes.relayout_tables import RuleInput, rule
from kconvert.conversion.passes.releases import ODDITIES, Oddity
from kconvert.conversion.planning import Plan, plan
from kconvert.conversion.target import KEEP, SAME
from kconvert.errors import KconvertError
from kconvert.formats.checkpoint import Checkpoint, Group, InMemory
from kconvert.kernels import Block, Chain
from kconvert.layers import early
from kconvert.layers.base import Layer, layer_config
from kconvert.layers.cells import _Cell
from kconvert.layers.registry import CUSTOM, LAYERS, layer_from_config
from kconvert.models.sequential import as_model
from kconvert.network.architecture import model_config
from kconvert.network.graph import LeafWeights, Node, Ref
from kconvert.network.layout import Layout, image_layout
from kconvert.network.nested import nest
from kconvert.network.network import Network
from kconvert.network.sample_inputs import sample_inputs

PAGE = Path(__file__).parent / "support.md"
OTHER = dict(zip(BACKENDS, reversed(BACKENDS), strict=True))
NONE, AS_IS, CONVERTED, REWRITTEN, REFUSED = "", "as is", "converted", "rewritten", "**refused**"
OLD_ORDER = "in the old order"

# ------------------------------------------------------------ what is tried ----

# Values of the fields that have no default, for all classes; `implementation` 1: one array per gate in Keras 1.
ARGUMENTS: Mapping[str, Any] = {
    "activation": "relu",
    "axes": -1,
    "cell": L.LSTMCell(4),
    "cells": [L.LSTMCell(4), L.GRUCell(4)],
    "declared_shape": (4,),
    "dims": (2, 1),
    "equation": "bi,io->bo",
    "filters": 4,
    "function": "f",
    "implementation": 1,
    "input_dim": 9,
    "kernel_size": 3,
    "n": 3,
    "output_dim": 4,
    "rate": 0.5,
    "scale": 0.5,
    "stddev": 0.5,
    "target_shape": (-1,),
    "units": 4,
}
INNER: Mapping[str, Mapping[str, Layer]] = {
    "AutoEncoder": {"encoder": L.Dense(4, name="encoder"), "decoder": L.Dense(6, name="decoder")},
    "Bidirectional": {"layer": L.LSTM(4, implementation=1, name="inner")},
    "TimeDistributed": {"layer": L.Dense(4, name="inner")},
}

# Configurations that have their own row in the table.
VARIANTS: Mapping[str, Sequence[Mapping[str, Any]]] = {
    "BatchNormalization": [{"mode": mode} for mode in (1, 2)],
    "Merge": [{"mode": mode} for mode in ("sum", "mul", "ave", "max", "concat", "dot", "cos")],
    "TimeDistributedMerge": [{"mode": mode} for mode in ("sum", "mul", "ave")],
    "UpSampling2D": [{"interpolation": "bilinear", "size": size} for size in ((2, 2), (4, 4), (2, 3))],
}
WINDOWS = list(product(("valid", "same"), ("kernel_size", "pool_size"), (2, 3), (1, 2)))
SHAPES: Sequence[Any] = (
    (None, 8, 9, 6),
    (None, 8, 6),
    (None, 6),
    (None, 7, 8, 9, 6),
    ([None, 6], [None, 6]),
    ([None, 8, 6], [None, 8, 6]),
    (None, 3, 7, 8, 9, 2),
)


# --------------------------------------------------------------- one layer ----


@dataclass(frozen=True)
class Example:
    """A layer of one class with one configuration, in a model of one layer."""

    layer: Layer
    model: Network
    options: Mapping[str, Any] = field(default_factory=dict)  # the configuration beside what every layer needs
    refusal: str = ""  # why the model cannot run; "" if it can

    @property
    def title(self) -> str:
        words = ", ".join(f"{key}={value!r}" for key, value in self.options.items())
        return f"`{_class(self.layer)}({words})`" if words else f"`{_class(self.layer)}`"

    @property
    def leaves(self) -> list[LeafWeights]:
        return self.model.weight_table()


def classes() -> list[type[Layer]]:
    """The layer classes that can be layers of a model, by name; not cells, models, inputs and those of one release."""
    inside = (Network, _Cell, L.InputLayer, *early.OF_ONE_RELEASE)
    ours = {name: cls for name, cls in LAYERS.items() if cls.__module__.startswith("kconvert.")}
    found = {name: cls for name, cls in ours.items() if name not in CUSTOM and not issubclass(cls, inside)}
    return [found[name] for name in sorted(found, key=str.lower)]


def example(cls: type[Layer], shapes: Sequence[Any] = SHAPES, **options: Any) -> Example | None:
    """A model of one layer of `cls`, with the first of `shapes` on which it runs; None if there is none."""
    if not set(options) <= {f.name for f in cls.config_fields()}:
        return None
    given = _required(cls)
    for shape in _likely(cls, shapes):
        try:
            model = alone(cls(name="layer", **{**given, **options}), shape)
            return Example(model.layers[-1], model, options, _refusal(model))
        except (KconvertError, TypeError, ValueError, LookupError, ArithmeticError):
            continue
    return None


def _required(cls: type[Layer]) -> dict[str, Any]:
    """The arguments that a layer of `cls` needs."""
    required = {f.name for f in cls.config_fields() if f.default is MISSING and f.default_factory is MISSING}
    known = {f.name for f in cls.config_fields()} & set(ARGUMENTS)
    return {name: ARGUMENTS[name] for name in known if name in required or name == "implementation"} | dict(
        INNER.get(cls.__name__, {})
    )


def _likely(cls: type[Layer], shapes: Sequence[Any]) -> Sequence[Any]:
    """`shapes`; for a class that names its rank (Conv2D), those of that rank, also with a time axis."""
    said = re.search(r"(\d)D", cls.__name__)
    return [shape for shape in shapes if len(shape) - int(said[1]) in (2, 3)][::-1] if said else shapes


def alone(layer: Layer, shape: Any) -> Network:
    """A model of one layer: with one input of `shape`, or with several where it is a tuple of lists."""
    shapes = [tuple(one) for one in shape] if isinstance(shape[0], list) else [shape]
    inputs: list[Layer] = [
        L.InputLayer(name=f"input_{i}", batch_input_shape=one, dtype="float32") for i, one in enumerate(shapes, 1)
    ]
    refs = [Ref(entry.name) for entry in inputs]
    nodes = [*(Node(entry.name, 0, ()) for entry in inputs), Node(layer.name, 0, tuple(refs))]
    return Network([*inputs, layer], nodes, refs, [nodes[-1].output], name="graph")  # as Keras 0.3 calls it


def _refusal(model: Network) -> str:
    """Runs the model on NumPy; returns why it cannot run if it needs a function of the user, else ""."""
    arrays = nest(
        ((*leaf.path, weight.name), np.zeros(weight.shape, "float32"))
        for leaf in model.weight_table()
        for weight in leaf.weights
    )
    try:
        result = as_model(model).bind(get_backend("numpy"), arrays).predict(sample_inputs(model, 2))
    except KconvertError as error:
        if "register_function" not in str(error):
            raise
        return f"{error.what}; {error.fix}"
    (said,) = [shape for ref, shape in model.shapes().items() if ref in model.output_refs]
    if not isinstance(result, np.ndarray) or any(n not in (None, m) for n, m in zip(said, result.shape, strict=True)):
        raise ValueError("the output does not have the shape that the model computes")
    return ""


# ----------------------------------------------------------------- planning ----


@dataclass(frozen=True)
class Outcome:
    """The result of planning an example."""

    word: str  # what the tables say: one of NONE, AS_IS, CONVERTED, REWRITTEN, REFUSED
    made: Plan | None = None  # the plan; None if there is none
    stated: Network | None = None  # the network of the file, as its architecture states it
    why: str = ""  # why it is refused

    @property
    def layers(self) -> str:
        """The classes of the layers that are new in the result, each once; else of those that were read as new ones."""
        assert self.made and self.stated
        found = _new(self.made.result.model, self.made.model) or _new(self.made.result.model, self.stated)
        return " + ".join(f"`{name}`" for name in dict.fromkeys(found))


def _new(result: Network, before: Network) -> list[str]:
    """The classes of the layers of `result` that are not in `before`."""
    old = [layer_config(layer) for layer in before.sublayers]
    return [_class(layer) for layer in result.sublayers if layer_config(layer) not in old]


def _class(layer: Any) -> str:
    """The class of a layer, and of the one inside it."""
    inner = getattr(layer, "layer", None)
    return f"{layer.class_name}({_class(inner)})" if inner else layer.class_name


def saved(model: Network, convention: Convention) -> Checkpoint:
    """`model` as Keras of `convention` would save it. Raises KconvertError if it does not have such a layer."""
    release = convention.generation.last_release
    groups = [
        Group(name, [InMemory(place.name(convention), np.zeros(place.stored.shapes[place.index])) for place in found])
        for name, found in places(model, convention)
    ]
    return Checkpoint(
        groups,
        named=not convention.generation.numbered,
        backend=convention.backend,
        keras_version=release,
        whole_model=True,
        model_config=model_config(model, convention.generation_name, release, convention.backend),
    )


def outcome(found: Example, convention: Convention, form: str = "keras2") -> Outcome:
    """The result of planning `found` for the other backend; form: the generation of the result."""
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
        return Outcome(REWRITTEN, made, found.model)
    return Outcome(CONVERTED if any(len(step.chain) for step in made.steps) else AS_IS, made)


@cache
def plain() -> dict[str, Example]:
    """One example for each class, with only the arguments it needs. Raises LookupError if none runs for a class."""
    examples = {cls.__name__: example(cls) for cls in classes()}
    missing = [name for name, found in examples.items() if not found]
    if missing:
        raise LookupError(f"no example of {', '.join(missing)} runs: see ARGUMENTS and SHAPES in {__file__}")
    return {name: found for name, found in examples.items() if found}


@cache
def known_to(name: str, form: str) -> bool:
    """Whether generation `form` has the class; for one that is a target, also whether no other class replaced it."""
    found = plain()[name]
    if not GENERATIONS[form].is_target:
        return outcome(found, Convention(form, "theano")).word != NONE
    older = any(rule.new == name for rule in RULES)
    return not (older and outcome(found, Convention(form, "theano")).word in (REFUSED, REWRITTEN))


def cell(name: str, form: str) -> str:
    """The cell of the table for a class in files of generation `form`, on both backends."""
    if not known_to(name, form):
        return NONE
    words = {backend: outcome(plain()[name], Convention(form, backend)).word for backend in BACKENDS}
    if len(set(words.values())) == 1:
        return words["theano"]
    return ", ".join(f"{BACKENDS[backend].title}: {word}" for backend, word in words.items())


# ------------------------------------------------------------------- tables ----


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def code(words: Iterable[object]) -> str:
    return ", ".join(f"`{word}`" for word in words)


def layers_table() -> str:
    """Each class in each generation on both backends; neighbouring generations that never differ share a column."""
    words = {form: [cell(name, form) for name in plain()] for form in GENERATIONS}
    columns = [list(forms) for _, forms in groupby(GENERATIONS, key=lambda form: words[form])]
    rows = []
    for i, (name, found) in enumerate(plain().items()):
        older = [rule.old for rule in RULES if rule.new == name and rule.old != name]
        weights = [f"{weight.name}: {title(weight)}" for leaf in found.leaves for weight in leaf.weights]
        cells = [words[forms[0]][i] for forms in columns]
        rows.append([found.title, code(older), "<br>".join(dict.fromkeys(weights)), *cells])
    return table(["class", "in Keras 0 and 1", "weights", *map(_span, columns)], rows)


def _span(forms: Sequence[str]) -> str:
    """Names of generations; neighbours as 'first to last'."""
    order = list(GENERATIONS)
    runs = [[form for _, form in run] for _, run in groupby(enumerate(forms), lambda at: order.index(at[1]) - at[0])]
    return ", ".join(f"{run[0]} to {run[-1]}" if len(run) > 1 else run[0] for run in runs)


def title(weight: Any, fused: bool = False) -> str:
    """The role of a weight as the tables show it."""
    gates = f", gates `{weight.role.gates}`" if weight.role.gates else ""
    return f"{weight.role.name} `{weight.role.axes}`{gates}" + (" in one array" if gates and fused else "")


def weights_table() -> str:
    """The chain from the stored to the canonical form, for each role."""
    fused = [found for cls in classes() if (found := example(cls, implementation=2))]
    roles: dict[str, tuple[Any, bool]] = {}
    for found in [*plain().values(), *fused]:
        for leaf in found.leaves:
            one = getattr(leaf.layer, "fused_gates", False)
            roles.update((title(weight, one), (weight, one)) for weight in leaf.weights)
    rows = []
    for name, (weight, one) in sorted(roles.items()):
        ways: dict[tuple[str, ...], dict[str, list[str]]] = {}
        for form, data_format in product(GENERATIONS, DATA_FORMATS):
            chains = tuple(_chain(weight, Convention(form, backend), data_format, one) for backend in BACKENDS)
            ways.setdefault(chains, {}).setdefault(form, []).append(data_format)
        rows += [[name, _files(files), *chains] for chains, files in ways.items()]
    return table(["role", "files", *(f"from {BACKENDS[backend].title}" for backend in BACKENDS)], rows)


def _chain(weight: Any, convention: Convention, data_format: str, fused: bool) -> str:
    (stored,) = storage([weight], convention, data_format, fused)
    return f"`{stored.chain}`" if len(stored.chain) else AS_IS


def _files(files: Mapping[str, Sequence[str]]) -> str:
    """Generations, with the data format if the row is only for one."""
    if all(len(data_formats) == len(DATA_FORMATS) for data_formats in files.values()):
        return "all" if len(files) == len(GENERATIONS) else _span(list(files))
    by_data_format: dict[str, list[str]] = {}
    for form, data_formats in files.items():
        said = "" if len(data_formats) > 1 else f" with {data_formats[0]}"
        by_data_format.setdefault(said, []).append(form)
    return "; ".join(_span(forms) + said for said, forms in by_data_format.items())


def rewritten_table() -> str:
    """Layers that are replaced by others or refused, and in which files."""
    variants = [variant(name, options) for name, several in VARIANTS.items() for options in several]
    rows = []
    for found in [*(found for name, found in plain().items() if name not in VARIANTS), *variants]:
        ways: dict[str, dict[str, list[str]]] = {}
        for form, backend in product(GENERATIONS, BACKENDS):
            one = outcome(found, Convention(form, backend))
            if known_to(found.layer.class_name, form) and one.word in (REFUSED, REWRITTEN):
                becomes = one.layers if one.word == REWRITTEN else f"{REFUSED}: {one.why}"
                if one.word == REFUSED and outcome(found, Convention(form, backend), SAME).word != REFUSED:
                    becomes += "; not with `--format same`"
                ways.setdefault(becomes, {}).setdefault(backend, []).append(form)
        rows += [[found.title, _saved_under(files), becomes] for becomes, files in ways.items()]
    return table(["layer", "files", "becomes"], rows)


def _saved_under(files: Mapping[str, Sequence[str]]) -> str:
    """Generations, with the backend if the row is only for one."""
    if len(files) == len(BACKENDS) and len({tuple(forms) for forms in files.values()}) == 1:
        return _span(files["theano"])
    return "; ".join(f"{_span(forms)} of {BACKENDS[backend].title}" for backend, forms in files.items())


def variant(name: str, options: Mapping[str, Any]) -> Example:
    found = example(LAYERS[name], **options)
    assert found, f"{name} has no {options}"
    return found


def oddities_table() -> str:
    """What single releases computed differently."""
    rows = [
        [one.releases, code(dict.fromkeys(_old_names(cls, one) for cls in one.classes)), one.does] for one in ODDITIES
    ]
    return table(["releases", "layers", "what the layer does there"], rows)


def _old_names(cls: type[Layer], oddity: Oddity) -> str:
    """The name of a class in the releases of an oddity."""
    older = [rule.old for rule in RULES if rule.new == cls.__name__]
    return older[-1] if older and oddity.last < (2,) else cls.__name__


def windows_table() -> str:
    """What replaces padding='same' if the two backends pad differently."""
    rows = []
    for cls in classes():
        found: dict[str, dict[str, None]] = {backend: {} for backend in BACKENDS}
        for (padding, window, k, stride), backend in product(WINDOWS, BACKENDS):
            one = example(cls, **{"padding": padding, window: k, "strides": stride})
            done = outcome(one, Convention("keras2", backend)) if one else Outcome(NONE)
            if done.word == REWRITTEN:
                found[backend][done.layers] = None
            elif done.word == REFUSED:
                found[backend][f"{REFUSED}: {done.why}"] = None
        if any(found.values()):
            rows.append([f"`{cls.__name__}`", *("<br>".join(ways) for ways in found.values())])
    return table(["class", *(f"from {BACKENDS[backend].title}" for backend in BACKENDS)], rows)


def paddings_table() -> str:
    """For which windows both backends pad equally."""
    rows = []
    for what, rule_of in (("convolution", "conv_padding"), ("pooling", "pool_padding")):
        for stride in (1, 2, 3):
            words = []
            for k in (2, 3, 4, 5):
                alike = [
                    n
                    for n in range(2 * k, 2 * k + 12)
                    if len({getattr(facts, rule_of)(n, k, stride) for facts in BACKENDS.values()}) == 1
                ]
                words.append("equal" if len(alike) == 12 else "different" if not alike else "depends on the size")
            rows.append([what, str(stride), *words])
    return table(["", "stride", *(f"window {k}" for k in (2, 3, 4, 5))], rows)


# -------------------------------------------------------------- data format ----


def data_format_table() -> str:
    """What happens to each class when images change their data format."""
    rows = []
    for name, found in plain().items():
        images, features = _images(found), _features(LAYERS[name])
        if images or features:
            rows.append([found.title, images, features])
    return table(["class", "images in the other data format", "flattened features in another order"], rows)


def _images(found: Example) -> str:
    """What happens to a class when its images change their data format: (batch, image) or (batch, time, image)."""
    shapes = found.model.input_shapes
    rank = len(shapes[0])
    if rank < 4:
        return ""
    for time in range(rank - 3):
        given = image_layout(CHANNELS_FIRST, rank, time)
        result = rule(found.layer, RuleInput(found.layer, shapes, [given] * len(shapes), CHANNELS_FIRST, "layer"))
        if result.inputs[0] == given:
            break
    else:
        return OLD_ORDER
    old, new = found.layer.get_config(), result.layer.get_config()
    words = [f"{code(key for key in new if new[key] != old.get(key))} changes" if new != old else "passed on"]
    if result.outputs[0].features:
        words = ["its features have another order"]
    return "<br>".join(words + _weights(result.weights))


def _features(cls: type[Layer]) -> str:
    found = example(cls, [shape for shape in SHAPES if len(shape) < 4])
    if not found:
        return ""
    shapes = found.model.input_shapes
    given = Layout(tuple(range(len(shapes[0]))), (Block("cw", "wc", (2, 3)),))
    result = rule(found.layer, RuleInput(found.layer, shapes, [given] * len(shapes), CHANNELS_LAST, "layer"))
    if result.inputs[0] != given:
        return OLD_ORDER
    return "<br>".join(_weights(result.weights)) or "passed on"


def _weights(chains: Mapping[tuple[str, ...], Chain]) -> list[str]:
    return list(dict.fromkeys(f"{path[-1]}: `{chain}`" for path, chain in chains.items() if len(chain)))


# --------------------------------------------------------------- the page ----


def optimizers_table() -> str:
    return table(
        ["optimizer", "one number", "one array a parameter"],
        [[f"`{name}`", code(kept.scalars), code(kept.slots)] for name, kept in sorted(STRUCTURES.items())],
    )


def not_run() -> str:
    """Layers that can be converted, but need a function of the user to run."""
    return "\n".join(f"- {found.title}: {found.refusal}." for found in plain().values() if found.refusal)


def cells() -> list[str]:
    """The classes of cells that run inside an RNN."""
    found = [cls for cls in LAYERS.values() if issubclass(cls, _Cell) and cls.__name__ not in CUSTOM]
    return sorted(cls.__name__ for cls in found if example(L.RNN, cell=cls(**_required(cls))))


def tf_keras_table() -> str:
    """Every class of layers of tf.keras 2.15, and what becomes of it."""
    refused = {name: f"{REFUSED}: {why}" for name, why in BEYOND.items() if name not in LAYERS}
    found = dict.fromkeys((*SHARED, *BEYOND), "runs and converts") | refused
    return table(
        ["class", "in a file of tf.keras"], [[f"`{name}`", found[name]] for name in sorted(found, key=str.lower)]
    )


def unknown() -> str:
    """The error message for a class that is not registered."""
    try:
        layer_from_config({"class_name": "Unknown", "config": {"name": "layer"}})
    except KconvertError as error:
        return str(error)
    raise AssertionError("an unknown class is refused")


def page() -> str:
    """The whole page, from the code."""
    formats = table(["generation", "releases"], [[f.name, f.releases] for f in GENERATIONS.values()])
    return f"""\
<!-- Written by `python -m docs.generate` (`make docs`): do not edit. -->

# What is supported

This page is generated from the code: each layer was planned from each generation of Keras on each backend to the
other backend, with `--format keras2 --data-format keep`. [conversion.md](conversion.md) explains the terms.

{formats}

## Layers

The table shows what a conversion to the other backend does to a layer in a file of each generation. If files of
Theano and of TensorFlow differ, it shows both.

- *{AS_IS}*: the arrays of the layer, if it has any, are not changed;
- *{CONVERTED}*: its arrays are rearranged, see [weights](#weights);
- *{REWRITTEN}*: it is replaced by other layers, see [rewritten and refused](#rewritten-and-refused);
- {REFUSED}: nothing is written, see the same section for the reason;
- empty: the generation does not have the class.

For `padding='same'` see [its section](#paddingsame). What single releases computed otherwise, and JZS1 - JZS3 of Keras
0.2.0, is in the [facts about Keras](keras-facts.md#what-single-releases-computed-otherwise).

{layers_table()}

A model may contain models, and `RNN` takes {code(cells())}. A layer of
a class that is not in the table is carried as it is, with its weights as they are stored, as long as the data format is
kept, and verification leaves it out: "{unknown()}".

These layers can be converted, but verification leaves them out without a function of yours (exit code 6):

{not_run()}

## Classes of tf.keras

tf.keras of TensorFlow 1.13 - 2.15, and tf_keras, have classes that Keras 0.2 - 2.3 does not have. The table shows all
classes of tf.keras 2.15. A class that kconvert does not have is refused by name, unless you register one of that name.
The operations of TensorFlow that tf.keras puts into a graph (`TFOpLambda`, `SlicingOpLambda`, `TensorFlowOpLayer`) are
refused, too.

{tf_keras_table()}

## Weights

The table shows the chain from the stored form of each role to the canonical form, which is that of Keras 2 on
TensorFlow. A conversion is the chain of the source, then the inverse of the chain of the target, simplified. The
letters of axes are `i` in, `o` out, `h` `w` `d` spatial; those of fused gates are `ifco` input, forget, candidate,
output, and `zrh` update, reset, candidate.

{weights_table()}

## Rewritten and refused

These are layers that Keras 2 or the other backend does not have. With `--format same`, layers that only Keras 2 lacks
stay as they are.

{rewritten_table()}

## Single releases

Some releases computed something else than the configuration of a layer says, or cannot run the layer as it is. A file
of such a release is read as what it computed, and a result for such a release is written so that it computes the
same; a note says so. If a file does not tell what was computed, or the release could not run the result, the layer is
refused.

{oddities_table()}

## padding='same'

If the two backends pad equally, nothing is changed:

{paddings_table()}

If they do not, the layer is rewritten with explicit padding as on the backend of the source, or refused. The same
holds for `padding='full'`, which only Theano has. The table shows the result for windows of 2 and 3 with strides 1
and 2 on an image of 8 x 9, one line for each different result. `--no-repair` refuses all of these.

{windows_table()}

A separable convolution with an even kernel gives one element more on Theano than it declares (from Keras 2.2.0 on); a
file of Theano is read so, whatever the target. Layers behind it get the number of elements that they got in Keras.

## Data format

The table shows what happens to a layer when `--data-format` changes the position of the channels in its input, and
when its input has flattened features in another order. *{OLD_ORDER.capitalize()}*: a `Permute` restores the old
order, before the layer or before the `Flatten`.

{data_format_table()}

## Optimizers

The state of these optimizers is converted like the weights. The state of any other optimizer is dropped, and a note
says so.

{optimizers_table()}
"""


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
