"""What scripts of Keras 2.3.1 do with layers and models, and what Keras answers."""

import io

import h5py
import numpy as np
import pytest

import kconvert as kc
from kconvert import Input, KconvertError, Model, Sequential, layers
from kconvert import backend as K
from kconvert.layers import add, concatenate, dot
from kconvert.models.training import callbacks

BACKENDS = [pytest.param(name, marks=pytest.mark.needs(name)) for name in ("theano", "tensorflow")]
X = np.random.default_rng(0).normal(size=(8, 4)).astype("float32")
Y = X.sum(1, keepdims=True)


def compiled(name="tensorflow", **options):
    model = Sequential([layers.Dense(3, input_shape=(4,), **options), layers.BatchNormalization(), layers.Dense(1)])
    model.compile("sgd", "mse", backend=name, seed=1)
    return model


# -------------------------------------------------------------------- names ----


def test_layers_are_named_as_keras_names_them():
    model = Sequential([layers.ConvLSTM2D(2, 2, input_shape=(3, 5, 5, 1)), layers.Flatten(), layers.LeakyReLU()])
    assert [layer.name for layer in model.layers] == ["conv_lst_m2d_1", "flatten_1", "leaky_re_lu_1"]
    assert [model.name, Sequential().name] == ["sequential_1", "sequential_2"]
    assert Sequential([layers.Flatten(input_shape=(2, 2))]).layers[0].name == "flatten_2"


def test_models_without_names_are_joined():
    left, right = (Sequential([layers.Dense(3, input_shape=(4,))]) for _ in range(2))
    both = Model([left.input, right.input], concatenate([left.output, right.output]))
    assert both.output_shape == (None, 6)
    assert Sequential([left, Sequential([layers.Dense(2, input_shape=(3,))])]).output_shape == (None, 2)


# ------------------------------------------------------------------ weights ----


@pytest.mark.parametrize("name", BACKENDS)
def test_layers_have_their_weights(name):
    model = compiled(name)
    dense, normalization, last = model.layers
    assert [array.shape for array in normalization.get_weights()] == [(3,)] * 4
    assert [layer.count_params() for layer in model.layers] == [15, 12, 4]
    assert [len(normalization.trainable_weights), len(normalization.non_trainable_weights)] == [2, 2]
    dense.set_weights([np.ones((4, 3)), np.zeros(3)])
    assert model.get_weights()[0].sum() == 12
    model.fit(X, Y, verbose=0)
    np.testing.assert_array_equal(dense.get_weights()[0], model.get_weights()[0])
    last.trainable = False
    assert [len(last.trainable_weights), len(last.non_trainable_weights), len(last.weights)] == [0, 2, 2]
    with pytest.raises(KconvertError, match="the weights do not match"):
        dense.set_weights([np.ones(3)])


def test_a_layer_has_weights_when_it_is_called():
    dense = layers.Dense(3)
    assert dense.get_weights() == [] and dense.weights == []
    with pytest.raises(KconvertError, match="has no weights yet"):
        dense.set_weights([np.ones((4, 3)), np.ones(3)])
    y = dense(Input((4,)))
    dense.set_weights([np.ones((4, 3)), np.ones(3)])
    assert (Model(y.call.inputs[0], y).predict(np.ones((1, 4))) == 5).all()
    assert (dense.input_shape, dense.output_shape) == ((None, 4), (None, 3))


@pytest.mark.needs("tensorflow")
def test_the_regularizers_of_a_layer_are_its_losses():
    model = compiled(kernel_regularizer="l2")
    (penalty,), *others = [layer.losses for layer in model.layers]
    assert others == [[], []]
    assert float(penalty.eval()) == pytest.approx(0.01 * (model.layers[0].get_weights()[0] ** 2).sum(), rel=1e-5)


# --------------------------------------------------------------- the merges ----


def test_functions_merge_symbols():
    x, y = Input((3,)), Input((3,))
    functions = [add, layers.subtract, layers.multiply, layers.average, layers.maximum, layers.minimum]
    model = Model([x, y], [*(one([x, y]) for one in functions), concatenate([x, y]), dot([x, y], axes=1)])
    model.start("numpy")
    outputs = model.predict([np.full((1, 3), 2.0), np.full((1, 3), 4.0)])
    assert [one[0, 0] for one in outputs] == [6, -2, 8, 3, 4, 2, 2, 24]
    assert outputs[-2].shape == (1, 6)


# ------------------------------------------------------------------- models ----


@pytest.mark.parametrize("name", BACKENDS)
def test_a_clone_has_weights_of_its_own(name):
    model = compiled(name)
    clone = kc.clone_model(model)
    assert clone.get_config() == model.get_config() and not clone.is_compiled and clone.backend.name == name
    assert not np.array_equal(clone.get_weights()[0], model.get_weights()[0])
    assert kc.clone_model(model, Input((4,))).predict(X).shape == (8, 1)


def test_classes_and_probabilities():
    model = Sequential([layers.Dense(3, input_shape=(4,), activation="softmax")])
    model.start("numpy")
    assert (model.predict_classes(X) == model.predict(X).argmax(1)).all()
    np.testing.assert_array_equal(model.predict_proba(X), model.predict(X))
    one = Sequential([layers.Dense(1, input_shape=(4,), activation="sigmoid")])
    one.start("numpy")
    assert (one.predict_classes(X) == (one.predict(X) > 0.5)).all() and one.predict_classes(X).dtype == "int32"


@pytest.mark.needs("tensorflow")
def test_a_summary_goes_to_a_function():
    lines = []
    compiled().summary(line_length=60, print_fn=lines.append)
    assert max(map(len, lines)) <= 60 and any("dense_1" in line for line in lines)
    assert lines[-4:-1] == ["Total params: 31", "Trainable params: 25", "Non-trainable params: 6"]


@pytest.mark.parametrize("name", BACKENDS)
def test_open_files_and_streams_hold_models(name):
    model = compiled(name)
    stream, file = io.BytesIO(), h5py.File("in memory", "w", driver="core", backing_store=False)
    model.save(stream)
    model.save(file.create_group("inside"))
    stream.seek(0)
    for opened in (stream, file["inside"]):
        loaded = kc.load_model(opened, name)
        np.testing.assert_array_equal(loaded.predict(X), model.predict(X))
    weights = io.BytesIO()
    model.save_weights(weights)
    weights.seek(0)
    other = kc.clone_model(model)
    other.load_weights(weights)
    np.testing.assert_array_equal(other.predict(X), model.predict(X))
    with pytest.raises(KconvertError, match="int is not a file"):
        model.save(3)


def test_configurations_make_models():
    x = Input((4,))
    model = Model(x, layers.Dense(2)(x))
    assert Model.from_config(model.get_config()).output_shape == (None, 2)
    assert kc.model_from_json(model.to_json()).get_config() == model.get_config()


def test_the_first_argument_of_an_input_layer_is_a_shape():
    model = Sequential()
    model.add(layers.InputLayer((4,)))
    model.add(layers.Dense(2))
    assert model.output_shape == (None, 2)


@pytest.mark.parametrize("layer", [layers.LSTM, layers.GRU, layers.SimpleRNN])
def test_input_dim_of_sequences_is_the_size_of_a_step(layer):
    assert Sequential([layer(2, input_dim=5)]).input_shape == (None, None, 5)
    assert Sequential([layers.Conv1D(2, 3, input_dim=5, input_length=7)]).input_shape == (None, 7, 5)


@pytest.mark.parametrize("name", BACKENDS)
def test_a_layer_called_with_training_false_never_trains(name):
    x = Input((4,))
    model = Model(x, layers.Dropout(0.9)(x, training=False))
    model.compile("sgd", "mse", backend=name)
    assert model.train_on_batch(X, X) == 0


# ------------------------------------------------------- objects, functions ----

OBJECTS = {
    "kernel_regularizer": kc.regularizers.l2(0.1),
    "kernel_initializer": kc.initializers.RandomNormal(stddev=0.1),
    "kernel_constraint": kc.constraints.max_norm(2),
    "activity_regularizer": kc.regularizers.L1L2(0.1, 0.2),
    "bias_initializer": kc.initializers.Constant(np.arange(3)),
    "bias_constraint": kc.constraints.non_neg(),
}


@pytest.mark.needs("tensorflow")
@pytest.mark.parametrize("option", OBJECTS)
def test_objects_in_a_configuration_are_saved(option, tmp_path):
    model = compiled(**{option: OBJECTS[option]})
    saver = callbacks.ModelCheckpoint(str(tmp_path / "model.h5"))
    model.fit(X, Y, verbose=0, callbacks=[saver])
    loaded = kc.load_model(tmp_path / "model.h5", "tensorflow")
    np.testing.assert_allclose(loaded.evaluate(X, Y), model.evaluate(X, Y), rtol=1e-6)
    assert type(getattr(loaded.layers[0], option)) is type(OBJECTS[option])


class Absolute(kc.regularizers.Regularizer):
    def __init__(self, factor):
        self.factor = factor

    def __call__(self, w):
        return self.factor * K.sum(K.abs(w))

    def get_config(self):
        return {"factor": self.factor}


class Tenths(kc.initializers.Initializer):
    def __call__(self, shape, dtype=None):
        return np.full(shape, 0.1)

    def get_config(self):
        return {}


class Squares(kc.losses.Loss):
    def call(self, y_true, y_pred):
        return K.mean(K.square(y_true - y_pred), -1)


def tripled(x):
    return 3 * x


def squares(y_true, y_pred):
    return kc.losses.mse(y_true, y_pred)


@pytest.mark.parametrize("name", BACKENDS)
def test_functions_and_classes_of_the_user_are_those_of_keras(name, tmp_path):
    options = {"activation": tripled, "kernel_initializer": Tenths(), "kernel_regularizer": Absolute(0.5)}
    shifted = layers.Lambda(lambda x, by: x[:, :2] + by, arguments={"by": 1.0})
    model = Sequential([layers.Dense(3, input_shape=(4,), kernel_constraint=lambda w: K.clip(w, 0, 0.05), **options)])
    model.add(shifted)
    assert model.output_shape == (None, 2)
    model.compile("sgd", squares, metrics=[squares, kc.metrics.mae], backend=name)
    y = model.predict(X)
    np.testing.assert_allclose(y, 0.3 * X.sum(1, keepdims=True).repeat(2, 1) + 1, rtol=1e-5)
    loss, metric, mae = model.evaluate(X, y + 2)
    np.testing.assert_allclose([loss, metric, mae], [4 + 0.5 * 1.2, 4, 2], rtol=1e-5)
    model.train_on_batch(X, y + 2)
    assert model.get_weights()[0].max() <= 0.0501
    model.compile("sgd", Squares(), backend=name)
    assert model.evaluate(X, model.predict(X)) == pytest.approx(0.5 * np.abs(model.get_weights()[0]).sum(), rel=1e-5)


@pytest.mark.needs("tensorflow")
def test_custom_objects_of_a_file_are_found(tmp_path):
    model = compiled(activation=tripled, kernel_initializer=Tenths(), kernel_regularizer=Absolute(0.5))
    model.compile("sgd", squares, metrics=[squares])
    model.save(tmp_path / "model.h5")
    objects = {one.__name__: one for one in (Absolute, Tenths, tripled, squares)}
    loaded = kc.load_model(tmp_path / "model.h5", "tensorflow", custom_objects=objects)
    np.testing.assert_allclose(loaded.evaluate(X, Y), model.evaluate(X, Y), rtol=1e-6)


ALIASES = {
    "initializers": "he_normal glorot_uniform zeros ones constant random_uniform orthogonal identity",
    "constraints": "max_norm non_neg unit_norm min_max_norm",
    "losses": "mse MAE mape msle kld cosine_similarity serialize deserialize",
    "metrics": "Precision Recall AUC mse binary_accuracy top_k_categorical_accuracy",
    "optimizers": "sgd adam nadam serialize deserialize",
    "activations": "relu softmax selu linear get",
}


@pytest.mark.parametrize("module", ALIASES)
def test_modules_have_the_names_of_keras(module):
    assert all(hasattr(getattr(kc, module), name) for name in ALIASES[module].split())


def test_optimizers_take_lr():
    assert kc.optimizers.Adam(lr=0.1).learning_rate == 0.1
    with pytest.raises(KconvertError, match="the same argument"):
        kc.optimizers.SGD(lr=0.1, learning_rate=0.2)


# ---------------------------------------------------------------- callbacks ----


class Heard(callbacks.Callback):
    def __init__(self):
        self.calls = []

    def on_train_begin(self, logs):
        self.calls.append(("train", logs))

    def on_test_begin(self, logs):
        self.calls.append(("test", logs))

    def on_test_batch_end(self, batch, logs):
        self.calls.append((batch, sorted(logs)))

    def on_predict_batch_end(self, batch, logs):
        self.calls.append((batch, logs["outputs"][0].shape))

    def on_predict_end(self, logs):
        self.calls.append(("predicted", logs))


@pytest.mark.needs("tensorflow")
def test_evaluate_and_predict_call_callbacks():
    model, heard = compiled(), Heard()
    model.fit(X, Y, verbose=0, callbacks=[heard], validation_data=(X, Y))
    model.predict(X, batch_size=4, callbacks=[heard])
    batch = (0, ["batch", "loss", "size"])
    predicted = [(0, (4, 1)), (1, (4, 1)), ("predicted", None)]
    assert heard.calls == [("train", None), ("test", None), batch, *predicted]
    heard.calls.clear()
    model.evaluate(X, Y, callbacks=[heard])
    assert heard.calls == [("test", None), batch]


# ----------------------------------------------------------------- refusals ----

REFUSED = {
    "negative limit": lambda: layers.ReLU(max_value=-1.0),
    "negative slope": lambda: layers.ReLU(negative_slope=-1.0),
    "length": lambda: Sequential([layers.Embedding(5, 3, input_length=7, input_shape=(4,))]).output_shape,
    "repeated images": lambda: Sequential([layers.RepeatVector(3, input_shape=(4, 2))]).output_shape,
    "order of axes": lambda: Sequential([layers.Permute((0, 1), input_shape=(4, 2))]).output_shape,
    "axis": lambda: Sequential([layers.BatchNormalization(axis=5, input_shape=(4, 2))]).output_shape,
    "no time": lambda: Sequential([layers.TimeDistributed(layers.Dense(2), input_shape=(3,))]).output_shape,
    "other axes": lambda: concatenate([Input((3, 2)), Input((4, 3))]),
    "other ranks": lambda: concatenate([Input((3, 2)), Input((3,))]),
    "no recurrence": lambda: layers.Bidirectional(layers.Dense(2)),
    "nothing to pop": lambda: Sequential().pop(),
    "twice": lambda: (lambda x: Model([x, x], layers.Dense(2)(x)))(Input((3,))),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_keras_refuses_is_refused(name):
    with pytest.raises(ValueError):
        REFUSED[name]()


@pytest.mark.parametrize("name", BACKENDS)
def test_images_without_elements_are_refused_by_the_name_of_the_layer(name):
    model = Sequential([layers.Conv2D(3, 5, input_shape=(4, 4, 1), name="c"), layers.Flatten(), layers.Dense(1)])
    model.start(name)
    with pytest.raises(KconvertError, match=r"layer c: its output would have the shape \(None, 0, 0, 3\)"):
        model.predict(np.zeros((1, 4, 4, 1)))


def test_inputs_of_unequal_length_are_refused():
    x, y = Input((3,)), Input((4,))
    model = Model([x, y], concatenate([x, y]))
    model.start("numpy")
    with pytest.raises(KconvertError, match="the inputs have different numbers of samples"):
        model.predict([np.zeros((5, 3)), np.zeros((4, 4))])


@pytest.mark.parametrize("name", BACKENDS)
def test_a_loss_that_depends_on_no_weight_is_refused(name):
    model = compiled(name)
    model.compile("sgd", lambda y_true, y_pred: K.mean(y_true, -1), backend=name)
    with pytest.raises(KconvertError, match="does not depend on any of the weights"):
        model.fit(X, Y, verbose=0)


# ------------------------------------------------------- classes of the user ----


class Classifier(Model):
    def __init__(self):
        super().__init__(name="classifier")
        self.hidden, self.last = layers.Dense(4, activation="relu"), layers.Dense(2, activation="softmax")

    def call(self, inputs):
        return self.last(self.hidden(inputs))


class Step(layers.Layer):
    """The cell of the documentation of Keras 2.3.1, at RNN."""

    def __init__(self, units, **kwargs):
        self.units = self.state_size = units
        super().__init__(**kwargs)

    def build(self, input_shape):
        self.kernel = self.add_weight(shape=(input_shape[-1], self.units), initializer="uniform", name="kernel")
        self.recurrent = self.add_weight(shape=(self.units, self.units), initializer="uniform", name="recurrent")

    def call(self, inputs, states):
        output = K.dot(inputs, self.kernel) + K.dot(states[0], self.recurrent)
        return output, [output]


class Penalty(layers.Layer):
    def call(self, x, training=None):
        self.add_loss(K.sum(K.square(x)))
        return x * 2 if training else x


@pytest.mark.parametrize("name", BACKENDS)
def test_a_model_class_is_built_from_its_first_data(name):
    model = Classifier()
    assert not model.built and model.get_weights() == []
    model.compile("sgd", "categorical_crossentropy", backend=name)
    labels = np.eye(2)[np.arange(8) % 2]
    before = model.evaluate(X, labels)
    history = model.fit(X, labels, epochs=20, verbose=0)
    assert model.output_shape == (None, 2) and history.history["loss"][-1] < before
    x = Input((4,))
    assert Model(x, Classifier()(x)).output_shape == (None, 2)


@pytest.mark.parametrize("name", BACKENDS)
def test_a_cell_of_the_user_runs_in_a_loop(name):
    x = Input((5, 3))
    model = Model(x, layers.RNN(Step(4))(x))
    model.compile("sgd", "mse", backend=name)
    data = np.random.default_rng(1).normal(size=(6, 5, 3)).astype("float32")
    kernel, recurrent = model.get_weights()
    expected = np.zeros((6, 4))
    for t in range(5):
        expected = data[:, t] @ kernel + expected @ recurrent
    np.testing.assert_allclose(model.predict(data), expected, rtol=1e-4, atol=1e-6)
    model.train_on_batch(data, np.zeros((6, 4)))
    assert not np.array_equal(model.get_weights()[1], recurrent)


@pytest.mark.parametrize("name", BACKENDS)
def test_a_layer_adds_to_the_loss_and_knows_whether_it_trains(name):
    model = Sequential([Penalty(input_shape=(3,)), layers.Dense(1, kernel_initializer="ones")])
    model.compile("sgd", "mse", backend=name)
    x = np.ones((2, 3))
    assert model.predict(x)[0, 0] == 3
    assert model.test_on_batch(x, np.full((2, 1), 3.0)) == pytest.approx(6)
    assert model.train_on_batch(x, np.full((2, 1), 6.0)) == pytest.approx(6)


def test_an_input_layer_has_no_weights():
    first = kc.Model(x := layers.Input((3,)), layers.Dense(2)(x)).layers[0]
    assert first.count_params() == 0 and first.get_weights() == first.weights == []
