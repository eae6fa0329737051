"""The layers of a draft: for each number of axes, functions (draft, shape of the input) -> layer."""

import numpy as np
from hypothesis import strategies as st

from kconvert import layers as L
from kconvert.conventions.backends import DATA_FORMATS

ACTIVATIONS = ("linear", "relu", "tanh", "softmax", "sigmoid")


def _window(d, shape):
    """kernel or pool size, strides, padding, data format of a layer on `shape`."""
    rank = len(shape) - 2
    return {
        "strides": d.sizes(rank, 2),
        "padding": d.one(d.paddings),
        "data_format": d.data_format,
    }


def conv(name):
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


def depthwise(d, shape):
    options = _window(d, shape)
    options["strides"] = d.draw(st.integers(1, 2))
    return L.DepthwiseConv2D(d.sizes(2, 3), depth_multiplier=d.draw(st.integers(1, 2)), **options)


def separable(d, shape):
    options = _window(d, shape)
    options["strides"] = d.draw(st.integers(1, 2))
    return L.SeparableConv2D(
        d.draw(st.integers(1, 4)), d.sizes(2, 3), depth_multiplier=d.draw(st.integers(1, 2)), **options
    )


def pool(d, shape):
    rank = len(shape) - 2
    cls = getattr(L, f"{d.one(['Max', 'Average'])}Pooling{rank}D")
    options = _window(d, shape)
    if rank == 1:
        options["data_format"] = "channels_last"
    return cls(d.sizes(rank, 3), **options)


def global_pool(d, shape):
    rank = len(shape) - 2
    cls = getattr(L, f"Global{d.one(['Max', 'Average'])}Pooling{rank}D")
    return cls(data_format=d.data_format if rank > 1 else "channels_last")


def padding(d, shape):
    rank = len(shape) - 2
    return getattr(L, f"ZeroPadding{rank}D")(d.pairs(rank), data_format=d.data_format)


def cropping(d, shape):
    rank = len(shape) - 2
    return getattr(L, f"Cropping{rank}D")(d.pairs(rank), data_format=d.data_format)


def upsampling(d, shape):
    rank = len(shape) - 2
    if rank == 2 and d.chance(3):
        return L.UpSampling2D(d.one([1, 2, 4, (2, 1)]), data_format=d.data_format, interpolation="bilinear")
    return getattr(L, f"UpSampling{rank}D")(d.sizes(rank, 2), data_format=d.data_format)


def spatial_dropout(d, shape):
    rank = len(shape) - 2
    if rank == 1:
        return L.SpatialDropout1D(0.5)
    return getattr(L, f"SpatialDropout{rank}D")(0.5, data_format=d.data_format)


def local(d, shape):
    return L.LocallyConnected2D(d.draw(st.integers(1, 3)), d.sizes(2, 2), data_format=d.data_format)


def conv_lstm(d, shape):
    options = {"padding": d.one(d.paddings), "data_format": d.data_format, "return_sequences": d.chance(2)}
    layer = L.ConvLSTM2D(d.draw(st.integers(1, 3)), d.sizes(2, 3), **options)
    if d.chance(2):
        return layer
    layer.name = "both"
    return L.Bidirectional(layer, merge_mode=d.one(["concat", "sum"]))


def normalization(d, shape):
    return L.BatchNormalization(d.axis(shape), scale=d.chance(2), center=d.chance(2))


def dense(d, shape):
    return L.Dense(d.draw(st.integers(1, 5)), d.one(ACTIVATIONS), d.chance(2))


def maxout(d, shape):
    return L.MaxoutDense(d.draw(st.integers(1, 5)), 2)


def highway(d, shape):
    return L.Highway(activation="tanh")


def prelu(d, shape):
    return L.PReLU(shared_axes=d.some(range(1, len(shape))) or None)


def legacy_map(d, shape):
    return d.one([L.SReLU, L.ParametricSoftplus])(shared_axes=d.some(range(1, len(shape))) or None)


def activation(d, shape):
    return L.Activation(d.one(ACTIVATIONS))


def softmax(d, shape):
    return L.Softmax(d.axis(shape))


def elementwise(d, shape):
    return d.one([L.Dropout(0.5), L.GaussianNoise(0.1), L.LeakyReLU(0.2), L.ELU(0.7), L.ReLU(2.0, 0.1)])


def flatten(d, shape):
    return L.Flatten(d.one([None, *DATA_FORMATS]))


def reshape(d, shape):
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


def permute(d, shape):
    return L.Permute(tuple(d.draw(st.permutations(range(1, len(shape))))))


def repeat(d, shape):
    return L.RepeatVector(d.draw(st.integers(1, 3)))


def recurrent(d, shape):
    cls = d.one([L.LSTM, L.GRU, L.SimpleRNN])
    return cls(d.draw(st.integers(1, 3)), return_sequences=d.chance(2), go_backwards=d.chance(3))


def bidirectional(d, shape):
    inner = recurrent(d, shape)
    inner.go_backwards, inner.name = False, "both"
    return L.Bidirectional(inner, merge_mode=d.one(["concat", "sum"]))


def time_distributed(d, shape):
    step = (shape[0], *shape[2:])
    if not d.prefix and d.chance(4):
        inner = d.inside(f"step{len(d.layers)}_")
        model = inner.grown([step[1:]], d.draw(st.integers(1, 3)), chain=d.chance(2))
        model.name = f"{inner.prefix}model"
        return L.TimeDistributed(model)
    return L.TimeDistributed(d.layer_for(step, wrapped=True))


def of_tf_keras(d, shape):
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


ANY = [activation, elementwise, normalization, prelu, dense]

RARE = [softmax, legacy_map, reshape, of_tf_keras]

MAPS = [flatten, flatten, permute, conv("Conv{}D"), conv("Conv{}D"), pool, global_pool, spatial_dropout]

IMAGES = [padding, cropping, upsampling, conv("Conv{}DTranspose")]

BY_RANK = {
    2: [*ANY, *RARE, repeat, maxout, highway],
    3: [*ANY, *RARE, *MAPS, recurrent, recurrent, bidirectional, time_distributed],
    4: [
        *ANY,
        *RARE,
        *MAPS,
        *IMAGES,
        *MAPS,
        *IMAGES,
        *[conv("Conv{}D"), pool] * 3,
        separable,
        depthwise,
        local,
        time_distributed,
    ],
    5: [*ANY, *RARE, *MAPS, *IMAGES, *[conv("Conv{}D"), pool] * 2, *[time_distributed] * 8, *[conv_lstm] * 3],
    6: [*ANY, flatten, permute, *[time_distributed] * 3],
}
