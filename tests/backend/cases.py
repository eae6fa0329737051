"""Cases of every operation: each a small graph with the shapes it takes, grouped so that a group compiles once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np

from kconvert.backend import InputSpec
from kconvert.backend.spatial import dilated_sizes

BATCH = 3
SIZES = ((7, 8, 6), (8, 7, 5))
KERNELS = ((3, 3, 1), (2, 4, 3))
STRIDES = ((1, 1, 1), (2, 3, 2))
DILATIONS = ((1, 1, 1), (2, 1, 2))
PADDINGS = ("valid", "same")
DATA_FORMATS = ("channels_first", "channels_last")


@dataclass(frozen=True)
class Case:
    """`build(K, x, w)` of inputs with those shapes (without the batch) and weights with those."""

    name: str
    build: Callable[[Any, list[Any], list[Any]], Any]
    inputs: tuple[tuple[int, ...], ...] = ((4, 5),)
    weights: tuple[tuple[int, ...], ...] = ()


def image(data_format: str, channels: int, sizes: tuple[int, ...]) -> tuple[int, ...]:
    return (channels, *sizes) if data_format == "channels_first" else (*sizes, channels)


# --------------------------------------------------------------- the groups ----


def conv(rank: int, convention: str) -> Iterator[Case]:
    paddings = (*PADDINGS, "full") if convention == "theano" else PADDINGS
    for axes in product(SIZES, KERNELS, STRIDES, DILATIONS, paddings, DATA_FORMATS):
        *axes, padding, data_format = axes
        size, kernel, strides, dilation = (a[:rank] for a in axes)

        def build(K, x, w, strides=strides, padding=padding, data_format=data_format, dilation=dilation):
            return K.conv(x[0], w[0], strides, padding, data_format, dilation)

        name = f"conv {size} {kernel} {strides} {dilation} {padding} {data_format}"
        yield Case(name, build, (image(data_format, 2, size),), ((*kernel, 2, 3),))


def conv_transpose(rank: int, convention: str) -> Iterator[Case]:
    """Output sizes at both ends of what the strides allow; Keras on Theano has no even kernels with 'same'."""
    for axes in product(SIZES, ((3, 1, 3), (2, 4, 3)), STRIDES, DILATIONS, PADDINGS, DATA_FORMATS, (0, 1)):
        *axes, padding, data_format, more = axes
        size, kernel, strides, dilation = (a[:rank] for a in axes)
        if padding == "same" and convention == "theano" and not all(k % 2 for k in kernel):
            continue
        spans = dilated_sizes(kernel, dilation) if padding == "valid" else (1,) * rank
        output = tuple((n - 1) * s + k + min(more, s - 1) for n, s, k in zip(size, strides, spans, strict=True))

        def build(K, x, w, output=output, strides=strides, padding=padding, data_format=data_format, dilation=dilation):
            return K.conv_transpose(x[0], w[0], output, strides, padding, data_format, dilation)

        name = f"conv_transpose {size} -> {output} {kernel} {strides} {dilation} {padding} {data_format}"
        yield Case(name, build, (image(data_format, 2, size),), ((*kernel, 3, 2),))


def depthwise_conv(rank: int, convention: str) -> Iterator[Case]:
    strides_equal = ((1, 1), (2, 2))
    for axes in product(SIZES, KERNELS, strides_equal, DILATIONS, PADDINGS, DATA_FORMATS):
        *axes, padding, data_format = axes
        size, kernel, strides, dilation = (a[:rank] for a in axes)

        def build(K, x, w, strides=strides, padding=padding, data_format=data_format, dilation=dilation):
            return K.depthwise_conv(x[0], w[0], strides, padding, data_format, dilation)

        name = f"depthwise_conv {size} {kernel} {strides} {dilation} {padding} {data_format}"
        yield Case(name, build, (image(data_format, 2, size),), ((*kernel, 2, 3),))


def pool(rank: int, convention: str) -> Iterator[Case]:
    windows = ((2, 2, 2), (3, 3, 3), (1, 4, 5))
    for axes in product(SIZES, windows, STRIDES, PADDINGS, DATA_FORMATS, ("max", "average")):
        *axes, padding, data_format, mode = axes
        size, window, strides = (a[:rank] for a in axes)

        def build(K, x, w, window=window, strides=strides, padding=padding, data_format=data_format, mode=mode):
            return K.pool(x[0], window, strides, padding, data_format, mode)

        name = f"pool {mode} {size} {window} {strides} {padding} {data_format}"
        yield Case(name, build, (image(data_format, 2, size),))


def rnn(convention: str) -> Iterator[Case]:
    """A cell with two states, one of them an image-like one that no weight touches."""
    for masked, go_backwards, unroll, units in product((False, True), (False, True), (False, True), (1, 4)):

        def build(K, x, w, masked=masked, go_backwards=go_backwards, unroll=unroll, units=units):
            def step(x_t, states):
                h = K.tanh(K.dot(x_t, w[0]) + K.dot(states[0], w[1]))
                return h * 2, [h, states[1] + K.expand_dims(h, 2)]

            n = K.shape(x[0])[0]
            states = [K.zeros((n, units)), K.zeros((n, units, 1))]
            mask = K.greater(x[1], 0) if masked else None
            last, outputs, states = K.rnn(step, x[0], states, mask, go_backwards, unroll)
            return K.concatenate([last, K.reshape(outputs, (n, 5 * units)), states[0], states[1][:, :, 0]])

        name = f"rnn masked={masked} go_backwards={go_backwards} unroll={unroll} units={units}"
        yield Case(name, build, ((5, 3), (5,)), ((3, units), (units, units)))

    def stateless(K, x, w):
        return K.rnn(lambda x_t, states: (K.exp(x_t), []), x[0], [], go_backwards=True)[1]

    yield Case("rnn without states", stateless, ((5, 3),))


def operations(convention: str) -> Iterator[Case]:
    def case(name, function, *inputs, weights=()):
        return Case(name, lambda K, x, w: function(K, *x, *w), inputs or ((4, 5),), weights)

    def positive(K, x):
        return K.abs(x) + 0.1

    def mask(K, x):
        return K.greater(x, 0)

    yield case("arithmetic", lambda K, x: (x + 1.0) * 2.0 - x / 3.0)
    yield case("power", lambda K, x: positive(K, x) ** 0.5)
    yield case("slices", lambda K, x: x[:, 1:4:2, ::-1])
    yield case("reshape", lambda K, x: K.reshape(x, (-1, 10, 2)))
    yield case("reshape with a symbolic size", lambda K, x: K.reshape(x, (K.shape(x)[0], 20)))
    yield case("transpose", lambda K, x: K.transpose(x, (0, 2, 1)))
    yield case("ndim", lambda K, x: x * float(K.ndim(x)))
    for axis in (1, -1):
        yield case(f"expand_dims {axis}", lambda K, x, a=axis: K.expand_dims(x, a))
        yield case(f"squeeze {axis}", lambda K, x, a=axis: K.squeeze(x, a), (1, 4, 1))
        yield case(f"concatenate {axis}", lambda K, x, a=axis: K.concatenate([x, x * 2.0, x], a))
        for part in (0, 1):
            halves = lambda K, x, a=axis, i=part: K.split(K.concatenate([x, x * 2.0], a), 2, a)[i]  # noqa: E731
            yield case(f"split {axis} {part}", halves)
        yield case(f"stack {axis}", lambda K, x, a=axis: K.stack([x, x * 2.0, x], a))
        yield case(f"repeat {axis}", lambda K, x, a=axis: K.repeat(x, 3, a))
        yield case(f"flip {axis}", lambda K, x, a=axis: K.flip(x, a))
        yield case(f"softmax {axis}", lambda K, x, a=axis: K.softmax(x * 100.0, a))
    yield case("pad", lambda K, x: K.pad(x, [(0, 0), (1, 2), (0, 3)]))
    yield case("zeros", lambda K, x: x + K.zeros((K.shape(x)[0], 4, 5)))
    yield case("constant", lambda K, x: x * K.constant(np.arange(5)))
    yield case("arange", lambda K, x: K.arange(5))
    yield case("arange of a symbolic size", lambda K, x: K.arange(K.shape(x)[0]))
    yield case("cast to int32", lambda K, x: K.cast(x * 3.0, "int32"))
    yield case("cast to bool", lambda K, x: K.cast(x, "bool"))
    yield case("cast from bool", lambda K, x: K.cast(mask(K, x), "float32"))
    yield case("round halves to even", lambda K, x: K.round(K.round(x * 4.0) / 2.0))
    for axis in (1, -1):
        yield case(f"argmax {axis}", lambda K, x, a=axis: K.argmax(K.round(x), a))
    for name in ("exp", "abs", "sign", "tanh", "erf", "sigmoid", "softplus", "relu"):
        yield case(name, lambda K, x, name=name: getattr(K, name)(x * 4.0))
    for name in ("log", "sqrt"):
        yield case(name, lambda K, x, name=name: getattr(K, name)(positive(K, x)))
    for name in ("maximum", "minimum", "greater", "equal", "not_equal"):
        yield case(f"{name} of tensors", lambda K, x, name=name: getattr(K, name)(x, K.flip(x, 1)), (5, 2))
        yield case(f"{name} with a number", lambda K, x, name=name: getattr(K, name)(x, 0.0))
    for name in ("logical_and", "logical_or"):
        yield case(name, lambda K, x, name=name: getattr(K, name)(mask(K, x), mask(K, K.flip(x, 2))))
    yield case("masks move", lambda K, x: K.pad(K.flip(K.repeat(mask(K, x), 2, 1), 2), [(0, 0), (1, 0), (0, 1)]))
    yield case("masks join", lambda K, x: K.concatenate([mask(K, x), K.zeros((K.shape(x)[0], 4, 5), "bool")], 1))
    yield case("where", lambda K, x: K.where(mask(K, x), x, 0.0))
    yield case("where broadcasts", lambda K, x: K.where(K.expand_dims(mask(K, x)[:, :, 0], 2), x, -x))
    for name, axis, keepdims in product(("sum", "mean", "max"), (None, 1, -1, (1, 2), [0, -1]), (False, True)):
        yield case(f"{name} {axis} {keepdims}", lambda K, x, n=name, a=axis, k=keepdims: getattr(K, n)(x, a, k))
    for name, axis, keepdims in product(("any", "all"), (None, 1, (1, 2)), (False, True)):
        yield case(
            f"{name} {axis} {keepdims}",
            lambda K, x, n=name, a=axis, k=keepdims: getattr(K, n)(K.greater(x, -0.5), a, k),
        )
    for axes in ((3,), (4, 3), (2, 4, 3)):
        yield case(f"dot of {len(axes) + 1} axes", lambda K, x, w: K.dot(x, w), axes, weights=((3, 6),))
    pairs = (((4,), (4,), (1, 1)), ((4,), (5, 4), (1, 2)), ((5, 4), (4,), (-1, -1)), ((5, 4), (4, 3), (2, 1)))
    for x, y, axes in pairs:
        yield case(f"batch_dot {x} {y} {axes}", lambda K, x, y, a=axes: K.batch_dot(x, y, a), x, y)
    for axes in ((4,), (4, 2)):
        yield case(f"gather {axes}", lambda K, x, w: K.gather(w, K.cast(K.abs(x), "int32")), axes, weights=((9, 3),))
    yield case("weights of size 1 broadcast", lambda K, x, w: x * w, weights=((1, 5),))
    yield case("inputs of size 1 broadcast", lambda K, x, y: x * y, (4, 5), (1, 5))
    for data_format in DATA_FORMATS:
        size = image(data_format, 2, (3, 4))
        yield case(f"resize_bilinear {data_format}", lambda K, x, d=data_format: K.resize_bilinear(x, (2, 2), d), size)


PRODUCTS: dict[str, Callable[[str], Iterator[Case]]] = {
    **{f"conv {rank}": lambda c, rank=rank: conv(rank, c) for rank in (1, 2, 3)},
    **{f"conv_transpose {rank}": lambda c, rank=rank: conv_transpose(rank, c) for rank in (2, 3)},
    **{f"depthwise_conv {rank}": lambda c, rank=rank: depthwise_conv(rank, c) for rank in (1, 2)},
    **{f"pool {rank}": lambda c, rank=rank: pool(rank, c) for rank in (1, 2, 3)},
}
"""Each combination of sizes, strides, padding, ... is a case."""
GROUPS = {**PRODUCTS, "rnn": rnn, "operations": operations}


# --------------------------------------------------------------- running them ----


def run(K: Any, cases: list[Case]) -> tuple[dict[str, np.ndarray], dict[str, tuple[Any, ...]]]:
    """Outputs of all cases from one compiled function, and what the backend knew of their shapes."""
    random = np.random.default_rng(0)
    inputs = [random.standard_normal((BATCH, *shape)).astype("float32") * 2 for c in cases for shape in c.inputs]
    weights = [random.standard_normal(shape).astype("float32") for c in cases for shape in c.weights]
    known = {}

    def build(held, given):
        held, given, outputs = iter(held), iter(given), []
        for c in cases:
            y = c.build(K, [next(given) for _ in c.inputs], [next(held) for _ in c.weights])
            known[c.name] = K.shape(y)
            outputs.append(y)
        return outputs

    specs = [InputSpec((None, *x.shape[1:])) for x in inputs]
    outputs = K.compile_reading(build, specs, [K.variable(w) for w in weights])(inputs)
    return dict(zip([c.name for c in cases], outputs, strict=True)), known
