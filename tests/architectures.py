"""Random small architectures with random weights, for the laws about whole models.

A draft grows layer by layer: a tensor is chosen, then a layer that can take it; branches come about by
choosing an older tensor, and close again by merging. Layers may be called again elsewhere, and models
stand in models. What comes out is a graph that Keras could have built, with all loose ends as outputs.
"""

from dataclasses import dataclass, field

import numpy as np
from hypothesis import strategies as st

from kconvert import layers as L
from kconvert.backend import get_backend
from kconvert.conventions.backends import DATA_FORMATS
from kconvert.conversion.binding import places
from kconvert.errors import KconvertError
from kconvert.formats.checkpoint import Checkpoint, Group, InMemory
from kconvert.layers.lists import one_or_list
from kconvert.models.sequential import as_model
from kconvert.network.architecture import model_config
from kconvert.network.graph import Node, Ref, first_call, leaf_weights
from kconvert.network.nested import nest
from kconvert.network.network import Network
from kconvert.network.sequential import Sequential

FREE = 6  # what a free size becomes when the model runs
MOST = 1500  # elements of a tensor, batch left out: so that a law takes milliseconds
ACTIVATIONS = ("linear", "relu", "tanh", "softmax", "sigmoid")


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
        self.real[Ref(layer.name)] = _running((None, *shape))

    def call(self, layer, refs):
        """Calls `layer` on tensors, where it can take them; whether it could."""
        given = one_or_list([self.shapes[ref] for ref in refs])
        running = one_or_list([_running(self.real[ref]) for ref in refs])
        calls = [node for node in self.nodes if node.layer == layer.name]
        if isinstance(layer, Network):
            shapes = layer.input_shapes
            fits = [self.shapes[ref] for ref in refs] == shapes and _listed(running) == [_running(s) for s in shapes]
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
        builders = [_flatten] if len(self.shapes[ref]) > 2 else []
        builders += [self.one([_normalization, _prelu, _elementwise, _activation]) for _ in range(self.one([0, 1, 2]))]
        builders += self.one([[_dense], [_maxout], [_repeat, _recurrent], [_repeat, _flatten, _dense]])
        for build in builders:
            if self.call(self.named(build(self, self.shapes[ref])), [ref]):
                ref = list(self.shapes)[-1]

    def start(self, ref):
        """A layer for images or volumes, or the like at every time step."""
        rank = len(self.shapes[ref])
        if rank == 4 or (rank == 5 and self.chance(2)):
            self.call(self.named(self.one([_conv("Conv{}D"), _pool])(self, self.shapes[ref])), [ref])
        elif rank == 5:
            self.call(self.named(_time_distributed(self, self.shapes[ref])), [ref])

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
        inner = Draft(self.draw, self.form, self.paddings, self.counted, f"{self.prefix}in{len(self.layers)}_")
        model = inner.grown(shapes, self.draw(st.integers(1, 4)), chain=len(refs) == 1 and self.chance(2))
        model.name = f"{self.prefix}model_{len(self.layers)}"
        self.call(model, refs)

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
            layers=self.layers,
            nodes=self.nodes,
            input_refs=[Ref(layer.name) for layer in self.layers if isinstance(layer, L.InputLayer)],
            output_refs=outputs,
            name="graph",
        )


def _is_input(draft, ref):
    return any(layer.name == ref.layer and isinstance(layer, L.InputLayer) for layer in draft.layers)


def _weight_shapes(table):
    return [weight.shape for leaf in table for weight in leaf.weights]


def _running(shape):
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


# ------------------------------------------------------------------ layers ----


def _window(d, shape):
    """kernel or pool size, strides, padding, data format of a layer on `shape`."""
    rank = len(shape) - 2
    return {
        "strides": d.sizes(rank, 2),
        "padding": d.one(d.paddings),
        "data_format": d.data_format,
    }


def _conv(name):
    def build(d, shape):
        rank = len(shape) - 2
        options = _window(d, shape)
        if rank < 3 + ("Transpose" not in name) and d.chance(3):
            options.update(strides=(1,) * rank, dilation_rate=d.sizes(rank, 2))
        if rank == 1:
            options["data_format"] = "channels_last"
        cls = getattr(L, name.format(rank))
        return cls(
            d.draw(st.integers(1, 4)),
            d.sizes(rank, 3),
            activation=d.one(ACTIVATIONS),
            use_bias=d.chance(2),
            **options,
        )

    return build


def _depthwise(d, shape):
    options = _window(d, shape)
    options["strides"] = d.draw(st.integers(1, 2))
    return L.DepthwiseConv2D(d.sizes(2, 3), depth_multiplier=d.draw(st.integers(1, 2)), **options)


def _separable(d, shape):
    options = _window(d, shape)
    options["strides"] = d.draw(st.integers(1, 2))
    return L.SeparableConv2D(
        d.draw(st.integers(1, 4)), d.sizes(2, 3), depth_multiplier=d.draw(st.integers(1, 2)), **options
    )


def _pool(d, shape):
    rank = len(shape) - 2
    cls = getattr(L, f"{d.one(['Max', 'Average'])}Pooling{rank}D")
    options = _window(d, shape)
    if rank == 1:
        options["data_format"] = "channels_last"
    return cls(d.sizes(rank, 3), **options)


def _global_pool(d, shape):
    rank = len(shape) - 2
    cls = getattr(L, f"Global{d.one(['Max', 'Average'])}Pooling{rank}D")
    return cls(data_format=d.data_format if rank > 1 else "channels_last")


def _padding(d, shape):
    rank = len(shape) - 2
    return getattr(L, f"ZeroPadding{rank}D")(d.pairs(rank), data_format=d.data_format)


def _cropping(d, shape):
    rank = len(shape) - 2
    return getattr(L, f"Cropping{rank}D")(d.pairs(rank), data_format=d.data_format)


def _upsampling(d, shape):
    rank = len(shape) - 2
    if rank == 2 and d.chance(3):
        return L.UpSampling2D(d.one([1, 2, 4, (2, 1)]), data_format=d.data_format, interpolation="bilinear")
    return getattr(L, f"UpSampling{rank}D")(d.sizes(rank, 2), data_format=d.data_format)


def _spatial_dropout(d, shape):
    rank = len(shape) - 2
    if rank == 1:
        return L.SpatialDropout1D(0.5)
    return getattr(L, f"SpatialDropout{rank}D")(0.5, data_format=d.data_format)


def _local(d, shape):
    return L.LocallyConnected2D(d.draw(st.integers(1, 3)), d.sizes(2, 2), data_format=d.data_format)


def _conv_lstm(d, shape):
    options = {"padding": d.one(d.paddings), "data_format": d.data_format, "return_sequences": d.chance(2)}
    layer = L.ConvLSTM2D(d.draw(st.integers(1, 3)), d.sizes(2, 3), **options)
    if d.chance(2):
        return layer
    layer.name = "both"
    return L.Bidirectional(layer, merge_mode=d.one(["concat", "sum"]))


def _normalization(d, shape):
    return L.BatchNormalization(d.axis(shape), scale=d.chance(2), center=d.chance(2))


def _dense(d, shape):
    return L.Dense(d.draw(st.integers(1, 5)), d.one(ACTIVATIONS), d.chance(2))


def _maxout(d, shape):
    return L.MaxoutDense(d.draw(st.integers(1, 5)), 2)


def _highway(d, shape):
    return L.Highway(activation="tanh")


def _prelu(d, shape):
    return L.PReLU(shared_axes=d.some(range(1, len(shape))) or None)


def _legacy_map(d, shape):
    return d.one([L.SReLU, L.ParametricSoftplus])(shared_axes=d.some(range(1, len(shape))) or None)


def _activation(d, shape):
    return L.Activation(d.one(ACTIVATIONS))


def _softmax(d, shape):
    return L.Softmax(d.axis(shape))


def _elementwise(d, shape):
    return d.one([L.Dropout(0.5), L.GaussianNoise(0.1), L.LeakyReLU(0.2), L.ELU(0.7), L.ReLU(2.0, 0.1)])


def _flatten(d, shape):
    return L.Flatten(d.one([None, *DATA_FORMATS]))


def _reshape(d, shape):
    """To a vector, or to other sizes of the same number of elements."""
    sizes = list(shape[1:])
    if None in sizes or d.chance(2):
        return L.Reshape((-1,))
    rank = d.draw(st.integers(2, 4))
    left, target = int(np.prod(sizes)), []
    for _ in range(rank - 1):
        target.append(d.one([n for n in range(1, left + 1) if left % n == 0 and n < 12]))
        left //= target[-1]
    return L.Reshape((*target, left))


def _permute(d, shape):
    return L.Permute(tuple(d.draw(st.permutations(range(1, len(shape))))))


def _repeat(d, shape):
    return L.RepeatVector(d.draw(st.integers(1, 3)))


def _recurrent(d, shape):
    cls = d.one([L.LSTM, L.GRU, L.SimpleRNN])
    return cls(d.draw(st.integers(1, 3)), return_sequences=d.chance(2), go_backwards=d.chance(3))


def _bidirectional(d, shape):
    inner = _recurrent(d, shape)
    inner.go_backwards, inner.name = False, "both"
    return L.Bidirectional(inner, merge_mode=d.one(["concat", "sum"]))


def _time_distributed(d, shape):
    step = (shape[0], *shape[2:])
    if not d.prefix and d.chance(4):
        inner = Draft(d.draw, d.form, d.paddings, d.counted, f"step{len(d.layers)}_")
        model = inner.grown([step[1:]], d.draw(st.integers(1, 3)), chain=d.chance(2))
        model.name = f"{inner.prefix}model"
        return L.TimeDistributed(model)
    return L.TimeDistributed(d.layer_for(step, wrapped=True))


def _of_tf_keras(d, shape):
    """A layer that Keras 2.3 does not have, with some of its axes."""
    axes = d.some(range(1, len(shape))) or [-1]
    by_channel = [1.0 + i for i in range(shape[-1] or 1)]
    return d.one(
        [
            L.LayerNormalization(axes, scale=d.chance(2), center=d.chance(2)),
            L.Normalization(axes),
            L.Normalization(-1, by_channel, by_channel, invert=d.chance(2)),
            L.Rescaling(by_channel if shape[-1] else 0.5, 0.1),
        ]
    )


ANY = [_activation, _elementwise, _normalization, _prelu, _dense]
RARE = [_softmax, _legacy_map, _reshape, _of_tf_keras]
MAPS = [_flatten, _flatten, _permute, _conv("Conv{}D"), _conv("Conv{}D"), _pool, _global_pool, _spatial_dropout]
IMAGES = [_padding, _cropping, _upsampling, _conv("Conv{}DTranspose")]
BY_RANK = {
    2: [*ANY, *RARE, _repeat, _maxout, _highway],
    3: [*ANY, *RARE, *MAPS, _recurrent, _recurrent, _bidirectional, _time_distributed],
    4: [
        *ANY,
        *RARE,
        *MAPS,
        *IMAGES,
        *MAPS,
        *IMAGES,
        *[_conv("Conv{}D"), _pool] * 3,
        _separable,
        _depthwise,
        _local,
        _time_distributed,
    ],
    5: [*ANY, *RARE, *MAPS, *IMAGES, *[_conv("Conv{}D"), _pool] * 2, *[_time_distributed] * 8, *[_conv_lstm] * 3],
    6: [*ANY, _flatten, _permute, *[_time_distributed] * 3],
}


class Architecture:
    """A drawn model, shown call by call where a law fails."""

    def __init__(self, model):
        self.model = model

    def __repr__(self):
        return f"\n{summary(self.model)}"


@st.composite
def architectures(draw, steps=8, paddings=("valid", "same"), forms=(*DATA_FORMATS, None), counted=True):
    """A Sequential or a graph of up to `steps` layers on images, volumes, sequences of images, or vectors."""
    draft = Draft(draw, draw(st.sampled_from(forms)), paddings, counted)
    chain = draw(st.integers(0, 2)) == 0
    shapes = [draw(inputs())] if chain else [draw(inputs()) for _ in range(draw(st.sampled_from([1, 1, 2])))]
    return Architecture(draft.grown(shapes, draw(st.integers(steps // 2, steps)), chain))


@st.composite
def inputs(draw):
    """The shape of an input, without the batch: most often an image."""
    rank = draw(st.sampled_from([3] * 8 + [4] * 5 + [1, 2]))
    free = draw(st.integers(0, 7)) == 7
    sizes = draw(st.permutations([2, 3, 4, 5, 6] if rank < 4 else [2, 3, 4, 3]))[:rank]
    if free and rank > 1:
        sizes[draw(st.integers(0, rank - 1))] = None
    return tuple(sizes)


def summary(model, indent=""):
    """One line a call: what a failing example shows."""
    lines = []
    for node in model.nodes:
        layer = model.by_name[node.layer]
        config = {} if isinstance(layer, Network) else layer.get_config()
        told = {k: v for k, v in config.items() if k in TOLD and v is not None}
        lines.append(
            f"{indent}{node.output.key} = {layer.class_name}({told}) of {', '.join(ref.key for ref in node.inputs)}"
        )
        if isinstance(layer, Network):
            lines.append(summary(layer, indent + "    "))
    return "\n".join(lines) + f"\n{indent}-> {', '.join(ref.key for ref in model.output_refs)}"


TOLD = [
    "batch_input_shape",
    "units",
    "filters",
    "kernel_size",
    "strides",
    "padding",
    "data_format",
    "dilation_rate",
    "activation",
    "pool_size",
    "cropping",
    "size",
    "axis",
    "shared_axes",
    "target_shape",
    "dims",
    "n",
    "layer",
    "return_sequences",
    "depth_multiplier",
]


# ------------------------------------------------------------ weights, runs ----


def random_weights(model, seed=0):
    """Canonical arrays by path; variances are positive."""
    random = np.random.default_rng(seed)
    found = {}
    for leaf in model.weight_table():
        for weight in leaf.weights:
            array = random.standard_normal(weight.shape) / np.sqrt(np.prod(weight.shape[:-1]) or 1)
            array = 0.5 + array**2 if weight.name.endswith("variance") else array
            found[(*leaf.path, weight.name)] = array.astype("float32")
    return found


def random_inputs(model, samples=2, seed=1):
    random = np.random.default_rng(seed)
    shapes = [_running(shape)[1:] for shape in model.input_shapes]
    return [random.standard_normal((samples, *shape)).astype("float32") for shape in shapes]


def bound(model, weights):
    """`model` on the NumPy reference with canonical `weights`."""
    return as_model(model).bind(get_backend("numpy", "tensorflow"), nest(weights.items()))


def checkpoint_of(model, weights, convention, whole=True):
    """The file that a Keras of `convention` would have saved, as a value."""
    groups = []
    for name, found in places(model, convention):
        arrays = []
        for place in found:
            stored = place.stored.chain.inverse.apply(weights[place.path])
            arrays.append(InMemory(place.name(convention), np.asarray(stored[place.index], order="C")))
        groups.append(Group(name, arrays))
    version = {"keras2": "2.3.1", "keras1": "1.2.2"}.get(convention.generation_name)
    return Checkpoint(
        groups=groups,
        named=not convention.generation.numbered,
        backend=convention.backend if convention.generation_name == "keras2" else None,
        keras_version=version,
        whole_model=whole,
        model_config=model_config(model, convention.generation_name, version, convention.backend) if whole else None,
    )
