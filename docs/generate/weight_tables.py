"""The tables of weights: the chains of roles, and what is kept of optimizers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any

from kconvert.conventions.backends import BACKENDS, DATA_FORMATS
from kconvert.conventions.generations import GENERATIONS, Convention
from kconvert.conventions.optimizers import STRUCTURES
from kconvert.conventions.storage import storage

from .examples import classes, example, plain
from .markdown import code, span, table
from .outcomes import AS_IS


def title(weight: Any, fused: bool = False) -> str:
    """The role of a weight as the tables show it."""
    gates = f", gates `{weight.role.gates}`" if weight.role.gates else ""
    axes = f" `{weight.role.axes}`" if weight.role.axes else ", a single number"
    return f"{weight.role.name}{axes}{gates}" + (" in one array" if gates and fused else "")


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
        return "all" if len(files) == len(GENERATIONS) else span(list(files))
    by_data_format: dict[str, list[str]] = {}
    for form, data_formats in files.items():
        said = "" if len(data_formats) > 1 else f" with {data_formats[0]}"
        by_data_format.setdefault(said, []).append(form)
    return "; ".join(span(forms) + said for said, forms in by_data_format.items())


def optimizers_table() -> str:
    return table(
        ["optimizer", "one number", "one array a parameter"],
        [[f"`{name}`", code(kept.scalars), code(kept.slots)] for name, kept in sorted(STRUCTURES.items())],
    )
