"""One process of `bench_training.py`: builds a network, trains it, and prints how long that took.

    python train_once.py FRAMEWORK TASK DATA.npz EPOCHS     FRAMEWORK: theano, tensorflow (kconvert's), keras3, keras1

Prints {"first": seconds, "epochs": [seconds, ...], "loss": ...}. `first` is the time from the end of the imports to
the end of the first batch. One epoch runs before those that are measured. The syntax is that of Python 3.6, which runs
Keras 1.
"""

import importlib
import json
import os
import sys
import time

BATCHES = {"mnist_mlp": 128, "mnist_cnn": 128, "imdb_lstm": 32}
LOSSES = {"imdb_lstm": "binary_crossentropy"}
OPTIMIZERS = {"mnist_mlp": "rmsprop", "imdb_lstm": "adam"}


def main(framework, task, path, epochs):
    import numpy as np

    with np.load(path) as data:
        x, y = data["x"], data["y"]
    prepare = getattr(sys.modules[__name__], framework if framework.startswith("keras") else "kconvert")
    batch = BATCHES[task]
    network, adadelta, options, x = prepare(framework, task, x)
    start = time.time()
    model = network()
    loss = LOSSES.get(task, "categorical_crossentropy")
    model.compile(OPTIMIZERS.get(task) or adadelta(), loss, metrics=["accuracy"], **options)
    model.train_on_batch(x[:batch], y[:batch])
    first, took, word = time.time() - start, [], "nb_epoch" if framework == "keras1" else "epochs"
    for _ in range(1 + epochs):
        start = time.time()
        history = model.fit(x, y, batch_size=batch, verbose=0, **{word: 1})
        took.append(time.time() - start)
    print(json.dumps({"first": first, "epochs": took[1:], "loss": float(history.history["loss"][-1])}))


# --------------------------------------------------------------- frameworks ----
# For each: what makes the network, the optimizer of 2015 and the options of compile, and the input.


def kconvert(backend, task, x):
    import kconvert as kc
    import kconvert.models.sequential  # or the network imports it, which is timed

    kc.get_backend(backend)  # imports the framework
    return example(task, kc), lambda: kc.optimizers.Adadelta(learning_rate=1.0), {"backend": backend, "seed": 1}, x


def keras3(_, task, x):
    import keras

    return example(task, keras), lambda: keras.optimizers.Adadelta(learning_rate=1.0), {}, x


def example(task, keras):
    """The network of the example, with the layers of `keras`."""
    sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "examples"))
    return lambda: importlib.import_module(task).network(keras)


def keras1(_, task, x):
    """Images as (1, 28, 28), the native data format of Keras 1 on Theano."""
    import theano.ifelse  # noqa: F401  (Keras 1 uses it without importing it)
    from keras.optimizers import Adadelta

    x = x.reshape(-1, 1, 28, 28) if task == "mnist_cnn" else x
    return globals()["keras1_" + task], Adadelta, {}, x


def keras1_mnist_mlp():
    from keras.layers import Dense, Dropout
    from keras.models import Sequential

    layers = [Dense(512, activation="relu", input_shape=(784,)), Dropout(0.2), Dense(512, activation="relu")]
    return Sequential([*layers, Dropout(0.2), Dense(10, activation="softmax")])


def keras1_mnist_cnn():
    from keras.layers import Convolution2D, Dense, Dropout, Flatten, MaxPooling2D
    from keras.models import Sequential

    first = Convolution2D(32, 3, 3, activation="relu", dim_ordering="th", input_shape=(1, 28, 28))
    second = Convolution2D(32, 3, 3, activation="relu", dim_ordering="th")
    images = [first, second, MaxPooling2D((2, 2), dim_ordering="th"), Dropout(0.25), Flatten()]
    return Sequential([*images, Dense(128, activation="relu"), Dropout(0.5), Dense(10, activation="softmax")])


def keras1_imdb_lstm():
    from keras.layers import LSTM, Dense, Dropout, Embedding
    from keras.models import Sequential

    words = [Embedding(20000, 128, input_length=100), LSTM(128, inner_activation="sigmoid")]
    return Sequential([*words, Dropout(0.5), Dense(1, activation="sigmoid")])


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]))
