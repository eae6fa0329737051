"""The words of Keras 1 and Keras 2: one row a layer class, with the keys that have another name or form.

(keras-facts: keras1-classes, keras1-keys, keras1-values, regularizers-and-constraints, forms-of-zero-padding)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import field, replace
from functools import cached_property
from typing import Any

from ...lazy_dataclasses import dataclass
from ..backends import CHANNELS_FIRST, CHANNELS_LAST


def _same(value: Any) -> Any:
    return value


@dataclass(frozen=True)
class Key:
    """One configuration key."""

    # its name in Keras 1; several names, separated by spaces, are one list in Keras 2
    old: str
    # its name in Keras 2
    new: str
    # the value from Keras 1 to Keras 2
    read: Callable[[Any], Any] = _same
    # and back
    write: Callable[[Any], Any] = _same

    @cached_property
    def olds(self) -> list[str]:
        return self.old.split()

    def rename(self, config: dict[str, Any]) -> None:
        """Renames the key in `config`, and translates its value, from Keras 1 to Keras 2."""
        values = [config.pop(old) for old in self.olds if old in config]
        if values:
            config[self.new] = self.read(values if len(self.olds) > 1 else values[0])


def _table(pairs: Mapping[Any, Any]) -> tuple[Callable[[Any], Any], Callable[[Any], Any]]:
    """read and write for values that only have other names; what is no name is kept."""

    def renaming(names: Mapping[Any, Any]) -> Callable[[Any], Any]:
        return lambda value: names.get(value, value) if isinstance(value, str | int | None) else value

    return renaming(pairs), renaming({new: old for old, new in pairs.items()})


def _alone(value: Any) -> Any:
    """`[3]` as Keras 1's 3."""
    return value[0] if isinstance(value, list | tuple) else value


_REGULARIZERS = {"WeightRegularizer": "L1L2", "L1L2Regularizer": "L1L2", "ActivityRegularizer": "L1L2"}
_CONSTRAINT_KEYS = {"m": "max_value", "low": "min_value", "high": "max_value"}


def _read_object(value: Any) -> Any:
    """A Keras 1 regularizer or constraint `{'name': ..., **arguments}` as Keras 2 writes it."""
    if not isinstance(value, Mapping) or not isinstance(value.get("name"), str):
        return value
    name = _REGULARIZERS.get(value["name"], value["name"])
    config = {_CONSTRAINT_KEYS.get(key, key): item for key, item in value.items() if key != "name"}
    return {"class_name": name, "config": config}


def _write_object(value: Any) -> Any:
    if not isinstance(value, Mapping) or "class_name" not in value or not isinstance(value.get("config"), Mapping):
        return value
    name = str(value["class_name"]).replace("L1L2", "L1L2Regularizer")
    keys = {"MaxNorm": {"max_value": "m"}, "MinMaxNorm": {"min_value": "low", "max_value": "high"}}.get(name, {})
    return {"name": name, **{keys.get(key, key): item for key, item in value["config"].items()}}


def _read_padding(value: Any) -> Any:
    """Keras 1 pads an image by (rows, cols), (top, bottom, left, right) or a dict of the four."""
    if isinstance(value, Mapping):
        if set(value) <= {"left_pad", "right_pad"} and set(value):
            return [value.get("left_pad", 0), value.get("right_pad", 0)]
        value = [value.get(side, 0) for side in ("top_pad", "bottom_pad", "left_pad", "right_pad")]
    return [value[:2], value[2:]] if isinstance(value, list | tuple) and len(value) == 4 else value


def _write_padding(value: Any) -> Any:
    if not isinstance(value, list | tuple) or not isinstance(value[0], list | tuple):
        return value
    if all(before == after for before, after in value):
        return [before for before, _ in value]
    return [side for pair in value for side in pair]


def _write_padding_1d(value: Any) -> Any:
    before, after = value if isinstance(value, list | tuple) else (value, value)
    return before if before == after else [before, after]


DIM_ORDERING = _table({"th": CHANNELS_FIRST, "tf": CHANNELS_LAST, "default": None})
_CONSUME_LESS = _table({"cpu": 0, "mem": 1, "gpu": 2})
_FORGET_BIAS = (lambda value: value == "one"), (lambda value: "one" if value else "zero")

_OBJECTS = (_read_object, _write_object)
_COMMON = [Key("input_dtype", "dtype")]
_KERNEL = [
    Key("init", "kernel_initializer"),
    Key("W_regularizer", "kernel_regularizer", *_OBJECTS),
    Key("b_regularizer", "bias_regularizer", *_OBJECTS),
    Key("activity_regularizer", "activity_regularizer", *_OBJECTS),
    Key("W_constraint", "kernel_constraint", *_OBJECTS),
    Key("b_constraint", "bias_constraint", *_OBJECTS),
    Key("bias", "use_bias"),
]
_UNITS = [Key("output_dim", "units")]
_ORDERING = [Key("dim_ordering", "data_format", *DIM_ORDERING)]
_PADDING = [Key("border_mode", "padding")]
_CONV = [*_KERNEL, *_ORDERING, *_PADDING, Key("nb_filter", "filters"), Key("subsample", "strides")]
_IMAGE_KERNEL = [Key("nb_row nb_col", "kernel_size")]
_VOLUME_KERNEL = [Key("kernel_dim1 kernel_dim2 kernel_dim3", "kernel_size")]
_CONV_1D = [
    *_KERNEL,
    *_PADDING,
    Key("nb_filter", "filters"),
    Key("filter_length", "kernel_size", write=_alone),
    Key("subsample_length", "strides", write=_alone),
]
_POOL_1D = [*_PADDING, Key("pool_length", "pool_size", write=_alone), Key("stride", "strides", write=_alone)]
_POOL = [*_PADDING, *_ORDERING]
_RECURRENT = [
    *_UNITS,
    Key("init", "kernel_initializer"),
    Key("inner_init", "recurrent_initializer"),
    Key("inner_activation", "recurrent_activation"),
    Key("W_regularizer", "kernel_regularizer", *_OBJECTS),
    Key("U_regularizer", "recurrent_regularizer", *_OBJECTS),
    Key("b_regularizer", "bias_regularizer", *_OBJECTS),
    Key("dropout_W", "dropout"),
    Key("dropout_U", "recurrent_dropout"),
    Key("forget_bias_init", "unit_forget_bias", *_FORGET_BIAS),
    Key("consume_less", "implementation", *_CONSUME_LESS),
]
_RATE = [Key("p", "rate")]
_SIZE_INPUT = "input_dim input_length"
_LEGACY = (
    "init W_regularizer b_regularizer activity_regularizer W_constraint b_constraint bias input_dim"  # as in Keras 2
)


def _always(config: Mapping[str, Any]) -> bool:
    return True


def _dilated(config: Mapping[str, Any]) -> bool:
    rate = config.get("dilation_rate", 1)
    return any(r != 1 for r in (rate if isinstance(rate, list | tuple) else [rate]))


@dataclass(frozen=True)
class Rule:
    """One layer class."""

    # its name in Keras 1
    old: str
    # its name in Keras 2
    new: str
    # the keys that have another name or other values
    keys: tuple[Key, ...] = ()
    # the keys of Keras 1 that mean nothing later
    dropped: str = ""
    # the keys that are the same in both
    kept: str = ""
    # whether the class of Keras 1 can express a configuration of Keras 2; the first rule that fits is taken
    fits: Callable[[Mapping[str, Any]], bool] = _always
    # keys that Keras 1 must find in a configuration, with their usual values
    required: Mapping[str, Any] = field(default_factory=dict, hash=False)
    # keys of Keras 1 that it does not state itself, with the only values that it reads from a file
    implied: Mapping[str, Any] = field(default_factory=dict, hash=False)
    # keys of Keras 2 that not every Keras 1 stated, with the values that they then have
    unstated: Mapping[str, Any] = field(default_factory=dict, hash=False)
    # keys of Keras 2 that are another one of its keys in Keras 1, which has one word for both
    same: Mapping[str, str] = field(default_factory=dict, hash=False)

    def with_same(self, config: Mapping[str, Any]) -> dict[str, Any]:
        """A configuration of Keras 2 with the keys of `same`, from what Keras 1 stated."""
        return {**{key: config[of] for key, of in self.same.items() if of in config}, **config}

    def without_same(self, config: Mapping[str, Any]) -> dict[str, Any]:
        """A configuration of Keras 2 without the keys of `same`, where Keras 1 can state it."""
        return {
            key: value
            for key, value in config.items()
            if key not in self.same or self.same[key] not in config or value != config[self.same[key]]
        }


def _rule(
    old: str,
    new: str | None = None,
    keys: list[Key] | None = None,
    dropped: str = "",
    kept: str = "",
    fits: Callable[[Mapping[str, Any]], bool] = _always,
) -> Rule:
    return Rule(old, new or old, tuple(_COMMON + (keys or [])), dropped, kept, fits)


RULES: list[Rule] = [
    _rule("InputLayer", kept="sparse"),
    _rule("Dense", keys=_UNITS + _KERNEL, dropped=_SIZE_INPUT, kept="activation"),
    _rule("TimeDistributedDense", keys=_UNITS + _KERNEL, dropped=_SIZE_INPUT, kept="activation"),
    _rule("MaxoutDense", kept=_LEGACY + " output_dim nb_feature"),
    _rule("Highway", kept=_LEGACY + " activation transform_bias"),
    _rule("TimeDistributedMerge", kept="mode"),
    _rule("AutoEncoder", kept="encoder decoder"),
    _rule("Activation", dropped="target beta", kept="activation"),  # Keras 0.2.0 and 0.3.0 store two more
    _rule("ActivityRegularization", kept="l1 l2"),
    _rule("Flatten"),
    _rule("Reshape", kept="target_shape"),
    _rule("Permute", kept="dims"),
    _rule("RepeatVector", kept="n"),
    _rule("Masking", kept="mask_value"),
    _rule("Lambda", kept="function function_type output_shape output_shape_type arguments"),
    _rule("Dropout", keys=_RATE),
    _rule("SpatialDropout1D", keys=_RATE),
    _rule("SpatialDropout2D", keys=_RATE + _ORDERING),
    _rule("SpatialDropout3D", keys=_RATE + _ORDERING),
    _rule("GaussianDropout", keys=_RATE),
    _rule("GaussianNoise", keys=[Key("sigma", "stddev")]),
    _rule(
        "AtrousConvolution1D",
        "Conv1D",
        [*_CONV_1D, Key("atrous_rate", "dilation_rate", write=_alone)],
        _SIZE_INPUT,
        "activation",
        _dilated,
    ),
    _rule("Convolution1D", "Conv1D", _CONV_1D, _SIZE_INPUT, "activation"),
    _rule(
        "AtrousConvolution2D",
        "Conv2D",
        [*_CONV, *_IMAGE_KERNEL, Key("atrous_rate", "dilation_rate")],
        "",
        "activation",
        _dilated,
    ),
    _rule("Convolution2D", "Conv2D", _CONV + _IMAGE_KERNEL, kept="activation"),
    _rule("Convolution3D", "Conv3D", _CONV + _VOLUME_KERNEL, kept="activation"),
    _rule("Deconvolution2D", "Conv2DTranspose", _CONV + _IMAGE_KERNEL, kept="activation output_shape"),
    replace(
        _rule(
            "SeparableConvolution2D",
            "SeparableConv2D",
            [Key("init", "depthwise_initializer"), *(key for key in _CONV if key.old != "init"), *_IMAGE_KERNEL],
            kept="activation depth_multiplier depthwise_regularizer pointwise_regularizer "
            "depthwise_constraint pointwise_constraint",
        ),
        same={"pointwise_initializer": "depthwise_initializer"},
    ),
    _rule("LocallyConnected1D", keys=_CONV_1D, dropped=_SIZE_INPUT, kept="activation"),
    _rule("LocallyConnected2D", keys=_CONV + _IMAGE_KERNEL, kept="activation"),
    *(_rule(f"{kind}Pooling1D", keys=_POOL_1D) for kind in ("Max", "Average")),
    *(_rule(f"{kind}Pooling{n}D", keys=_POOL, kept="pool_size strides") for kind in ("Max", "Average") for n in (2, 3)),
    *(_rule(f"Global{kind}Pooling1D") for kind in ("Max", "Average")),
    *(_rule(f"Global{kind}Pooling{n}D", keys=_ORDERING) for kind in ("Max", "Average") for n in (2, 3)),
    _rule("ZeroPadding1D", keys=[Key("padding", "padding", _read_padding, _write_padding_1d)]),
    _rule("ZeroPadding2D", keys=[*_ORDERING, Key("padding", "padding", _read_padding, _write_padding)]),
    _rule("ZeroPadding3D", keys=[*_ORDERING, Key("padding", "padding", _read_padding, _write_padding)]),
    _rule("Cropping1D", kept="cropping"),
    _rule("Cropping2D", keys=_ORDERING, kept="cropping"),
    _rule("Cropping3D", keys=_ORDERING, kept="cropping"),
    _rule("UpSampling1D", keys=[Key("length", "size", write=_alone)]),
    _rule("UpSampling2D", keys=_ORDERING, kept="size"),
    _rule("UpSampling3D", keys=_ORDERING, kept="size"),
    _rule(
        "BatchNormalization",
        keys=[
            Key("gamma_regularizer", "gamma_regularizer", *_OBJECTS),
            Key("beta_regularizer", "beta_regularizer", *_OBJECTS),
        ],
        kept="axis momentum epsilon mode",
    ),
    _rule(
        "Embedding",
        keys=[
            Key("init", "embeddings_initializer"),
            Key("W_regularizer", "embeddings_regularizer", *_OBJECTS),
            Key("activity_regularizer", "activity_regularizer", *_OBJECTS),
            Key("W_constraint", "embeddings_constraint", *_OBJECTS),
        ],
        kept="input_dim output_dim input_length mask_zero dropout",
    ),
    *(
        replace(
            _rule(cls, None, _RECURRENT, _SIZE_INPUT, "activation return_sequences go_backwards stateful unroll"),
            unstated={"implementation": 0},  # one array a gate
        )
        for cls in ("SimpleRNN", "GRU", "LSTM")
    ),
    *(_rule(cls, None, _RECURRENT, _SIZE_INPUT, "activation return_sequences") for cls in ("JZS1", "JZS2", "JZS3")),
    replace(
        _rule(
            "ConvLSTM2D",
            keys=[
                *(key for key in _RECURRENT if key.old not in ("output_dim", "consume_less")),
                *_ORDERING,
                *_PADDING,
                *_IMAGE_KERNEL,
                Key("nb_filter", "filters"),
                Key("subsample", "strides"),
            ],
            kept="activation return_sequences go_backwards stateful",
        ),
        implied={"subsample": [1, 1]},
    ),
    _rule("LeakyReLU", kept="alpha"),
    _rule("ELU", kept="alpha"),
    _rule("ThresholdedReLU", kept="theta"),
    _rule("ThresholdedLinear", kept="theta"),
    _rule("PReLU", keys=[Key("init", "alpha_initializer")], kept="shared_axes"),
    _rule("SReLU", kept="t_left_init a_left_init t_right_init a_right_init shared_axes"),
    _rule("ParametricSoftplus", kept="alpha_init beta_init shared_axes"),
    Rule(
        "Merge",
        "Merge",
        kept="mode mode_type concat_axis dot_axes"
        " output_shape output_shape_type output_mask output_mask_type arguments",
        required={"mode_type": "raw", "output_shape": None, "output_shape_type": "raw", "arguments": {}}
        | {"output_mask": None, "output_mask_type": "raw"},
    ),
    _rule("TimeDistributed"),
    _rule("Bidirectional", kept="merge_mode"),
]

NOT_STORED: Mapping[str, tuple[Key, ...]] = {
    "BatchNormalization": (Key("beta_init", "beta_initializer"), Key("gamma_init", "gamma_initializer")),
}
"""The arguments of a class that no file of Keras 1 states."""

# ------------------------------------------------------------------ methods ----

IGNORED: Mapping[str, tuple[Any, ...]] = {"forget_bias_init": ("one",)}
"""Arguments of Keras 1 that Keras 2 ignores in calls, except for these values."""

_WORKERS = (
    Key("max_q_size", "max_queue_size"),
    Key("nb_worker", "workers"),
    Key("pickle_safe", "use_multiprocessing"),
)

METHODS: Mapping[str, tuple[Key, ...]] = {
    "Model": (Key("input", "inputs"), Key("output", "outputs")),
    "fit": (Key("nb_epoch", "epochs"),),
    "fit_generator": (
        Key("samples_per_epoch", "steps_per_epoch"),
        Key("nb_epoch", "epochs"),
        Key("nb_val_samples", "validation_steps"),
        *_WORKERS,
    ),
    "evaluate_generator": (Key("val_samples", "steps"), *_WORKERS),
    "predict_generator": (Key("val_samples", "steps"), *_WORKERS),
}
"""The arguments of models and their methods that have another name in Keras 2 (keras-facts: keras1-methods)."""

COUNT_SAMPLES = frozenset({"samples_per_epoch", "nb_val_samples", "val_samples"})
"""Those that counted samples in Keras 1. Keras 2 takes their values as numbers of batches."""

GONE: Mapping[str, str] = {
    "show_accuracy": "give metrics=['accuracy'] to compile",
    "class_mode": "leave it out: the loss determines it",
}
"""Arguments that Keras 2 does not have, and what to do."""
