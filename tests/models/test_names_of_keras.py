"""Attributes, arguments and methods of models and layers that Keras 2.3.1 documents."""

import numpy as np
import pytest
from kconvert.keras.models import model_from_yaml

import kconvert as kc
from kconvert.errors import KconvertError
from kconvert.keras import backend as K
from kconvert.layers import LSTM, BatchNormalization, Dense, Dropout, Embedding, Input

X = np.random.default_rng(0).normal(size=(20, 5)).astype("float32")
Y = X.sum(1, keepdims=True)
BOTH = pytest.mark.parametrize("on", [pytest.param(n, marks=pytest.mark.needs(n)) for n in ("theano", "tensorflow")])


def compiled(**options):
    model = kc.Sequential([Dense(4, input_shape=(5,)), Dense(1)])
    model.compile("sgd", "mse", **options)
    return model


def test_each_call_of_a_layer_has_its_input_output_shapes_and_masks():
    layer, first, second = Dense(3), Input((5,)), Input((7, 5))
    outputs = [layer(first), layer(second)]
    assert [layer.get_input_at(i) for i in (0, 1)] == [first, second]
    assert [layer.get_output_at(i) for i in (0, 1)] == outputs
    assert layer.get_input_shape_at(1) == (None, 7, 5) and layer.get_output_shape_at(1) == (None, 7, 3)
    assert layer.get_input_mask_at(0) is None and layer.get_output_mask_at(0) is None
    for name in ("input_mask", "output_mask"):
        with pytest.raises(KconvertError, match="called 2 times"):
            getattr(layer, name)
    with pytest.raises(KconvertError, match="has no call 2"):
        layer.get_output_mask_at(2)


def test_all_layers_of_a_model():
    """`_layers` and `_is_graph_network`, which code of users reads."""
    x, model, open_model = Input((5,)), compiled(), kc.Sequential([Dense(2)])
    nested = kc.Model(x, model(x))
    assert [layer.class_name for layer in model._layers] == ["InputLayer", "Dense", "Dense"]
    assert [layer.class_name for layer in nested._layers] == ["InputLayer", "Sequential"]
    assert model._is_graph_network and nested._is_graph_network and not open_model._is_graph_network


@BOTH
def test_a_mask_is_a_symbol(on):
    x = Input((4,), dtype="int32")
    layer = Embedding(5, 3, mask_zero=True)
    recurrent = LSTM(2, return_sequences=True)
    y = recurrent(layer(x))
    assert layer.input_mask is None
    tokens = np.array([[1, 2, 0, 0], [3, 0, 1, 0]])
    for mask in (layer.output_mask, recurrent.input_mask, recurrent.output_mask):
        model = kc.Model(x, [mask, y])
        model.start(on)
        np.testing.assert_array_equal(model.predict(tokens)[0], tokens != 0)


def test_moving_averages_are_updates():
    layer = BatchNormalization(input_shape=(5,))
    model = kc.Sequential([layer, Dense(1)])
    assert len(layer.updates) == len(model.updates) == len(layer.get_updates_for(layer.input)) == 2
    assert layer.get_updates_for(None) == []
    layer.trainable = False
    assert layer.updates == model.updates == []


def test_losses_by_what_they_depend_on():
    layer = Dense(1, kernel_regularizer="l2", activity_regularizer="l1")
    x = Input((5,))
    model = kc.Model(x, layer(x))
    assert len(layer.losses) == len(model.losses) == 2
    assert len(layer.get_losses_for(None)) == len(layer.get_losses_for(x)) == 1


def test_names_of_inputs_and_outputs_and_the_arguments_of_compile():
    x = Input((5,), name="x")
    model = kc.Model(x, [Dense(1, name="a")(x), Dense(1, name="b")(x)])
    model.compile("sgd", "mse", loss_weights=[1.0, 0.5], metrics=["mae"])
    assert (model.input_names, model.output_names) == (["x"], ["a", "b"])
    assert model.loss_weights == [1.0, 0.5] and model.sample_weight_mode is None
    assert [one.name for one in model.metrics] == ["a_mae", "b_mae"]


def test_arguments_that_are_not_supported_are_refused_by_name():
    with pytest.raises(KconvertError, match="unknown sample_weight_mode 'nope'"):
        compiled(sample_weight_mode="nope")
    assert compiled(sample_weight_mode="temporal").sample_weight_mode == "temporal"


def test_options_for_workers_have_no_effect():
    model, options = compiled(), {"max_queue_size": 3, "workers": 2, "use_multiprocessing": False}
    model.fit(X, Y, verbose=0, **options)
    model.evaluate(X, Y, verbose=0, **options)
    assert model.predict(X, **options).shape == (20, 1)


@BOTH
def test_metrics_go_on_over_batches_where_they_are_not_reset(on):
    model = compiled(metrics=["mae"], backend=on)
    errors = np.abs(model.predict(X) - Y)
    model.test_on_batch(X[:4], Y[:4], reset_metrics=False)
    _, both = model.test_on_batch(X[4:], Y[4:])
    np.testing.assert_allclose(both, errors.mean(), rtol=1e-5)
    _, last = model.test_on_batch(X[4:], Y[4:], reset_metrics=False)
    np.testing.assert_allclose(last, errors[4:].mean(), rtol=1e-5)


def test_yaml_describes_the_model():
    model = compiled()
    assert model_from_yaml(model.to_yaml()).get_config() == model.get_config()
    with pytest.raises(KconvertError, match="not YAML"):
        model_from_yaml("a: [")


def test_positions_are_the_ends_of_the_columns_of_a_summary():
    lines = []
    compiled().summary(line_length=80, positions=[0.5, 0.8, 1.0], print_fn=lines.append)
    (row,) = [line for line in lines if "(None, 4)" in line]
    assert len(row) <= 80 and row.index("(None") == 40


@BOTH
def test_a_layer_that_is_called_with_training_true_computes_so_in_every_run(on):
    x = Input((50,))
    model = kc.Model(x, Dropout(0.5)(x, training=True))
    model.compile("sgd", "mse", backend=on)
    ones = np.ones((4, 50), "float32")
    first, second = model.predict(ones), model.predict(ones)
    assert set(np.unique(first)) == {0, 2} and (first != second).any()
    assert model.evaluate(ones, ones, verbose=0) > 0


@BOTH
def test_batch_normalization_with_training_true_is_updated_in_training_alone(on):
    x = Input((5,))
    layer = BatchNormalization()
    model = kc.Model(x, layer(x, training=True))
    model.compile("sgd", "mse", backend=on)
    np.testing.assert_allclose(model.predict(X).mean(0), 0, atol=1e-5)
    model.evaluate(X, X, verbose=0)
    np.testing.assert_array_equal(layer.get_weights()[2], 0)
    model.train_on_batch(X, X)
    np.testing.assert_allclose(layer.get_weights()[2], 0.01 * X.mean(0), rtol=1e-4, atol=1e-7)


@BOTH
def test_states_of_a_stateful_layer_are_read_reset_and_set(on):
    layer = LSTM(3, stateful=True, batch_input_shape=(4, 2, 5))
    model = kc.Sequential([layer])
    model.start(on)
    assert model.stateful and layer.stateful and not Dense(1).stateful
    assert layer.states == [None, None]
    x = np.ones((4, 2, 5), "float32")
    first, second = model.predict(x, batch_size=4), model.predict(x, batch_size=4)
    assert np.abs(first - second).max() > 1e-4
    layer.reset_states()
    np.testing.assert_allclose(model.predict(x, batch_size=4), first, rtol=1e-6)
    assert len(layer.states) == 2
    layer.reset_states(states=[np.ones((4, 3)), np.zeros((4, 3))])
    assert np.abs(model.predict(x, batch_size=4) - first).max() > 1e-4
    with pytest.raises(KconvertError, match="a state of shape"):
        layer.reset_states(states=[np.ones((4, 2)), np.zeros((4, 3))])
    with pytest.raises(KconvertError, match="not stateful"):
        LSTM(3).reset_states()


def test_a_model_class_of_the_user_lists_its_layers():
    class Mine(kc.Model):
        def __init__(self):
            super().__init__(name="mine")
            self.first, self.noise, self.last = Dense(4), Dropout(0.5), Dense(1)

        def call(self, x, training=None):
            return self.last(self.noise(self.first(x), training=training))

    model = Mine()
    model.compile("sgd", "mse")
    model.fit(X, Y, verbose=0)
    assert model.layers == [model.first, model.noise, model.last]
    assert K.int_shape(model.output) == (None, 1)
