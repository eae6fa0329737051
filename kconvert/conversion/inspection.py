"""Inspects a weight file: each fact with its evidence. Nothing is converted, and no array is read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, field, replace
from math import prod
from os import PathLike
from typing import Any

from ..arguments import argument
from ..conventions.backends import BACKENDS
from ..conventions.generations import Convention
from ..conventions.words.files import stated_data_formats
from ..drawing.notebook import Shown
from ..drawing.words import plural
from ..errors import KconvertError
from ..formats import files
from ..formats.architectures import architecture_json
from ..formats.checkpoint import Checkpoint
from ..layers.registry import with_custom_objects
from ..lazy_dataclasses import dataclass
from ..network.architecture import model_from_config
from ..network.input_shapes import InputShape, with_input_shape
from ..network.network import Network
from .call_limit import bounded
from .evidence import Fact, backend_of, generation_of
from .inference.infer import guess
from .inference.without_graph import Inferred
from .opening import open_source
from .passes.hazards import hazards
from .source import Source, release_of

Json = Mapping[str, Any]


@dataclass(frozen=True)
class StoredWeight:
    """One stored array, as the file has it."""

    name: str
    shape: tuple[int, ...]
    dtype: str

    @property
    def parameters(self) -> int:
        return prod(self.shape)


@dataclass(frozen=True)
class StoredLayer:
    """The arrays of one layer."""

    name: str
    class_name: str | None
    """From the architecture or the arrays; None if neither shows it."""
    weights: Sequence[StoredWeight]

    @property
    def parameters(self) -> int:
        return sum(weight.parameters for weight in self.weights)


@dataclass(frozen=True)
class Inspection(Shown):
    """The facts about a file, and its layers."""

    path: str
    size: int
    """In bytes."""
    facts: Mapping[str, Fact]
    """The format, release, backend, data format, content and optimizer."""
    layers: Sequence[StoredLayer]
    hazards: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """By target backend, the layers whose outputs would differ there. A backend for which that is not known is absent,
    and the notes say why."""
    provenance: Json | None = None
    """The provenance that kconvert wrote into the file, if it did."""
    notes: Sequence[str] = ()
    inferred: Sequence[Inferred] = ()
    """For weights alone: the inferred class of each layer."""
    network: Network | None = field(default=None, compare=False)
    """The network; None where there is no architecture, or kconvert cannot read it."""

    _page = "conversion.pages.inspection_page"

    def __repr__(self) -> str:
        values = [self.facts[name].value or f"unknown {name}" for name in ("format", "backend") if name in self.facts]
        counts = [plural(len(self.layers), "layer"), plural(self.parameters, "parameter")]
        return f"<Inspection of {self.path}: {', '.join([*values, *counts])}>"

    @property
    def parameters(self) -> int:
        """The number of parameters of the layers, without those of the optimizer."""
        return sum(layer.parameters for layer in self.layers)

    def to_json(self) -> dict[str, Any]:
        said = asdict(replace(self, network=None))
        del said["network"]
        return {**said, "parameters": self.parameters}


def inspect(
    path: str | PathLike[str],
    arch: str | PathLike[str] | None = None,
    source_data_format: str | None = None,
    source_release: str | None = None,
    custom_objects: Mapping[str, Any] | None = None,
    input_shape: InputShape | None = None,
) -> Inspection:
    """What a weight file is: release, backend, data format, layers and hazards, each with its evidence.

    path: the file.
    arch: the file with the architecture, for files of weights alone.
    source_data_format: the data format of layers of Keras 1 that do not state theirs.
    source_release: the release of Keras that saved the file, where the file does not state it.
    custom_objects: your functions and classes of layers, by their names in the file, as in Keras; a Lambda that is
    stored as code finds its function under the name of the layer.
    input_shape: the shape of the input without the batch axis, or a dict of them by the names of inputs, for networks
    that leave sizes free.

    An architecture that kconvert cannot read is no error: a note says what is wrong with it. Raises KconvertError where
    the file or `arch` cannot be read.
    """
    source = Source(path, arch=arch, release=source_release)
    with with_custom_objects(custom_objects), open_source(source) as checkpoint:
        config = checkpoint.model_config if arch is None else architecture_json(str(arch))
        model, by_target, notes = _understood(checkpoint, config, arch is not None, source_data_format)
        if model is not None and input_shape is not None:
            model = with_input_shape(model, input_shape)
            by_target = _hazards(model, backend_of(checkpoint).value)
        inferred, why = _inferred(checkpoint, source_data_format) if config is None else ([], [])
        return Inspection(
            path=str(path),
            size=files.size(path),
            facts=_facts(checkpoint, config, source),
            layers=_layers(checkpoint, config, model, inferred),
            hazards=by_target,
            provenance=checkpoint.provenance,
            notes=[*generation_of(checkpoint).notes, *backend_of(checkpoint).notes, *checkpoint.notes, *notes, *why],
            inferred=inferred,
            network=model,
        )


def _understood(
    checkpoint: Checkpoint, config: Json | None, given: bool, source_data_format: str | None
) -> tuple[Network | None, dict[str, list[str]], list[str]]:
    """The model and its hazards, or a note that says why there is no model. given: the user gave the architecture."""
    if config is None:
        return (
            None,
            {},
            [f"the file holds weights alone; {argument('arch', 'FILE.json')} tells which layers they belong to"],
        )
    try:
        version = None if given else checkpoint.keras_version
        model = bounded(model_from_config(dict(config), version, source_data_format))
        return model, _hazards(model, backend_of(checkpoint).value), []
    except KconvertError as error:
        return None, {}, [f"kconvert cannot convert this architecture: {error}"]


def _inferred(checkpoint: Checkpoint, source_data_format: str | None) -> tuple[list[Inferred], list[str]]:
    """What the arrays show of the layers, or a note that says why they show nothing."""
    backend = backend_of(checkpoint).value or next(iter(BACKENDS))
    other = next(name for name in BACKENDS if name != backend)
    origin, goal = (Convention(str(generation_of(checkpoint).value), name) for name in (backend, other))
    try:
        return guess(checkpoint, origin, goal, source_data_format), []
    except KconvertError as error:
        return [], [f"its layers cannot be inferred: {error.what}"]


# ------------------------------------------------------------------- facts ----


def _facts(checkpoint: Checkpoint, config: Json | None, source: Source) -> dict[str, Fact]:
    return {
        "format": generation_of(checkpoint),
        "release": release_of(checkpoint, source),
        "backend": backend_of(checkpoint),
        "data format": _data_format(config),
        "content": _content(checkpoint, config, source.arch),
        "optimizer": _optimizer(checkpoint),
    }


def _data_format(config: Json | None) -> Fact:
    if config is None:
        return Fact(None, "layers state it, and the architecture is not there")
    counts = Counter(stated_data_formats(config))
    if not counts:
        return Fact("none", "no layer states one")
    numbers = ", ".join(f"{name} in {n}" for name, n in counts.most_common())
    return Fact(" and ".join(name for name, _ in counts.most_common()), f"layers that state one: {numbers}")


def _content(checkpoint: Checkpoint, config: Json | None, arch: Any) -> Fact:
    if arch is not None:
        return Fact("weights, architecture given", f"the architecture is that of {arch}")
    if config is None:
        return Fact("weights alone", "there is no attribute model_config")
    return Fact("whole model", f"the attribute model_config describes a {config.get('class_name', '?')}")


def _optimizer(checkpoint: Checkpoint) -> Fact:
    name = checkpoint.optimizer_class
    if checkpoint.optimizer:
        state = f"{name or 'unknown'}, with its state"
        return Fact(state, f"{len(checkpoint.optimizer)} arrays in the group optimizer_weights")
    if name:
        return Fact(f"{name}, without state", "named in training_config; there is no group optimizer_weights")
    return Fact("none", "neither training_config nor optimizer_weights is there")


# ------------------------------------------------------------------ layers ----


def _layers(
    checkpoint: Checkpoint, config: Json | None, model: Network | None, inferred: Sequence[Inferred]
) -> list[StoredLayer]:
    """The groups of the file, each with the class of its layer."""
    classes = _classes(checkpoint, config, model)
    classes.update((known.path[0], " or ".join(known.classes)) for known in inferred if len(known.path) == 1)
    return [
        StoredLayer(
            group.name,
            classes.get(group.name) or None,
            [StoredWeight(array.name, tuple(array.shape), str(array.dtype)) for array in group.arrays],
        )
        for group in checkpoint.groups
    ]


def _classes(checkpoint: Checkpoint, config: Json | None, model: Network | None) -> dict[str, str]:
    """The class of each group: as stated in the file, or by order if groups have numbers as names."""
    if not checkpoint.named:
        layers = model.sublayers if model else []
        fits = len(layers) == len(checkpoint.groups)
        return {g.name: layer.class_name for g, layer in zip(checkpoint.groups, layers, strict=True)} if fits else {}
    found = {layer.name: layer.class_name for layer in model.all_layers} if model else {}
    return {**found, **dict(reversed(list(_named_classes(config))))}


def _named_classes(value: Any) -> Iterator[tuple[str, str]]:
    """(name, class) of every layer that an architecture describes, at any depth, outer layers first."""
    if isinstance(value, Mapping):
        config, name = value.get("config"), value.get("name")
        if isinstance(config, Mapping):
            name = config.get("name", name)
        if isinstance(name, str) and isinstance(value.get("class_name"), str):
            yield name, value["class_name"]
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from _named_classes(item)


def _hazards(model: Network, backend: str | None) -> dict[str, list[str]]:
    """By target backend: the layers that it computes differently from the backend of the file, or from any one."""
    sources = [name for name in BACKENDS if backend in (name, None)]
    return {
        target: [str(hazard) for source in sources if source != target for hazard in hazards(model, source, target)]
        for target in BACKENDS
        if target != backend
    }
