"""The tables of layers: in each generation, rewritten or refused, in single releases, in tf.keras."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby, product
from typing import Any

from kconvert import layers as L
from kconvert.conventions.backends import BACKENDS
from kconvert.conventions.generations import FORMATS, GENERATIONS, Convention, Reader, TargetFormat
from kconvert.conventions.words.rules import RULES
from kconvert.conventions.words.tf_keras_classes import BEYOND, SHARED
from kconvert.conversion.passes.oddities.base import Oddity
from kconvert.conversion.passes.releases import ODDITIES
from kconvert.conversion.target import SAME
from kconvert.errors import KconvertError
from kconvert.layers.base import Layer
from kconvert.layers.cells import _Cell
from kconvert.layers.registry import CUSTOM, LAYERS, layer_from_config

from .examples import Example, example, plain, required
from .markdown import code, span, table
from .outcomes import NONE, REFUSED, REWRITTEN, known_to, outcome
from .weight_tables import title

# Configurations that have their own row in the table.
VARIANTS: Mapping[str, Sequence[Mapping[str, Any]]] = {
    "BatchNormalization": [{"mode": mode} for mode in (1, 2)],
    "Merge": [{"mode": mode} for mode in ("sum", "mul", "ave", "max", "concat", "dot", "cos")],
    "TimeDistributedMerge": [{"mode": mode} for mode in ("sum", "mul", "ave")],
    "UpSampling2D": [{"interpolation": "bilinear", "size": size} for size in ((2, 2), (4, 4), (2, 3))],
}


def cell(name: str, form: str) -> str:
    """The cell of the table for a class in files of generation `form`, on both backends."""
    if not known_to(name, form):
        return NONE
    words = {backend: outcome(plain()[name], Convention(form, backend)).word for backend in BACKENDS}
    if len(set(words.values())) == 1:
        return words["theano"]
    return ", ".join(f"{BACKENDS[backend].title}: {word}" for backend, word in words.items())


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
    return table(["class", "in Keras 0 and 1", "weights", *map(span, columns)], rows)


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


def readers_table() -> str:
    """What becomes of the layers that tf_keras or Keras 3 does not have, or computes otherwise."""
    variants = [variant(name, options) for name, several in VARIANTS.items() for options in several]
    forms = {reader.title: name for name, one in FORMATS.items() for reader in [reads(one)] if reader}
    rows = []
    for found in [*plain().values(), *variants]:
        source = next((form for form in ("keras2", "keras1") if known_to(found.layer.class_name, form)), None)
        if source is None:
            continue
        plainly, *cells = (_becomes(found, source, form) for form in ("keras2", *forms.values()))
        if any(cell != plainly for cell in cells):
            rows.append([found.title, *cells])
    return table(["layer", *(f"for {title}" for title in forms)], rows)


def reads(form: TargetFormat) -> Reader | None:
    """The package that reads the files of a format."""
    return Convention(form.generation.name, "tensorflow").reader(form.release)


def _becomes(found: Example, source: str, form: str) -> str:
    """The layers of a result for TensorFlow, or why there is none."""
    one = outcome(found, Convention(source, "theano"), form)
    if one.word == REFUSED:
        return f"{REFUSED}: {one.why}"
    return one.layers if one.word == REWRITTEN else "as it is"


def _saved_under(files: Mapping[str, Sequence[str]]) -> str:
    """Generations, with the backend if the row is only for one."""
    if len(files) == len(BACKENDS) and len({tuple(forms) for forms in files.values()}) == 1:
        return span(files["theano"])
    return "; ".join(f"{span(forms)} of {BACKENDS[backend].title}" for backend, forms in files.items())


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


def not_run() -> str:
    """Layers that can be converted, but need a function of the user to run."""
    return "\n".join(f"- {found.title}: {found.refusal}." for found in plain().values() if found.refusal)


def cells() -> list[str]:
    """The classes of cells that run inside an RNN."""
    found = [cls for cls in LAYERS.values() if issubclass(cls, _Cell) and cls.__name__ not in CUSTOM]
    return sorted(cls.__name__ for cls in found if example(L.RNN, cell=cls(**required(cls))))


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
