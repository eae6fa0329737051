"""Checkpoints of TensorFlow, read with TensorFlow's own reader: `model.save_weights(prefix)` and `tf.train.Checkpoint`.

A checkpoint is a file `PREFIX.index` and files `PREFIX.data-00000-of-00001`. It holds a graph of the objects of the
model, which says which array is which weight (keras-facts: checkpoints-of-tensorflow).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import field, replace
from functools import cached_property
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from ..arguments import argument
from ..backend import probe, tensorflow_compat
from ..errors import KconvertError
from ..lazy_dataclasses import dataclass
from .checkpoint import Architecture, Checkpoint, Group, LazyArray
from .failures import library_errors, unreadable
from .named_variables import grouped
from .objects import Item, Tree, groups
from .parts import InOrder, Part, cut
from .tensorflow_files import checkpoint_files, checkpoint_prefix

NAME = "checkpoint of TensorFlow"
GRAPH = "_CHECKPOINTABLE_OBJECT_GRAPH"
VALUE = "VARIABLE_VALUE"
_LAYER = re.compile(r"layer-(\d{1,9})")
WAY_OUT = 'load the weights in TensorFlow, `model.load_weights("{path}")`, and save `model.save("model.h5")`'


def tensorflow(where: object) -> Any:
    """TensorFlow. Raises KconvertError, which names the extra, where it is not installed."""
    found = probe()["tensorflow"]
    if not found.usable:
        raise unreadable(f"only TensorFlow reads this format, and {found.missing}", where, found.fix)
    return tensorflow_compat.load()


@dataclass(frozen=True, eq=False)
class Variable(InOrder):
    """An array of a checkpoint, read when asked."""

    name: str
    key: str
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    where: str
    reader: Any

    def read(self, part: Part | None = None) -> np.ndarray:
        """See `LazyArray.read`."""
        with library_errors("its data cannot be read", self.where):
            array = np.asarray(self.reader.get_tensor(self.key))
        if array.shape != self.shape:
            raise unreadable(f"has shape {array.shape}, and the index says {self.shape}", self.where)
        return cut(array, part)


@dataclass(frozen=True, eq=False)
class Bundle:
    """The arrays of a checkpoint by key, and the objects that they belong to."""

    path: Path
    reader: Any
    notes: list[str] = field(default_factory=list)
    """Which layers have other names in the file than in the architecture."""

    @cached_property
    def variables(self) -> dict[str, Variable]:
        """The arrays of numbers, by key."""
        limit = sum(path.stat().st_size for path in checkpoint_files(self.path))
        found = {}
        shapes, dtypes = self.reader.get_variable_to_shape_map(), self.reader.get_variable_to_dtype_map()
        for key in sorted(shapes):
            shape, dtype = tuple(shapes[key]), np.dtype(dtypes[key].as_numpy_dtype)
            where = f"{self.path}, variable {key}"
            if dtype.kind not in "biuf":
                continue
            if prod(shape) * dtype.itemsize > limit:
                raise unreadable(f"its shape {shape} is larger than the file", where)
            found[key] = Variable(key, key, shape, dtype, where, self.reader)
        return found

    @cached_property
    def graph(self) -> Any:
        """The graph of objects; None in a checkpoint of names."""
        if not self.reader.has_tensor(GRAPH):
            return None
        from ..backend.tensorflow_messages import TrackableObjectGraph

        return TrackableObjectGraph.FromString(self.reader.get_tensor(GRAPH))

    @property
    def root(self) -> Object:
        """The object of the model: the root, or the one object of a `tf.train.Checkpoint` that has layers."""
        top = Object(self, 0)
        if top.numbered():
            return top
        models = [name for name in top.children if Object(self, top.children[name]).numbered()]
        if len(models) != 1:
            what = f"it holds {len(models)} models ({', '.join(models)})" if models else "it holds no model with layers"
            raise unreadable(what, self.path, WAY_OUT.format(path=self.path))
        return Object(self, top.children[models[0]])


@contextmanager
def opened(of: Path) -> Iterator[Bundle]:
    """The checkpoint with a prefix."""
    tf = tensorflow(of)
    with library_errors("is no checkpoint that TensorFlow reads", of):
        bundle = Bundle(of, tf.train.load_checkpoint(str(of)))
        _ = bundle.variables, bundle.graph
    yield bundle


@contextmanager
def read(path: Path, architecture: Architecture | None = None) -> Iterator[Checkpoint]:
    """Opens a checkpoint: weights alone, by the layers of the architecture that is given.

    Without one, its layers are called as the variables are.
    """
    prefix = checkpoint_prefix(path)
    assert prefix is not None
    with opened(prefix) as bundle:
        found = layer_groups(bundle, architecture)
        notes = [*bundle.notes, *_left_out(bundle.variables)]
        yield Checkpoint(groups=found, path=path, format=NAME, notes=notes)


def layer_groups(bundle: Bundle, architecture: Architecture | None) -> list[Group]:
    """The weights layer by layer. Raises KconvertError where they are not those of the architecture."""
    try:
        if bundle.graph is None:
            return _by_names(bundle, architecture)
        return _in_order(bundle.root) if architecture is None else groups(bundle.root, architecture())
    except KconvertError as error:
        raise error.in_file(bundle.path) from None


def _left_out(variables: Mapping[str, Variable]) -> list[str]:
    """A note on the state of the optimizer."""
    slots = [key for key in variables if "/.OPTIMIZER_SLOT/" in key or re.search(r"optimizer/_variables/[1-9]", key)]
    slots += [key for key in variables if re.search(r"/(Adam(_1)?|Momentum|RMSProp(_1)?|Adagrad|Adadelta(_1)?)$", key)]
    return ["the state of the optimizer is left out"] if slots else []


# ------------------------------------------------------------------ objects ----


@dataclass(frozen=True, eq=False)
class Object(Tree):
    """An object in the graph of a checkpoint."""

    bundle: Bundle
    number: int

    @cached_property
    def node(self) -> Any:
        nodes = self.bundle.graph.nodes
        if not 0 <= self.number < len(nodes):
            raise unreadable(f"its graph of objects has no object {self.number}", self.bundle.path)
        return nodes[self.number]

    @cached_property
    def children(self) -> dict[str, int]:
        return {child.local_name: child.node_id for child in self.node.children}

    @property
    def full_name(self) -> str | None:
        """What the variable was called in its graph: 'conv2d/kernel'; None for other objects."""
        return next((one.full_name for one in self.node.attributes if one.name == VALUE), None)

    def variable(self) -> Variable | None:
        """The array of a variable."""
        key = next((one.checkpoint_key for one in self.node.attributes if one.name == VALUE), None)
        return self.bundle.variables.get(key) if key is not None else None

    def weights(self) -> dict[str, LazyArray]:
        found = {name: Object(self.bundle, number).variable() for name, number in self.children.items()}
        named: dict[str, tuple[str, Variable]] = {}
        for name, variable in found.items():  # of several names of one array, the one in its key
            if variable is not None and (variable.key not in named or f"/{name}/.ATTRIBUTES/" in variable.key):
                named[variable.key] = name, variable
        return dict(named.values())

    def member(self, name: str) -> Object | None:
        return Object(self.bundle, self.children[name]) if name in self.children else None

    def numbered(self) -> list[Object]:
        """The layers of a model: `layer-0`, `layer-1`, ..."""
        numbers = sorted(int(found[1]) for found in map(_LAYER.fullmatch, self.children) if found)
        return [Object(self.bundle, self.children[f"layer-{number}"]) for number in numbers]

    def layers(self, items: Sequence[Item]) -> list[Object]:
        found = self.numbered()
        if len(found) == len(items) + 1 and not found[0].weights():  # the input of a Sequential
            found = found[1:]
        if len(found) != len(items):
            raise unreadable(
                f"the file has {len(found)} layers where the architecture has {len(items)}",
                self.bundle.path,
                f"give the architecture that the weights were saved with: {argument('arch')}",
            )
        return found

    def cells(self, items: Sequence[Item]) -> list[Object]:
        found = [self.member(str(number)) for number in range(len(items))]
        if None in found or str(len(items)) in self.children:
            raise unreadable(f"the file has other cells than the {len(items)} of the architecture", self.bundle.path)
        return [cell for cell in found if cell]

    def check_names(self, pairs: Sequence[tuple[str, Tree]]) -> None:
        told = {name: tree.scope() for name, tree in pairs if isinstance(tree, Object)}
        known = {name: scope for name, scope in told.items() if scope is not None}
        wrong = contradiction(known)
        if wrong:
            raise unreadable(
                f"layer {known[wrong]} of the file stands where the architecture has {wrong}",
                self.bundle.path,
                f"give the architecture that the weights were saved with: {argument('arch')}",
            )
        other = [f"{scope} is {name}" for name, scope in known.items() if scope != name]
        if other:
            self.bundle.notes.append(f"layers matched by order: {', '.join(other)}")

    def scope(self) -> str | None:
        """The layer after which the first weight is called."""
        names = (Object(self.bundle, self.children[name]).full_name for name in self.weights())
        return next((name.split("/")[0] for name in names if name and "/" in name), None)

    def inside(self, seen: set[int]) -> Iterator[tuple[str, Variable]]:
        """(full name, array) of every variable in the object, each once. seen: the objects that are left out."""
        if self.number in seen:
            return
        seen.add(self.number)
        variable = self.variable()
        if variable is not None:
            yield self.full_name or variable.key, variable
        for name, number in self.children.items():
            if name not in ("keras_api", "variables", "trainable_variables", "non_trainable_variables"):
                yield from Object(self.bundle, number).inside(seen)


def _in_order(root: Object) -> list[Group]:
    """The layers of a checkpoint without an architecture, in the order of the model, called as their variables are."""
    found, seen = [], {root.number}
    for position, layer in enumerate(root.numbered()):
        variables = list(layer.inside(seen))
        scopes = {name.split("/")[0] for name, _ in variables}
        name = scopes.pop() if len(scopes) == 1 else f"layer-{position}"
        if variables:
            found.append(Group(name, [replace(variable, name=f"{full}:0") for full, variable in variables]))
    return found


# -------------------------------------------------------------------- names ----


def contradiction(known: Mapping[str, str]) -> str | None:
    """The first layer that cannot be the one in its place. known: the name in the file, by that in the architecture.

    Another session numbers layers anew, and in the order of their creation, which is that of the code.

    >>> contradiction({"a": "a", "dense_4": "dense", "dense_5": "dense_1"})
    >>> contradiction({"a": "b", "b": "a"}), contradiction({"dense": "dense_1", "dense_1": "dense"})
    ('a', 'dense_1')
    """
    for name, scope in known.items():
        moved = scope in known or name in known.values()
        if moved and _numbered(name)[0] != _numbered(scope)[0]:
            return name
    order: dict[str, int] = {}
    for name in sorted(known, key=_numbered):
        base, number = _numbered(known[name])
        if _numbered(name)[0] == base and order.setdefault(base, number) > number:
            return name
        order[base] = number
    return None


def _numbered(name: str) -> tuple[str, int]:
    """A name without its number, and the number; 0 if there is none."""
    found = re.fullmatch(r"(.+?)(?:_(\d{1,9}))?", name)
    return (found[1], int(found[2] or 0)) if found else (name, 0)


def _by_names(bundle: Bundle, architecture: Architecture | None) -> list[Group]:
    """The layers of a checkpoint of TensorFlow 1, which has the names of variables and no objects."""
    if architecture is None:
        raise unreadable(
            "its variables have names and no order",
            bundle.path,
            f"give the architecture, what model.to_json() wrote, with {argument('arch', 'FILE.json')}",
        )
    return grouped(bundle.variables, architecture(), bundle.path)
