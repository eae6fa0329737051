"""MobileNet and MobileNetV2."""

from __future__ import annotations

from typing import Any

from .... import layers as L
from ....models.model import Model
from .building import CHANNELS, Request, conv, norm_last, relu6, row
from .imagenet import decode_predictions as decode_predictions
from .imagenet import preprocessing

preprocess_input = preprocessing("tf")

_SIZES = (128, 160, 192, 224)
_SIZES_V2 = (96, *_SIZES)
_ALPHAS = {1.0: "1_0", 0.75: "7_5", 0.5: "5_0", 0.25: "2_5"}
"""How the names of the files of weights state the factor of the filters."""


def _shape(request: Request, sizes: tuple[int, ...]) -> tuple[Any, ...]:
    """The shape of the input; a square of one of `sizes` is its own default."""
    shape = request.input_shape or (224, 224)
    size = shape[0] if shape[0] == shape[1] and shape[0] in sizes else 224
    return request.shape(size, 32)


def _rows(shape: tuple[Any, ...], sizes: tuple[int, ...]) -> int:
    """The rows of the images that the file of weights is for: those of the input if there is such a file, else 224."""
    return shape[0] if shape[0] in sizes else 224


def _ending(request: Request) -> str:
    """The end of the name of a file of weights."""
    return "" if request.include_top else "_no_top"


def MobileNet(
    input_shape: Any = None,
    alpha: float = 1.0,
    depth_multiplier: int = 1,
    dropout: float = 1e-3,
    include_top: bool = True,
    weights: Any = "imagenet",
    input_tensor: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
) -> Model:
    """MobileNet (Howard and others, 2017).

    alpha: a factor for the number of filters. depth_multiplier: the channels that a depthwise convolution makes of one.
    """
    request = Request(include_top, weights, input_tensor, input_shape, pooling, classes)
    shape = _shape(request, _SIZES)
    start = request.start(shape)
    x = row(start, L.ZeroPadding2D(((0, 1), (0, 1)), name="conv1_pad"))
    x = row(x, conv(int(32 * alpha), (3, 3), "conv1", strides=(2, 2)), norm_last("conv1_bn"), relu6("conv1_relu"))
    filters = (64, 128, 128, 256, 256, *[512] * 6, 1024, 1024)
    for i, count in enumerate(filters, 1):
        x = _depthwise(x, i, int(count * alpha), depth_multiplier, 2 if i in (2, 4, 6, 12) else 1)
    if include_top:
        x = row(x, L.GlobalAveragePooling2D(), L.Reshape((1, 1, int(1024 * alpha)), name="reshape_1"))
        x = row(x, L.Dropout(dropout, name="dropout"))
        x = L.Conv2D(classes, (1, 1), padding="same", name="conv_preds")(x)
        x = row(x, L.Reshape((classes,), name="reshape_2"), L.Activation("softmax", name="act_softmax"))
    else:
        x = request.pooled(x)
    file = f"mobilenet_{_ALPHAS.get(alpha, alpha)}_{_rows(shape, _SIZES)}_tf{_ending(request)}.h5"
    return request.model(start, x, f"mobilenet_{alpha:.2f}_{shape[0]}", file)


def _depthwise(x: Any, i: int, filters: int, multiplier: int, stride: int) -> Any:
    """Block `i`: a depthwise convolution, and one of single pixels."""
    if stride > 1:
        x = L.ZeroPadding2D(((0, 1), (0, 1)), name=f"conv_pad_{i}")(x)
    name, padding = f"conv_dw_{i}", "same" if stride == 1 else "valid"
    layer = L.DepthwiseConv2D(
        (3, 3), padding=padding, depth_multiplier=multiplier, strides=(stride, stride), use_bias=False, name=name
    )
    x = row(x, layer, norm_last(f"{name}_bn"), relu6(f"{name}_relu"))
    name = f"conv_pw_{i}"
    return row(x, conv(filters, (1, 1), name, padding="same"), norm_last(f"{name}_bn"), relu6(f"{name}_relu"))


# ---------------------------------------------------------------------- V2 ----

_BLOCKS_V2 = ((16, 1, 1), (24, 2, 2), (32, 3, 2), (64, 4, 2), (96, 3, 1), (160, 3, 2), (320, 1, 1))
"""Rows of blocks of MobileNetV2: filters, number of blocks, stride of the first block."""

_NORM_V2: dict[str, Any] = {"epsilon": 1e-3, "momentum": 0.999}


def MobileNetV2(
    input_shape: Any = None,
    alpha: float = 1.0,
    include_top: bool = True,
    weights: Any = "imagenet",
    input_tensor: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
) -> Model:
    """MobileNetV2 (Sandler and others, 2018); alpha: a factor for the number of filters."""
    if input_shape is None and input_tensor is not None:
        input_shape = tuple(input_tensor.shape[1:])
    request = Request(include_top, weights, input_tensor, input_shape, pooling, classes)
    shape = _shape(request, _SIZES_V2)
    start = request.start(shape)
    x = row(start, L.ZeroPadding2D(_halving(start), name="Conv1_pad"))
    x = conv(_eighths(32 * alpha), 3, "Conv1", strides=(2, 2))(x)
    x = row(x, norm_last("bn_Conv1", **_NORM_V2), relu6("Conv1_relu"))
    i = 0
    for filters, count, stride in _BLOCKS_V2:
        for j in range(count):
            x = _inverted(x, i, _eighths(int(filters * alpha)), stride if j == 0 else 1)
            i += 1
    last = _eighths(1280 * alpha) if alpha > 1.0 else 1280
    x = row(x, conv(last, 1, "Conv_1"), norm_last("Conv_1_bn", **_NORM_V2), relu6("out_relu"))
    end = request.classified(x, "Logits", pool="")
    rows = _rows(shape, _SIZES_V2)
    file = f"mobilenet_v2_weights_tf_dim_ordering_tf_kernels_{float(alpha)}_{rows}{_ending(request)}.h5"
    return request.model(start, end, f"mobilenetv2_{alpha:.2f}_{shape[0]}", file)


def _inverted(x: Any, i: int, filters: int, stride: int) -> Any:
    """Block `i`: six times the channels, a depthwise convolution, and `filters` channels."""
    name, channels, y = f"block_{i}_" if i else "expanded_conv_", x.shape[CHANNELS], x
    if i:
        layer = conv(6 * channels, 1, f"{name}expand", padding="same")
        y = row(y, layer, norm_last(f"{name}expand_BN", **_NORM_V2), relu6(f"{name}expand_relu"))
    if stride == 2:
        y = L.ZeroPadding2D(_halving(y), name=f"{name}pad")(y)
    padding = "same" if stride == 1 else "valid"
    y = L.DepthwiseConv2D(3, strides=stride, use_bias=False, padding=padding, name=f"{name}depthwise")(y)
    y = row(y, norm_last(f"{name}depthwise_BN", **_NORM_V2), relu6(f"{name}depthwise_relu"))
    y = row(y, conv(filters, 1, f"{name}project", padding="same"), norm_last(f"{name}project_BN", **_NORM_V2))
    return L.Add(name=f"{name}add")([x, y]) if channels == filters and stride == 1 else y


def _halving(x: Any, size: int = 3) -> tuple[tuple[int, int], ...]:
    """The zeros around an image for a convolution with stride 2 and a window of `size`, as TensorFlow pads it."""
    half = size // 2
    return tuple((half - 1 + (n or 0) % 2, half) for n in x.shape[1:3])


def _eighths(filters: float) -> int:
    """The multiple of 8 next to `filters`, at least nine tenths of it."""
    near = max(8, int(filters + 4) // 8 * 8)
    return near + 8 if near < 0.9 * filters else near
