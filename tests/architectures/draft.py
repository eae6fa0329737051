"""A graph that is drawn layer by layer."""

from dataclasses import dataclass, field

import numpy as np
from hypothesis import strategies as st

from kconvert import layers as L
from kconvert.conventions.backends import DATA_FORMATS
from kconvert.errors import KconvertError
from kconvert.layers.lists import one_or_list
from kconvert.network.graph import Node, Ref, first_call, leaf_weights
from kconvert.network.network import Network
from kconvert.network.sequential import Sequential

from .builders import (
    BY_RANK,
    activation,
    conv,
    dense,
    elementwise,
    flatten,
    maxout,
    normalization,
    pool,
    prelu,
    recurrent,
    repeat,
    time_distributed,
)

FREE = 6  # what a free size becomes when the model runs

MOST = 1500  # elements of a tensor, batch left out: so that a law takes milliseconds

OF_ANY_RANK = (
    L.Activation,
    L.Dropout,
    L.LeakyReLU,
    L.ELU,
    L.ReLU,
    L.Softmax,
    L.Flatten,
    L.Reshape,
    L.Concatenate,
    L.Add,
)


@dataclass
class Draft:
    """A graph while it is being drawn.

    form: the data format of its layers; None: each draws its own. paddings: what windows may use.
    counted: whether the last axis may be written as a number, and not only as -1.
    shapes: of the tensors; real: the same when the model runs.
    """

    draw: object
    form: str | None
    paddings: tuple = ("valid", "same")
    counted: bool = True
    prefix: str = ""
    layers: list = field(default_factory=list)
    nodes: list = field(default_factory=list)
    shapes: dict = field(default_factory=dict)
    real: dict = field(default_factory=dict)

    # ------------------------------------------------------------- choices ----

    def one(self, values):
        return self.draw(st.sampled_from(list(values)))

    def some(self, values):
        return sorted(self.draw(st.sets(st.sampled_from(list(values)))))

    def chance(self, n):
        """True once in `n` times."""
        return self.draw(st.integers(1, n)) == n

    def sizes(self, n, most):
        return tuple(self.draw(st.integers(1, most)) for _ in range(n))

    def pairs(self, n):
        return tuple(self.sizes_from_0(2) for _ in range(n))

    def sizes_from_0(self, n):
        return tuple(self.draw(st.integers(0, 2)) for _ in range(n))

    def axis(self, shape):
        return self.one([-1, *range(1, len(shape) - (not self.counted))])

    @property
    def data_format(self):
        return self.form or self.one(DATA_FORMATS)

    # --------------------------------------------------------------- graph ----

    def named(self, layer):
        layer.name = f"{self.prefix}{layer.class_name.lower()}_{len(self.layers)}"
        return layer

    def input(self, shape):
        layer = self.named(L.InputLayer(batch_input_shape=(None, *shape), dtype="float32"))
        self.layers.append(layer)
        self.nodes.append(Node(layer.name, 0, ()))
        self.shapes[Ref(layer.name)] = (None, *shape)
        self.real[Ref(layer.name)] = run_shape((None, *shape))

    def call(self, layer, refs):
        """Calls `layer` on tensors, where it can take them; whether it could."""
        given = one_or_list([self.shapes[ref] for ref in refs])
        running = one_or_list([run_shape(self.real[ref]) for ref in refs])
        calls = [node for node in self.nodes if node.layer == layer.name]
        if isinstance(layer, Network):
            shapes = layer.input_shapes
            fits = [self.shapes[ref] for ref in refs] == shapes and _listed(running) == [run_shape(s) for s in shapes]
        else:
            fits = len(refs) == 1 or _mergeable(layer, running)
        if not fits:
            return False
        try:
            table = leaf_weights(layer, given)
            outputs, real = _listed(layer.compute_output_shape(given)), _listed(layer.compute_output_shape(running))
        except (KconvertError, TypeError, ValueError, IndexError):
            return False
        if any(isinstance(size, tuple) for shape in outputs for size in shape):
            return False  # a model of several outputs at every time step
        if any(len(shape) not in BY_RANK for shape in outputs):
            return False  # nothing could follow
        if any(not size or size < 1 for shape in real for size in shape[1:]) or any(
            np.prod(s[1:]) > MOST for s in real
        ):
            return False
        if calls:
            first = [self.shapes[ref] for ref in calls[0].inputs]
            same_ranks = [len(shape) for shape in first] == [len(self.shapes[ref]) for ref in refs]
            if not same_ranks and not isinstance(layer, OF_ANY_RANK):
                return False
            if _weight_shapes(leaf_weights(layer, one_or_list(first))) != _weight_shapes(table):
                return False
        node = Node(layer.name, first_call(layer) + len(calls), tuple(refs))
        self.nodes.append(node)
        if not calls:
            self.layers.append(layer)
        for i, (shape, sizes) in enumerate(zip(outputs, real, strict=True)):
            self.shapes[Ref(node.layer, node.index, i)] = shape
            self.real[Ref(node.layer, node.index, i)] = sizes
        return True

    def loose(self):
        """The tensors that no layer takes."""
        used = {ref for node in self.nodes for ref in node.inputs}
        return [ref for ref in self.shapes if ref not in used]

    # --------------------------------------------------------------- steps ----

    def step(self):
        """One call more, of a new layer on the newest tensor or on an older one."""
        refs = list(self.shapes)
        self.extend(self.one(refs) if self.chance(4) else refs[-1])

    def extend(self, ref):
        self.call(self.named(self.layer_for(self.shapes[ref])), [ref])

    def finish(self, ref):
        """A head, as most models have: features, what may be done to them, and weights that take them."""
        builders = [flatten] if len(self.shapes[ref]) > 2 else []
        builders += [self.one([normalization, prelu, elementwise, activation]) for _ in range(self.one([0, 1, 2]))]
        builders += self.one([[dense], [maxout], [repeat, recurrent], [repeat, flatten, dense]])
        for build in builders:
            if self.call(self.named(build(self, self.shapes[ref])), [ref]):
                ref = list(self.shapes)[-1]

    def start(self, ref):
        """A layer for images or volumes, or the like at every time step."""
        rank = len(self.shapes[ref])
        if rank == 4 or (rank == 5 and self.chance(2)):
            self.call(self.named(self.one([conv("Conv{}D"), pool])(self, self.shapes[ref])), [ref])
        elif rank == 5:
            self.call(self.named(time_distributed(self, self.shapes[ref])), [ref])

    def again(self):
        """A layer called before, on another tensor."""
        called = [layer for layer in self.layers if not isinstance(layer, L.InputLayer)]
        if called:
            layer = self.one(called)
            before = next(node for node in self.nodes if node.layer == layer.name)
            self.call(layer, [self.one(self.shapes) for _ in before.inputs])

    def merge(self):
        first, second = self.one(self.shapes), self.one(self.shapes)
        axis = self.axis(self.shapes[first])
        layer = self.one(
            [
                *(cls() for cls in (L.Add, L.Multiply, L.Maximum, L.Average, L.Subtract, L.Minimum)),
                *(L.Concatenate(axis) for _ in range(6)),
            ]
        )
        self.call(self.named(layer), [first, second])

    def nested(self):
        """A model of its own, on one or two tensors."""
        refs = [self.one(self.shapes) for _ in range(1 if self.chance(2) else 2)]
        shapes = [self.shapes[ref][1:] for ref in refs]
        inner = self.inside(f"{self.prefix}in{len(self.layers)}_")
        model = inner.grown(shapes, self.draw(st.integers(1, 4)), chain=len(refs) == 1 and self.chance(2))
        model.name = f"{self.prefix}model_{len(self.layers)}"
        self.call(model, refs)

    def inside(self, prefix):
        """An empty draft of a model in this one."""
        return Draft(self.draw, self.form, self.paddings, self.counted, prefix)

    def layer_for(self, shape, wrapped=False):
        """Any layer that takes an input of `shape`."""
        build = self.one(BY_RANK[len(shape)])
        layer = build(self, shape)
        if wrapped:
            layer.name = f"inner_{layer.class_name.lower()}"
        return layer

    def grown(self, shapes, steps, chain):
        """The finished model: a Sequential of `steps` layers, or a graph."""
        for shape in shapes:
            self.input(shape)
        if not self.chance(3):
            self.start(list(self.shapes)[-1])
        for _ in range(steps):
            if chain:
                self.extend(list(self.shapes)[-1])
            else:
                self.one([self.step] * 5 + [self.merge] * 3 + [self.again] + [self.nested] * (not self.prefix))()
        if len(self.layers) == len(shapes):
            self.call(self.named(L.Activation("relu")), [Ref(self.layers[0].name)])
        if chain:
            if not self.chance(3):
                self.finish(list(self.shapes)[-1])
            first = self.layers[1]
            first.batch_input_shape, first.dtype = self.layers[0].batch_input_shape, "float32"
            return Sequential(self.layers[1:], name="chain")
        for ref in self.loose():
            if not _is_input(self, ref) and not self.chance(3):
                self.finish(ref)
        outputs = [ref for ref in self.loose() if not _is_input(self, ref)]
        return Network(
            all_layers=self.layers,
            nodes=self.nodes,
            input_refs=[Ref(layer.name) for layer in self.layers if isinstance(layer, L.InputLayer)],
            output_refs=outputs,
            name="graph",
        )


def _is_input(draft, ref):
    return any(layer.name == ref.layer and isinstance(layer, L.InputLayer) for layer in draft.layers)


def _weight_shapes(table):
    return [weight.shape for leaf in table for weight in leaf.weights]


def run_shape(shape):
    """`shape` when the model runs: with a batch of 2, and no free sizes."""
    return (2, *(FREE if size is None else size for size in shape[1:]))


def _listed(shape):
    return shape if isinstance(shape, list) else [shape]


def _mergeable(layer, shapes):
    """Whether a merge of two tensors works out: kconvert leaves some of it to the backend."""
    first, second = shapes
    if not isinstance(layer, L.Concatenate):
        return True
    if len(first) != len(second) or not -len(first) < layer.axis < len(first):
        return False
    return all(first[i] == second[i] for i in range(len(first)) if i != layer.axis % len(first))
