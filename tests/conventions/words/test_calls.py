"""Calls in the words of Keras 0.3 and 1: the same models as in those of Keras 2, and one line each that says so."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import kconvert as kc
from kconvert import layers as L
from kconvert.conventions.words.rules import RULES
from kconvert.errors import KconvertError
from kconvert.layers.registry import LAYERS

L2 = kc.regularizers.l2(0.1)

CALLS = [
    (lambda: L.Dense(output_dim=4, init="uniform", W_regularizer=L2, b_constraint="nonneg", bias=False, input_dim=3),
     L.Dense(4, kernel_initializer="uniform", kernel_regularizer=L2, bias_constraint="nonneg", use_bias=False,
             input_shape=(3,))),
    (lambda: L.Convolution2D(32, 3, 5, border_mode="same", subsample=(2, 1), dim_ordering="th"),
     L.Conv2D(32, (3, 5), padding="same", strides=(2, 1), data_format="channels_first")),
    (lambda: L.Convolution2D(nb_filter=8, nb_row=3, nb_col=2, dim_ordering="default"), L.Conv2D(8, (3, 2))),
    (lambda: L.Conv2D(8, 3, 2), L.Conv2D(8, (3, 2))),  # as Keras 2.3 reads it
    (lambda: L.AtrousConvolution2D(8, 3, 3, atrous_rate=(2, 2)), L.Conv2D(8, 3, dilation_rate=2)),
    (lambda: L.Convolution1D(nb_filter=8, filter_length=3, subsample_length=2, input_length=9, input_dim=2),
     L.Conv1D(8, 3, strides=2, input_shape=(9, 2))),
    (lambda: L.Convolution3D(4, 2, 3, 4), L.Conv3D(4, (2, 3, 4))),
    (lambda: L.LocallyConnected2D(4, 2, 3, bias=False), L.LocallyConnected2D(4, (2, 3), use_bias=False)),
    (lambda: L.SeparableConvolution2D(4, 2, 3), L.SeparableConv2D(4, (2, 3))),
    (lambda: L.Deconvolution2D(4, 2, 3, border_mode="same"), L.Conv2DTranspose(4, (2, 3), padding="same")),
    (lambda: L.MaxPooling2D((2, 2), border_mode="same"), L.MaxPooling2D(2, padding="same")),
    (lambda: L.MaxPooling1D(pool_length=3, stride=2), L.MaxPooling1D(3, strides=2)),
    (lambda: L.UpSampling1D(length=3), L.UpSampling1D(3)),
    (lambda: L.LSTM(output_dim=8, inner_activation="sigmoid", dropout_W=0.2, dropout_U=0.3, forget_bias_init="one",
                    inner_init="glorot_normal"),
     L.LSTM(8, recurrent_activation="sigmoid", dropout=0.2, recurrent_dropout=0.3, unit_forget_bias=True,
            recurrent_initializer="glorot_normal")),
    (lambda: L.Dropout(p=0.3), L.Dropout(0.3)),
    (lambda: L.GaussianNoise(sigma=0.3), L.GaussianNoise(0.3)),
    (lambda: L.Embedding(10, 4, init="normal", W_constraint={"name": "maxnorm", "m": 3}),
     L.Embedding(10, 4, embeddings_initializer="normal",
                 embeddings_constraint={"class_name": "maxnorm", "config": {"max_value": 3}})),
    (lambda: L.TimeDistributed(L.Dense(output_dim=3)), L.TimeDistributed(L.Dense(3))),
]  # fmt: skip


def without_names(config):
    """A configuration without the names of layers, which count up."""
    if not isinstance(config, dict):
        return config
    return {key: without_names(value) for key, value in config.items() if key != "name"}


@pytest.mark.parametrize(("old", "new"), CALLS, ids=[new.class_name for _, new in CALLS])
def test_a_layer_in_the_words_of_keras_1_is_the_layer_of_keras_2(old, new):
    with pytest.warns(UserWarning, match=r"is Keras 1: write \w+\("):
        layer = old()
    assert type(layer) is type(new)
    assert without_names(layer.stored_config()) == without_names(new.stored_config())
    assert layer.batch_input_shape == new.batch_input_shape


@pytest.mark.parametrize("rule", [rule for rule in RULES if rule.old != rule.new], ids=lambda rule: rule.old)
def test_every_class_that_has_another_name_is_found_under_the_old_one(rule):
    assert getattr(L, rule.old) is LAYERS[rule.new]


def test_zeros_on_four_sides_need_no_new_name():
    assert L.ZeroPadding2D(padding=(1, 2, 3, 4)).padding == L.ZeroPadding2D(((1, 2), (3, 4))).padding


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: L.Dense(4, W_learning_rate=2), "Dense has no argument 'W_learning_rate'; "),
        (lambda: L.Dense(4, unit=4), "did you mean units"),
        (lambda: L.Dense(4, output_dim=4), "units is given twice"),
        (lambda: L.Dense(units=4, output_dim=4), "output_dim and units are the same argument of Dense; give units"),
        (lambda: L.Conv2D(nb_filter=4, nb_row=3), "Conv2D has nb_row but no nb_col; give kernel_size=..."),
        (lambda: L.Conv2D(4, 3, 3, "uniform"), "unknown padding 'uniform'"),
        (lambda: L.Conv2D(4, 3, 3, strides=2), "neither Keras 1 nor Keras 2; give kernel_size=... by name"),
        (lambda: L.Merge([L.Dense(3), L.Dense(3)], mode="sum"), "Model([a, b], merge([left(a), right(b)], mode=...))"),
        (lambda: L.Flatten("channels_last", 3), "only 1 arguments may go without a name"),
    ],
)
def test_what_keras_2_cannot_say_is_refused_by_name(call, said):
    with pytest.raises(KconvertError) as refused:
        call()
    assert said in str(refused.value)


@pytest.mark.parametrize(
    ("mode", "shape"), [("sum", (None, 4)), ("mul", (None, 4)), ("concat", (None, 8)), ("dot", (None, 1))]
)
def test_merge_is_a_layer_of_keras_2(mode, shape):
    a, b = kc.Input((4,)), kc.Input((4,))
    with pytest.warns(UserWarning, match="is Keras 1"):
        merged = L.merge([a, b], mode=mode, name="merged")
    assert merged.shape == shape
    with pytest.warns(UserWarning, match=r"Model\(input=.* write Model\(inputs="):
        model = kc.Model(input=[a, b], output=merged)
    assert "Merge" not in {layer.class_name for layer in model.layers}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (lambda: L.Conv2D(5, 3, nb_col=2), lambda: L.Conv2D(5, (3, 2))),
        (lambda: L.Conv3D(5, 3, 2, kernel_dim3=4), lambda: L.Conv3D(5, (3, 2, 4))),
        (lambda: L.Deconvolution2D(5, 3, 2, (6, 7, 5)), lambda: L.Conv2DTranspose(5, (3, 2))),
        (lambda: L.Deconvolution2D(5, 3, nb_col=2, output_shape=(6, 7, 5)), lambda: L.Conv2DTranspose(5, (3, 2))),
        (lambda: L.LSTM(2, forget_bias_init="zero"), lambda: L.LSTM(2)),
        (lambda: L.GRU(2, forget_bias_init="zero"), lambda: L.GRU(2)),
        (lambda: L.SimpleRNN(2, consume_less="gpu"), lambda: L.SimpleRNN(2)),
    ],
)
def test_calls_are_read_as_keras_2_3_1_reads_them(old, new):
    """The configurations are those of Keras 2.3.1, which ignores some of the arguments."""
    with pytest.warns(UserWarning, match="has no effect, as in Keras|is Keras 1"):
        layer = old()
    assert without_names(layer.stored_config()) == without_names(new().stored_config())


@pytest.mark.parametrize(
    "call",
    [
        lambda: L.Dense(10, output_dim=10),
        lambda: L.Dense(10, foo=1),
        lambda: L.SimpleRNN(2, inner_activation="relu"),
        lambda: L.GRU(2, forget_bias_init="one"),
        lambda: kc.Model(inputs=kc.Input((2,)), outputs=kc.Input((2,)), input=kc.Input((2,))),
    ],
)
def test_wrong_arguments_are_type_errors_as_in_keras(call):
    with pytest.raises(TypeError):
        call()


def test_methods_in_the_words_of_keras_1(capsys):
    model = kc.Sequential([L.Dense(2, input_shape=(3,))])
    with pytest.raises(KconvertError, match="compile has no argument 'class_mode'; leave it out"):
        model.compile("sgd", "mse", class_mode="binary")
    with pytest.raises(KconvertError, match="give metrics="):
        model.fit(np.ones((4, 3)), np.ones((4, 2)), show_accuracy=True)
    with pytest.warns(UserWarning, match="samples_per_epoch=100 counts batches here"), pytest.raises(KconvertError):
        model.fit_generator(iter([]), samples_per_epoch=100, nb_epoch=2)  # not compiled
    with (
        pytest.warns(UserWarning, match=r"fit\(nb_epoch=3\) is Keras 1: write fit\(epochs=3\)"),
        pytest.raises(KconvertError, match="not compiled"),
    ):
        model.fit(np.ones((4, 3)), np.ones((4, 2)), nb_epoch=3)


def test_a_script_is_told_once_for_each_line(tmp_path):
    """A whole script of 2016: what Python prints by itself, with the lines of the script."""
    script = tmp_path / "script.py"
    lines = [
        "from kconvert import Sequential",
        "from kconvert.layers import Convolution2D, Dense, Flatten",
        "model = Sequential()",
        "model.add(Convolution2D(4, 3, 3, border_mode='same', input_shape=(6, 5, 1)))",
        "model.add(Flatten())",
        "model.add(Dense(output_dim=2))",
        "print(model.compute_output_shape((None, 6, 5, 1)))",
    ]
    script.write_text("\n".join(lines))
    here = {**os.environ, "PYTHONPATH": str(Path(kc.__file__).parents[1])}
    done = subprocess.run([sys.executable, script], env=here, capture_output=True, text=True, check=True)
    assert done.stdout == "(None, 2)\n"
    told = [line.partition("Warning: ")[2] for line in done.stderr.splitlines() if "Warning" in line]
    assert told == [
        "Convolution2D is Keras 1: write Conv2D",
        "Conv2D(4, 3, 3, border_mode='same', input_shape=(6, 5, 1)) is Keras 1: "
        "write Conv2D(4, (3, 3), input_shape=(6, 5, 1), padding='same')",
        "Dense(output_dim=2) is Keras 1: write Dense(units=2)",
    ]
    assert "script.py:4:" in done.stderr and "script.py:6:" in done.stderr
