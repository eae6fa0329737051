"""NASNetLarge and NASNetMobile."""

from __future__ import annotations

from typing import Any

from .... import layers as L
from ....models.model import Model
from .building import Request, conv, network, norm_last, relu, row
from .imagenet import decode_predictions as decode_predictions
from .imagenet import preprocessing

preprocess_input = preprocessing("tf")

_INITIALIZER: dict[str, Any] = {"kernel_initializer": "he_normal"}


def _norm(name: str) -> Any:
    return norm_last(name, momentum=0.9997, epsilon=1e-3)


def _single(filters: int, name: str) -> Any:
    """A convolution of single pixels."""
    return conv(filters, (1, 1), name, strides=(1, 1), padding="same", **_INITIALIZER)


def _joined(tensors: list[Any], name: str = "") -> Any:
    return L.Concatenate(axis=-1, name=name)(tensors)


def _padding(x: Any, size: int) -> tuple[tuple[int, int], ...]:
    """The zeros around an image for a convolution with stride 2 and a window of `size`, as TensorFlow pads it."""
    half = size // 2
    return tuple((half - 1 + (n or 0) % 2, half) for n in x.shape[1:3])


def _separable(x: Any, filters: int, size: int, name: str, stride: int = 1) -> Any:
    """Two separable convolutions; the first one has the stride."""
    x, padding = relu()(x), "same"
    if stride > 1:
        x, padding = L.ZeroPadding2D(_padding(x, size), name=f"separable_conv_1_pad_{name}")(x), "valid"
    for i in (1, 2):
        layer = L.SeparableConv2D(
            filters,
            (size, size),
            strides=(stride, stride) if i == 1 else (1, 1),
            padding=padding if i == 1 else "same",
            use_bias=False,
            name=f"separable_conv_{i}_{name}",
        )
        x = row(x, relu() if i == 2 else None, layer, _norm(f"separable_conv_{i}_bn_{name}"))
    return x


def _adjusted(p: Any, x: Any, filters: int, name: str) -> Any:
    """The image of an earlier cell, `p`, with the size of `x` and `filters` channels; `x` where there is none."""
    if p is None:
        return x
    if p.shape[2] != x.shape[2]:
        p = relu(f"adjust_relu_1_{name}")(p)
        moved = row(p, L.ZeroPadding2D(((0, 1), (0, 1))), L.Cropping2D(((1, 0), (1, 0))))
        halves = []
        for i, half in enumerate((p, moved), 1):
            pool = L.AveragePooling2D((1, 1), strides=(2, 2), padding="valid", name=f"adjust_avg_pool_{i}_{name}")
            single = conv(filters // 2, (1, 1), f"adjust_conv_{i}_{name}", padding="same", **_INITIALIZER)
            halves.append(row(half, pool, single))
        return _norm(f"adjust_bn_{name}")(_joined(halves))
    if p.shape[3] != filters:
        return row(p, relu(), _single(filters, f"adjust_conv_projection_{name}"), _norm(f"adjust_bn_{name}"))
    return p


def _mean(name: str) -> Any:
    return L.AveragePooling2D((3, 3), strides=(1, 1), padding="same", name=name)


def _normal(x: Any, p: Any, filters: int, name: str) -> tuple[Any, Any]:
    """A cell that keeps the size; returns its image and `x`."""
    p = _adjusted(p, x, filters, name)
    h = row(x, relu(), _single(filters, f"normal_conv_1_{name}"), _norm(f"normal_bn_1_{name}"))

    def add(i: int, left: Any, right: Any) -> Any:
        return L.Add(name=f"normal_add_{i}_{name}")([left, right])

    left = _separable(h, filters, 5, f"normal_left1_{name}")
    first = add(1, left, _separable(p, filters, 3, f"normal_right1_{name}"))
    left = _separable(p, filters, 5, f"normal_left2_{name}")
    second = add(2, left, _separable(p, filters, 3, f"normal_right2_{name}"))
    third = add(3, _mean(f"normal_left3_{name}")(h), p)
    fourth = add(4, _mean(f"normal_left4_{name}")(p), _mean(f"normal_right4_{name}")(p))
    fifth = add(5, _separable(h, filters, 3, f"normal_left5_{name}"), h)
    return _joined([p, first, second, third, fourth, fifth], f"normal_concat_{name}"), x


def _reduction(x: Any, p: Any, filters: int, name: str) -> tuple[Any, Any]:
    """A cell that halves the size; returns its image and `x`."""
    p = _adjusted(p, x, filters, name)
    h = row(x, relu(), _single(filters, f"reduction_conv_1_{name}"), _norm(f"reduction_bn_1_{name}"))
    padded = L.ZeroPadding2D(_padding(h, 3), name=f"reduction_pad_1_{name}")(h)

    def pool(cls: Any, part: str) -> Any:
        return cls((3, 3), strides=(2, 2), padding="valid", name=f"reduction_{part}_{name}")(padded)

    def add(part: str, left: Any, right: Any) -> Any:
        return L.Add(name=f"reduction_{part}_{name}" if part else "")([left, right])

    left = _separable(h, filters, 5, f"reduction_left1_{name}", 2)
    first = add("add_1", left, _separable(p, filters, 7, f"reduction_right1_{name}", 2))
    left = pool(L.MaxPooling2D, "left2")
    second = add("add_2", left, _separable(p, filters, 7, f"reduction_right2_{name}", 2))
    left = pool(L.AveragePooling2D, "left3")
    third = add("add3", left, _separable(p, filters, 5, f"reduction_right3_{name}", 2))
    fourth = add("", second, _mean(f"reduction_left4_{name}")(first))
    left = _separable(first, filters, 3, f"reduction_left4_{name}")
    fifth = add("add4", left, pool(L.MaxPooling2D, "right5"))
    return _joined([second, third, fourth, fifth], f"reduction_concat_{name}"), x


def _nasnet(request: Request, kind: str, size: int, filters: int, count: int, stem: int, skip: bool) -> Model:
    """kind: in the names of its files of weights. filters: of the first normal cells. count: of normal cells in a row.
    skip: whether the image before a reduction stays the earlier one. The input shape must be known, with the classes or
    without."""
    start = request.start(request.shape(size, 32, sized=True))
    x = conv(stem, (3, 3), "stem_conv1", strides=(2, 2), padding="valid", **_INITIALIZER)(start)
    x, p = _reduction(_norm("stem_bn1")(x), None, filters // 4, "stem_1")
    x, p = _reduction(x, p, filters // 2, "stem_2")
    for part in range(3):
        if part:
            x, before = _reduction(x, p, filters * 2**part, f"reduce_{part * count}")
            p = p if skip else before
        for i in range(count):
            x, p = _normal(x, p, filters * 2**part, str(part * count + i + (part > 0)))
    x = relu()(x)
    file = f"nasnet_{kind}{'' if request.include_top else '_no_top'}.h5"
    return request.model(start, request.classified(x, "predictions", pool=""), "NASNet", file)


@network
def NASNetLarge(request: Request) -> Model:
    """NASNetLarge (Zoph and others, 2017)."""
    return _nasnet(request, "large", 331, 4032 // 24, 6, 96, skip=True)


@network
def NASNetMobile(request: Request) -> Model:
    """NASNetMobile (Zoph and others, 2017)."""
    return _nasnet(request, "mobile", 224, 1056 // 24, 4, 32, skip=False)
