"""The arguments of the layers of Keras 1.2.2, in their order and with their defaults, as Python writes them."""

from __future__ import annotations

import ast
from inspect import Parameter, Signature
from typing import Any

ARGUMENTS: dict[str, str] = {
    "Activation": "activation",
    "ActivityRegularization": "l1=0.0, l2=0.0",
    "AtrousConvolution1D": (
        "nb_filter, filter_length, init='glorot_uniform', activation=None, weights=None, border_mode='valid', "
        "subsample_length=1, atrous_rate=1, W_regularizer=None, b_regularizer=None, activity_regularizer=None, "
        "W_constraint=None, b_constraint=None, bias=True"
    ),
    "AtrousConvolution2D": (
        "nb_filter, nb_row, nb_col, init='glorot_uniform', activation=None, weights=None, border_mode='valid', "
        "subsample=(1, 1), atrous_rate=(1, 1), dim_ordering='default', W_regularizer=None, b_regularizer=None, "
        "activity_regularizer=None, W_constraint=None, b_constraint=None, bias=True"
    ),
    "AveragePooling1D": "pool_length=2, stride=None, border_mode='valid'",
    "AveragePooling2D": "pool_size=(2, 2), strides=None, border_mode='valid', dim_ordering='default'",
    "AveragePooling3D": "pool_size=(2, 2, 2), strides=None, border_mode='valid', dim_ordering='default'",
    "BatchNormalization": (
        "epsilon=0.001, mode=0, axis=-1, momentum=0.99, weights=None, beta_init='zero', gamma_init='one', "
        "gamma_regularizer=None, beta_regularizer=None"
    ),
    "Bidirectional": "layer, merge_mode='concat', weights=None",
    "ConvLSTM2D": (
        "nb_filter, nb_row, nb_col, init='glorot_uniform', inner_init='orthogonal', forget_bias_init='one', "
        "activation='tanh', inner_activation='hard_sigmoid', dim_ordering='default', border_mode='valid', "
        "subsample=(1, 1), W_regularizer=None, U_regularizer=None, b_regularizer=None, dropout_W=0.0, "
        "dropout_U=0.0"
    ),
    "Convolution1D": (
        "nb_filter, filter_length, init='glorot_uniform', activation=None, weights=None, border_mode='valid', "
        "subsample_length=1, W_regularizer=None, b_regularizer=None, activity_regularizer=None, "
        "W_constraint=None, b_constraint=None, bias=True, input_dim=None, input_length=None"
    ),
    "Convolution2D": (
        "nb_filter, nb_row, nb_col, init='glorot_uniform', activation=None, weights=None, border_mode='valid', "
        "subsample=(1, 1), dim_ordering='default', W_regularizer=None, b_regularizer=None, "
        "activity_regularizer=None, W_constraint=None, b_constraint=None, bias=True"
    ),
    "Convolution3D": (
        "nb_filter, kernel_dim1, kernel_dim2, kernel_dim3, init='glorot_uniform', activation=None, weights=None, "
        "border_mode='valid', subsample=(1, 1, 1), dim_ordering='default', W_regularizer=None, "
        "b_regularizer=None, activity_regularizer=None, W_constraint=None, b_constraint=None, bias=True"
    ),
    "Cropping1D": "cropping=(1, 1)",
    "Cropping2D": "cropping=((0, 0), (0, 0)), dim_ordering='default'",
    "Cropping3D": "cropping=((1, 1), (1, 1), (1, 1)), dim_ordering='default'",
    "Deconvolution2D": (
        "nb_filter, nb_row, nb_col, output_shape, init='glorot_uniform', activation=None, weights=None, "
        "border_mode='valid', subsample=(1, 1), dim_ordering='default', W_regularizer=None, b_regularizer=None, "
        "activity_regularizer=None, W_constraint=None, b_constraint=None, bias=True"
    ),
    "Dense": (
        "output_dim, init='glorot_uniform', activation=None, weights=None, W_regularizer=None, "
        "b_regularizer=None, activity_regularizer=None, W_constraint=None, b_constraint=None, bias=True, "
        "input_dim=None"
    ),
    "Dropout": "p, noise_shape=None, seed=None",
    "ELU": "alpha=1.0",
    "Embedding": (
        "input_dim, output_dim, init='uniform', input_length=None, W_regularizer=None, activity_regularizer=None, "
        "W_constraint=None, mask_zero=False, weights=None, dropout=0.0"
    ),
    "Flatten": "",
    "GRU": (
        "output_dim, init='glorot_uniform', inner_init='orthogonal', activation='tanh', "
        "inner_activation='hard_sigmoid', W_regularizer=None, U_regularizer=None, b_regularizer=None, "
        "dropout_W=0.0, dropout_U=0.0"
    ),
    "GaussianDropout": "p",
    "GaussianNoise": "sigma",
    "GlobalAveragePooling1D": "",
    "GlobalAveragePooling2D": "dim_ordering='default'",
    "GlobalAveragePooling3D": "dim_ordering='default'",
    "GlobalMaxPooling1D": "",
    "GlobalMaxPooling2D": "dim_ordering='default'",
    "GlobalMaxPooling3D": "dim_ordering='default'",
    "Highway": (
        "init='glorot_uniform', activation=None, weights=None, W_regularizer=None, b_regularizer=None, "
        "activity_regularizer=None, W_constraint=None, b_constraint=None, bias=True, input_dim=None"
    ),
    "LSTM": (
        "output_dim, init='glorot_uniform', inner_init='orthogonal', forget_bias_init='one', activation='tanh', "
        "inner_activation='hard_sigmoid', W_regularizer=None, U_regularizer=None, b_regularizer=None, "
        "dropout_W=0.0, dropout_U=0.0"
    ),
    "LeakyReLU": "alpha=0.3",
    "LocallyConnected1D": (
        "nb_filter, filter_length, init='glorot_uniform', activation=None, weights=None, border_mode='valid', "
        "subsample_length=1, W_regularizer=None, b_regularizer=None, activity_regularizer=None, "
        "W_constraint=None, b_constraint=None, bias=True, input_dim=None, input_length=None"
    ),
    "LocallyConnected2D": (
        "nb_filter, nb_row, nb_col, init='glorot_uniform', activation=None, weights=None, border_mode='valid', "
        "subsample=(1, 1), dim_ordering='default', W_regularizer=None, b_regularizer=None, "
        "activity_regularizer=None, W_constraint=None, b_constraint=None, bias=True"
    ),
    "Lambda": "function, output_shape=None, arguments=None",
    "Masking": "mask_value=0.0",
    "MaxPooling1D": "pool_length=2, stride=None, border_mode='valid'",
    "MaxPooling2D": "pool_size=(2, 2), strides=None, border_mode='valid', dim_ordering='default'",
    "MaxPooling3D": "pool_size=(2, 2, 2), strides=None, border_mode='valid', dim_ordering='default'",
    "MaxoutDense": (
        "output_dim, nb_feature=4, init='glorot_uniform', weights=None, W_regularizer=None, b_regularizer=None, "
        "activity_regularizer=None, W_constraint=None, b_constraint=None, bias=True, input_dim=None"
    ),
    "PReLU": "init='zero', weights=None, shared_axes=None",
    "ParametricSoftplus": "alpha_init=0.2, beta_init=5.0, weights=None, shared_axes=None",
    "Permute": "dims",
    "RepeatVector": "n",
    "Reshape": "target_shape",
    "SReLU": (
        "t_left_init='zero', a_left_init='glorot_uniform', t_right_init='glorot_uniform', a_right_init='one', "
        "shared_axes=None"
    ),
    "SeparableConvolution2D": (
        "nb_filter, nb_row, nb_col, init='glorot_uniform', activation=None, weights=None, border_mode='valid', "
        "subsample=(1, 1), depth_multiplier=1, dim_ordering='default', depthwise_regularizer=None, "
        "pointwise_regularizer=None, b_regularizer=None, activity_regularizer=None, depthwise_constraint=None, "
        "pointwise_constraint=None, b_constraint=None, bias=True"
    ),
    "SimpleRNN": (
        "output_dim, init='glorot_uniform', inner_init='orthogonal', activation='tanh', W_regularizer=None, "
        "U_regularizer=None, b_regularizer=None, dropout_W=0.0, dropout_U=0.0"
    ),
    "SpatialDropout1D": "p",
    "SpatialDropout2D": "p, dim_ordering='default'",
    "SpatialDropout3D": "p, dim_ordering='default'",
    "ThresholdedReLU": "theta=1.0",
    "TimeDistributed": "layer",
    "TimeDistributedDense": (
        "output_dim, init='glorot_uniform', activation=None, weights=None, W_regularizer=None, "
        "b_regularizer=None, activity_regularizer=None, W_constraint=None, b_constraint=None, bias=True, "
        "input_dim=None, input_length=None"
    ),
    "UpSampling1D": "length=2",
    "UpSampling2D": "size=(2, 2), dim_ordering='default'",
    "UpSampling3D": "size=(2, 2, 2), dim_ordering='default'",
    "ZeroPadding1D": "padding=1",
    "ZeroPadding2D": "padding=(1, 1), dim_ordering='default'",
    "ZeroPadding3D": "padding=(1, 1, 1), dim_ordering='default'",
}
"""The class of Keras 1.2.2 -> its arguments, without those that every layer takes."""

_OF_RECURRENT = "return_sequences=False, go_backwards=False, stateful=False"
_OF_SEQUENCES = f"{_OF_RECURRENT}, unroll=False, consume_less='cpu', weights=None, input_dim=None, input_length=None"

FURTHER: dict[str, str] = {
    **dict.fromkeys(("SimpleRNN", "GRU", "LSTM"), _OF_SEQUENCES),
    "ConvLSTM2D": f"{_OF_RECURRENT}, weights=None",
    "AtrousConvolution1D": "input_dim=None, input_length=None",
}
"""The arguments of a class that it passes on to its base class, which are given by name alone."""

BASES: dict[str, str] = {
    "AtrousConvolution1D": "Convolution1D",
    "AtrousConvolution2D": "Convolution2D",
}
"""The class of Keras 1.2.2 that a class inherits from, where kconvert has both in one class."""

_LEFT_OUT: dict[str, str] = {
    **dict.fromkeys(
        ("SpatialDropout2D", "SpatialDropout3D", "UpSampling2D", "UpSampling3D", "ZeroPadding2D", "ZeroPadding3D")
        + ("Cropping2D", "Cropping3D"),
        "dim_ordering",
    ),
    "BatchNormalization": "beta_init gamma_init",
    "ConvLSTM2D": "subsample W_regularizer U_regularizer b_regularizer dropout_W dropout_U",
    "Dropout": "noise_shape seed",
    "InputLayer": "input_shape batch_input_shape input_dtype input_tensor name",
    "Lambda": "function output_shape arguments",
    "PReLU": "shared_axes",
    "ParametricSoftplus": "shared_axes",
    "SReLU": "shared_axes",
}
"""The arguments of a class that its `get_config` does not state, beside `weights`."""

ALIASES = {
    "AtrousConv1D": "AtrousConvolution1D",
    "AtrousConv2D": "AtrousConvolution2D",
    "Conv1D": "Convolution1D",
    "Conv2D": "Convolution2D",
    "Conv3D": "Convolution3D",
    "Deconv2D": "Deconvolution2D",
    "SeparableConv2D": "SeparableConvolution2D",
}
"""Other names of these classes."""


_MASKED = (
    "Activation ActivityRegularization BatchNormalization Bidirectional ConvLSTM2D Dropout ELU Embedding GRU "
    "GaussianDropout GaussianNoise LSTM LeakyReLU Masking PReLU ParametricSoftplus SReLU SimpleRNN SpatialDropout1D "
    "SpatialDropout2D SpatialDropout3D ThresholdedReLU TimeDistributed TimeDistributedDense"
)
MASKED = frozenset(_MASKED.split())
"""The classes whose input may have a mask."""


def config_words(name: str) -> list[str]:
    """The arguments of a class that its `get_config` states, beside those of every layer.

    >>> config_words("MaxPooling1D")
    ['pool_length', 'stride', 'border_mode']
    """
    left_out = _LEFT_OUT.get(name, "").split()
    return [word for word in attribute_words(name) if word not in left_out]


def attribute_words(name: str) -> list[str]:
    """The arguments of a class that its layers have as attributes, beside those of every layer."""
    words = parameters_of(", ".join(filter(None, (ARGUMENTS[name], FURTHER.get(name)))))
    return [word.name for word in words if word.name not in ("weights", "layer")]


def further(name: str) -> dict[str, Any]:
    """The arguments in FURTHER of a class, with their defaults."""
    return {word.name: word.default for word in parameters_of(FURTHER.get(name, ""))}


def signature_of(name: str) -> Signature:
    """The signature of a class of ARGUMENTS.

    >>> str(signature_of("MaxPooling1D"))
    "(pool_length=2, stride=None, border_mode='valid', **kwargs)"
    """
    parameters = parameters_of(ARGUMENTS[name])
    return Signature([*parameters, Parameter("kwargs", Parameter.VAR_KEYWORD)])


def parameters_of(arguments: str) -> list[Parameter]:
    """The parameters of a function with the arguments `arguments`, as Python writes them."""
    function = ast.parse(f"def f({arguments}): pass").body[0]
    assert isinstance(function, ast.FunctionDef)
    words = [word.arg for word in function.args.args]
    defaults = [ast.literal_eval(one) for one in function.args.defaults]
    values = [Parameter.empty] * (len(words) - len(defaults)) + defaults
    return [
        Parameter(word, Parameter.POSITIONAL_OR_KEYWORD, default=value)
        for word, value in zip(words, values, strict=True)
    ]
