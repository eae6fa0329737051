"""Trains a multilayer perceptron on handwritten digits, on either backend.

    python examples/mnist_mlp.py --backend theano --data mnist.npz --samples 60000 --tests 10000 --epochs 20

The network is that of the Keras example of 2015.
"""

from __future__ import annotations

from typing import Any

import data
from options import options, run

import kconvert as kc

BATCH = 128


def network(keras: Any = kc) -> Any:
    """784 pixels, two hidden layers, ten digits. keras: the package whose layers to use."""
    L = keras.layers
    return keras.Sequential(
        [
            L.Dense(512, activation="relu", input_shape=(784,)),
            L.Dropout(0.2),
            L.Dense(512, activation="relu"),
            L.Dropout(0.2),
            L.Dense(10, activation="softmax"),
        ]
    )


def main() -> None:
    args = options(__doc__, epochs=3, samples=20_000)
    (x, y), (x_test, y_test) = data.mnist(args.data, args.samples, args.tests)
    x, x_test = x.reshape(-1, 784), x_test.reshape(-1, 784)

    model = network()
    model.compile("rmsprop", "categorical_crossentropy", metrics=["accuracy"], backend=args.backend, seed=args.seed)
    model.summary()
    model.fit(x, y, batch_size=BATCH, epochs=args.epochs, validation_data=(x_test, y_test))
    loss, accuracy = model.evaluate(x_test, y_test)
    print(f"{model.backend.name}: test loss {loss:.4f}, test accuracy {accuracy:.4f}")


if __name__ == "__main__":
    run(main)
