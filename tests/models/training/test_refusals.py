"""Errors for invalid data and arguments: each is one clear sentence."""

from __future__ import annotations

import numpy as np
import pytest

from kconvert import KconvertError, Model, Sequential
from kconvert import layers as L
from kconvert.models.training.callbacks import TerminateOnNaN
from kconvert.network.functional import Input
from tests.models.training.models import dense

pytestmark = pytest.mark.needs("tensorflow")
X, Y = np.ones((4, 4), "float32"), np.ones((4, 1), "float32")


def compiled(**options):
    model = dense()
    model.compile(**{"optimizer": "sgd", "loss": "mse", "backend": "tensorflow", **options})
    return model


DATA = {
    "shape of x": (
        {"x": np.ones((4, 3)), "y": Y},
        r"input d_input: an array of shape \(4, 3\) was given where \(None, 4\)",
    ),
    "shape of y": (
        {"x": X, "y": np.ones((4, 2))},
        r"labels of output d: an array of shape \(4, 2\) was given where \(None, 1\)",
    ),
    "words": (
        {"x": np.array([["a"] * 4] * 4), "y": Y},
        "input d_input: an array of dtype <U1 is not an array of numbers",
    ),
    "objects": (
        {"x": X, "y": np.array([None] * 4)},
        "labels of output d: an array of dtype object is not an array of numbers",
    ),
    "ragged": ({"x": [[1, 2], [3]], "y": Y}, "input d_input: rows of different lengths are not an array; pad them"),
    "lengths": ({"x": X, "y": Y[:3]}, "m: the arrays have different numbers of samples: 3, 4"),
    "no labels": ({"x": X}, "labels of output d: the labels are missing; give y"),
    "weights": (
        {"x": X, "y": Y, "sample_weight": np.ones(3)},
        r"sample_weight of output d: weights of shape \(3,\) do not match",
    ),
    "classes": ({"x": X, "y": Y, "class_weight": {0: 1.0}}, "output d: class_weight has no weight for class 1"),
    "split": (
        {"x": X, "y": Y, "validation_split": 0.9999},
        "validation_split=0.9999 of 4 samples leaves none for training or none for validation",
    ),
    "generator": ({"x": iter([(X, Y)])}, "the number of batches of a generator is not known; give steps_per_epoch"),
    "exhausted": ({"x": iter([]), "steps_per_epoch": 2}, "x gave no batch for epoch 1"),
    "items": ({"x": iter([X]), "steps_per_epoch": 1}, r"a generator must give \(x, y\)"),
    "generator and y": (
        {"x": iter([]), "y": Y, "steps_per_epoch": 1},
        "y cannot be combined with a generator or a Sequence",
    ),
    "no inputs": ({"y": Y}, "m: the model has 1 inputs, 0 were given"),
    "callback": ({"x": X, "y": Y, "callbacks": [3]}, "3 is not a callback"),
}


@pytest.mark.parametrize("name", DATA)
def test_data_that_does_not_fit(name):
    arguments, message = DATA[name]
    with pytest.raises(KconvertError, match=message):
        compiled().fit(**{"x": None, "verbose": 0, **arguments})


LABELS = [
    # output, labels, the losses that Keras 2.3.1 takes them for
    ((3,), (6, 3), {"mse", "mae", "categorical_crossentropy"}),
    ((3,), (6, 1), {"sparse_categorical_crossentropy"}),
    ((3,), (6,), {"sparse_categorical_crossentropy"}),
    ((3,), (6, 3, 1), set()),
    ((1,), (6, 3), set()),
    ((1,), (6,), {"mse", "mae", "sparse_categorical_crossentropy"}),
    ((5, 3), (6, 5, 3), {"mse", "mae", "categorical_crossentropy"}),
    ((5, 3), (6, 5, 1), {"sparse_categorical_crossentropy"}),
    ((5, 3), (6, 3), set()),
    ((5, 1), (6, 5), {"sparse_categorical_crossentropy"}),  # not in Keras; the labels are clear
]


@pytest.mark.parametrize("output, labels, taken", LABELS)
def test_labels_of_another_shape_than_the_loss_takes_are_refused(output, labels, taken):
    layer = L.Dense(output[-1], activation="softmax", input_shape=(*output[:-1], 4))
    for loss in ("mse", "mae", "categorical_crossentropy", "sparse_categorical_crossentropy"):
        model = Sequential([layer])
        model.compile("sgd", loss, backend="numpy")
        data = {"x": np.zeros((6, *output[:-1], 4)), "y": np.zeros(labels)}
        if loss in taken:
            model.test_on_batch(**data)
        else:
            with pytest.raises(KconvertError, match=r"labels of output .*: an array of shape"):
                model.test_on_batch(**data)


def test_a_loss_of_the_user_takes_labels_of_any_shape():
    model = dense(2)
    model.compile("sgd", lambda K, y_true, y_pred: K.mean(y_pred, -1) + 0.0 * y_true[:, 0], backend="numpy")
    assert model.test_on_batch(X, np.ones((4, 7))) == pytest.approx(4.0)


CALLS = {
    "optimizer": ({"optimizer": "admm"}, "unknown optimizer 'admm'"),
    "loss": ({"loss": "categorical_crosentropy"}, "unknown loss .* did you mean categorical_crossentropy"),
    "no loss": ({"loss": None}, r"no output has a loss; compile\(\.\.\., loss='mse'\)"),
    "metric": ({"metrics": ["acurracy"]}, "unknown metric 'acurracy'"),
    "output": ({"loss": {"e": "mse"}}, r"compile\(loss=\.\.\.\): there is no output 'e'; the outputs are d"),
    "outputs": ({"loss": ["mse", "mse"]}, "2 values were given for 1 outputs"),
    "backend": ({"backend": "cntk"}, "unknown backend 'cntk'"),
}


@pytest.mark.parametrize("name", CALLS)
def test_unknown_names(name):
    arguments, message = CALLS[name]
    with pytest.raises(KconvertError, match=message):
        compiled(**arguments)


@pytest.mark.parametrize("method", ["fit", "evaluate", "train_on_batch", "test_on_batch"])
def test_methods_that_need_compile(method):
    with pytest.raises(KconvertError, match=r"m: the model is not compiled; call model.compile\(optimizer, loss\)"):
        getattr(dense(), method)(X, Y)


def test_a_loss_that_is_not_finite_names_its_batch_and_the_bad_data():
    bad = X.copy()
    bad[3] = np.nan
    with pytest.raises(KconvertError, match="the loss became nan in batch 2 of epoch 1; x of this batch contains NaN"):
        compiled().fit(bad, Y, 2, shuffle=False, verbose=0)
    explosive = compiled(optimizer={"class_name": "SGD", "config": {"lr": 1e30}})
    with pytest.raises(
        KconvertError, match=r"the loss became (inf|nan) in batch \d of epoch 1; lower the learning rate"
    ):
        explosive.fit(X, 5 * Y, 1, verbose=0)


def test_a_callback_may_stop_at_a_loss_that_is_not_finite():
    model = compiled()
    model.fit(np.full_like(X, np.nan), Y, epochs=5, verbose=0, callbacks=[TerminateOnNaN()])
    assert model.stop_training


def test_numpy_does_not_train():
    with pytest.raises(KconvertError, match="NumPy has no gradients, so it does not train"):
        compiled(backend="numpy").fit(X, Y, verbose=0)
    assert compiled(backend="numpy").evaluate(X, Y) == 9


def test_a_stateful_layer_needs_a_batch_size():
    with pytest.raises(KconvertError, match="lstm_1: a stateful layer needs to know the number of samples in a batch"):
        Sequential([L.LSTM(2, stateful=True, input_shape=(3, 4))])


def test_invalid_graphs():
    x, y = Input((4,), name="x"), Input((4,), name="y")
    with pytest.raises(KconvertError, match="the outputs need y, which is not among the inputs"):
        Model(x, L.Add()([x, y]))
    with pytest.raises(KconvertError, match="a Dense layer was called on ndarray, which is not a symbol"):
        L.Dense(2)(X)
    with pytest.raises(KconvertError, match="Model takes symbols, not int"):
        Model(3, x)
    with pytest.raises(KconvertError, match=r"shapes \(4,\) and \(5,\) cannot be merged"):
        L.Add()([x, Input((5,))])
    with pytest.raises(KconvertError, match="Input needs a shape"):
        Input()
