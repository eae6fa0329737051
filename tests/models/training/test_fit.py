"""compile, fit, evaluate and related methods: the arguments of Keras 2.3, with numbers computed by hand."""

from __future__ import annotations

import numpy as np
import pytest

from kconvert import Model, Sequential
from kconvert import layers as L
from kconvert.models.training import metrics
from kconvert.models.training.callbacks import Callback, LambdaCallback
from kconvert.models.training.data import Sequence
from kconvert.network.functional import Input
from tests.models.training.models import dense, mlp, numbers

pytestmark = pytest.mark.needs("tensorflow")


class Seen(Callback):
    """Records the sizes of batches and the numbers of epochs."""

    def on_train_begin(self, logs=None):
        self.sizes, self.epochs = [], []

    def on_batch_end(self, batch, logs=None):
        self.sizes.append(logs["size"])

    def on_epoch_end(self, epoch, logs=None):
        self.epochs.append(epoch)


def compiled(metrics=None, units=1, **options):
    """A compiled model of one layer of ones, with learning rate 0."""
    model = dense(units)
    model.compile({"class_name": "SGD", "config": {"lr": 0.0}}, "mse", metrics, backend="tensorflow", seed=0, **options)
    return model


X, Y = np.eye(4, dtype="float32"), np.float32([[1], [2], [3], [4]])  # predictions are 1, squared errors 0 1 4 9


def test_fit_learns_and_returns_its_history(framework):
    model, x, y = mlp()
    model.compile(
        {"class_name": "Adam", "config": {"lr": 0.02}},
        "categorical_crossentropy",
        ["accuracy"],
        backend=framework.name,
        seed=0,
    )
    history = model.fit(x, y, 16, epochs=30, verbose=0).history
    assert history["loss"][-1] < history["loss"][0] / 2
    assert history["accuracy"][-1] > 0.9
    loss, accuracy = model.evaluate(x, y)
    assert loss < history["loss"][-1] and accuracy > 0.9
    assert (model.predict(x).argmax(1) == y.argmax(1)).mean() == pytest.approx(accuracy)


def test_batches_have_their_size_and_the_last_one_is_smaller():
    seen = Seen()
    compiled().fit(np.ones((10, 4)), np.ones((10, 1)), 4, epochs=2, verbose=0, callbacks=[seen])
    assert seen.sizes == [4, 4, 2] * 2 and seen.epochs == [0, 1]


def test_the_loss_of_an_epoch_is_the_mean_over_all_samples():
    model = compiled(["mae"])
    history = model.fit(X, Y, 3, verbose=0).history
    assert history == {"loss": [3.5], "mae": [1.5]}
    assert model.evaluate(X, Y, 3) == [3.5, 1.5]
    assert model.metrics_names == ["loss", "mae"]


def test_one_batch_at_a_time():
    model = compiled()
    assert model.train_on_batch(X[:2], Y[:2]) == 0.5
    assert model.test_on_batch(X[2:], Y[2:]) == 6.5
    assert model.predict_on_batch(X).tolist() == [[1]] * 4


def test_samples_are_shuffled_by_seed_or_not_at_all():
    def order(shuffle):
        """The samples in the order of use: the loss of a batch of one sample is the square of its label."""
        found = []
        model = dense(kernel_initializer="zeros")
        model.compile({"class_name": "SGD", "config": {"lr": 0.0}}, "mse", backend="tensorflow", seed=3)
        note = LambdaCallback(on_batch_end=lambda batch, logs: found.append(round(logs["loss"] ** 0.5)))
        labels = np.arange(12.0)[:, None]
        model.fit(np.ones((12, 4)), labels, 1, verbose=0, shuffle=shuffle, callbacks=[note])
        return found

    assert order(False) == list(range(12))
    assert order(True) == order(True) != list(range(12))
    assert sorted(order(True)) == sorted(order("batch")) == list(range(12))


def test_the_last_samples_are_held_out_for_validation():
    history = compiled().fit(X, Y, validation_split=0.25, verbose=0).history
    assert history["loss"][0] == pytest.approx(5 / 3) and history["val_loss"] == [9]


def test_validation_data_may_have_weights_and_a_frequency():
    model, weighted = compiled(), (X, Y, np.float32([0, 0, 0, 1]))
    history = model.fit(X, Y, epochs=4, validation_data=weighted, validation_freq=2, verbose=0).history
    assert history["val_loss"] == [9 / 4, 9 / 4] and len(history["loss"]) == 4
    history = model.fit(X, Y, epochs=3, validation_data=(X[:1], Y[:1]), validation_freq=[3], verbose=0).history
    assert history["val_loss"] == [0]


def test_initial_epoch_and_steps():
    seen = Seen()
    compiled().fit(X, Y, epochs=5, initial_epoch=3, steps_per_epoch=3, verbose=0, callbacks=[seen])
    assert seen.epochs == [3, 4] and len(seen.sizes) == 6


def test_weights_of_samples_and_classes_multiply():
    model = compiled(weighted_metrics=["mae"])
    assert model.test_on_batch(X, Y, sample_weight=[0, 1, 1, 0]) == [5 / 4, 3 / 2]
    one_hot = np.float32([[1, 0], [0, 1]])  # predictions are 1 and 1, so each loses 1/2
    pair = compiled(units=2)
    assert pair.train_on_batch(X[:2], one_hot, class_weight={0: 1.0, 1: 3.0}) == pytest.approx((0.5 + 1.5) / 2)
    assert pair.train_on_batch(X[:2], one_hot, [1, 0], {0: 1.0, 1: 3.0}) == pytest.approx(0.25)


def test_temporal_weights_and_masks_apply_to_steps(framework):
    """Masked steps have weight 0, and the mean is over all steps (keras-facts: weights-in-training)."""
    layers = [L.Masking(input_shape=(3, 2)), L.SimpleRNN(1, activation="linear", return_sequences=True)]
    model = Sequential(layers)
    model.compile("sgd", "mse", weighted_metrics=["mae"], backend=framework.name, sample_weight_mode="temporal")
    model.set_weights([np.ones((2, 1)), np.zeros((1, 1)), np.zeros(1)])
    x = np.float32([[[1, 0], [1, 1], [0, 0]], [[3, 0], [0, 0], [0, 0]]])  # outputs 1 2 . and 3 . .
    assert model.test_on_batch(x, np.zeros((2, 3, 1)))[0] == pytest.approx((1 + 4 + 9) / 6)
    loss, mae = model.test_on_batch(x, np.zeros((2, 3, 1)), sample_weight=np.float32([[1, 0, 1], [2, 1, 1]]))
    assert loss == pytest.approx((1 + 18) / 6) and mae == pytest.approx((1 + 6) / 3)


# ------------------------------------------------------------------ streams ----


def pairs(n=4):
    for i in range(n):
        yield X[i : i + 1], Y[i : i + 1]


class Pairs(Sequence):
    ends = 0

    def __len__(self):
        return 4

    def __getitem__(self, index):
        return X[index : index + 1], Y[index : index + 1]

    def on_epoch_end(self):
        self.ends += 1


def test_a_generator_gives_the_batches():
    model = compiled()
    assert model.fit(pairs(), steps_per_epoch=2, epochs=2, verbose=0).history["loss"] == [0.5, 6.5]
    assert model.evaluate(pairs(), steps=4) == 3.5
    assert model.predict((x for x, _ in pairs()), steps=2).tolist() == [[1], [1]]
    assert model.fit_generator(pairs(), 4, verbose=0, workers=2).history["loss"] == [3.5]


def test_a_sequence_knows_how_many_batches_it_has():
    model, sequence = compiled(), Pairs()
    history = model.fit(sequence, epochs=2, verbose=0, validation_data=Pairs()).history
    assert history == {"loss": [3.5, 3.5], "val_loss": [3.5, 3.5]}
    assert sequence.ends >= 1


@pytest.mark.parametrize(("options", "mixed"), [({}, True), ({"shuffle": False}, False), ({"workers": 0}, False)])
def test_the_batches_of_a_sequence_are_shuffled(options, mixed):
    class Rows(Pairs):
        def __len__(self):
            return 20

        def __getitem__(self, index):
            taken.append(index)
            return X[:1], Y[:1]

    taken = []
    compiled().fit_generator(Rows(), verbose=0, **options)
    assert (taken != list(range(20))) is mixed and sorted(taken) == list(range(20))


# ------------------------------------------------------------------ outputs ----


def two_outputs():
    x = Input((4,), name="x")
    one = L.Dense(1, kernel_initializer="ones", name="one")(x)
    two = L.Dense(1, kernel_initializer="ones", name="two")(x)
    return Model(x, [one, two])


def test_metrics_have_the_names_of_their_labels():
    model = two_outputs()
    model.compile("sgd", "mse", [metrics.MeanAbsoluteError(name="z")], backend="numpy")
    assert [one.name for one in model.metrics] == ["one_z", "two_z"]
    model.compile("sgd", "mse", ["mae", "mae"], weighted_metrics=["mae"], backend="numpy")
    assert [one.name for one in model.metrics] == ["one_mae", "one_mae_1", "two_mae", "two_mae_1"]
    assert model.metrics_names[3:] == [one.name for one in model.metrics]


@pytest.mark.parametrize(
    ("given", "error"),
    [
        ({"loss_weights": 2.0}, TypeError),
        ({"loss_weights": {"one": "2"}}, TypeError),
        ({"loss_weights": [1.0, None]}, TypeError),
        ({"metrics": "mae"}, TypeError),
        ({"weighted_metrics": ("mae",)}, TypeError),
        ({"metrics": [["mae"], None]}, ValueError),
        ({"sample_weight_mode": {"one": "temporal"}}, ValueError),
    ],
)
def test_arguments_of_compile_that_keras_refuses(given, error):
    with pytest.raises(error):
        two_outputs().compile("sgd", "mse", backend="numpy", **given)


def test_weights_of_steps_need_labels_with_steps():
    model = compiled(sample_weight_mode="temporal")
    with pytest.raises(ValueError, match="time axis"):
        model.train_on_batch(X, Y)


def test_losses_of_outputs_go_on_with_the_metrics():
    """As in Keras 2.3.1, where the total loss is that of the last batch."""
    model = two_outputs()
    model.compile("sgd", "mse", backend="numpy")
    first, second = model.test_on_batch(X[:2], [Y[:2]] * 2), model.test_on_batch(X[2:], [Y[2:]] * 2)
    model.test_on_batch(X[:2], [Y[:2]] * 2, reset_metrics=False)
    both = model.test_on_batch(X[2:], [Y[2:]] * 2)
    assert both == pytest.approx([second[0], *((a + b) / 2 for a, b in zip(first[1:], second[1:], strict=True))])


def test_losses_of_several_outputs_are_weighted():
    model = two_outputs()
    model.compile("sgd", ["mse", "mae"], {"one": "mae"}, {"one": 1.0, "two": 0.5}, backend="tensorflow")
    assert model.metrics_names == ["loss", "one_loss", "two_loss", "one_mae"]
    assert model.test_on_batch(X, [Y, Y]) == [3.5 + 0.75, 3.5, 1.5, 1.5]
    assert model.test_on_batch(X, {"one": Y, "two": Y})[0] == 4.25
    assert [y.shape for y in model.predict(X)] == [(4, 1), (4, 1)]


def test_an_output_without_a_loss_needs_no_labels():
    model = two_outputs()
    model.compile("sgd", {"two": "mse"}, backend="tensorflow")
    assert model.test_on_batch(X, Y)[0] == 3.5
    assert model.test_on_batch(X, {"two": Y}, sample_weight={"two": np.ones(4)})[0] == 3.5


def test_several_inputs_come_as_a_list_or_by_name():
    a, b = Input((4,), name="a"), Input((4,), name="b")
    model = Model([a, b], L.Dense(1, kernel_initializer="ones")(L.Add()([a, b])))
    model.compile("sgd", "mse", backend="tensorflow")
    assert model.test_on_batch([X, X], 2 * np.ones((4, 1))) == 0
    assert model.test_on_batch({"a": X, "b": X}, 2 * np.ones((4, 1))) == 0


# ---------------------------------------------------------------- callbacks ----


def test_a_callback_can_stop_and_change_the_learning_rate():
    model = dense()
    model.compile("sgd", "mse", backend="tensorflow")

    def stop(epoch, logs):
        model.optimizer.lr = 0.0
        model.stop_training = epoch == 1

    history = model.fit(X, Y, epochs=9, verbose=0, callbacks=[LambdaCallback(on_epoch_end=stop)]).history
    assert len(history["loss"]) == 2
    weights = model.get_weights()
    model.fit(X, Y, verbose=0)
    assert all(np.array_equal(a, b) for a, b in zip(weights, model.get_weights(), strict=True))


def test_a_sequential_gets_the_shape_of_its_input_from_the_data():
    model = Sequential([L.Dense(2), L.Dense(1)])
    model.compile("sgd", "mse", backend="tensorflow")
    model.fit(numbers(8, 5), numbers(8, 1), verbose=0)
    assert model.predict(numbers(3, 5)).shape == (3, 1)
