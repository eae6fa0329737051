"""Trains a convolutional network on handwritten digits, on either backend.

    python examples/mnist_cnn.py --backend theano --data mnist.npz --samples 60000 --tests 10000 --epochs 12

The network is that of the Keras example of 2015.
"""

from __future__ import annotations

from typing import Any

import data
from options import options, run

import kconvert as kc

BATCH = 128


def network(keras: Any = kc) -> Any:
    """Images of 28 x 28, two convolutions, ten digits. keras: the package whose layers to use."""
    L = keras.layers
    return keras.Sequential(
        [
            L.Conv2D(32, (3, 3), activation="relu", input_shape=(28, 28, 1)),
            L.Conv2D(32, (3, 3), activation="relu"),
            L.MaxPooling2D((2, 2)),
            L.Dropout(0.25),
            L.Flatten(),
            L.Dense(128, activation="relu"),
            L.Dropout(0.5),
            L.Dense(10, activation="softmax"),
        ]
    )


def main() -> None:
    args = options(__doc__, epochs=3, samples=4000)
    (x, y), (x_test, y_test) = data.mnist(args.data, args.samples, args.tests)

    model = network()
    optimizer = kc.optimizers.Adadelta(learning_rate=1.0)
    model.compile(optimizer, "categorical_crossentropy", metrics=["accuracy"], backend=args.backend, seed=args.seed)
    model.summary()
    model.fit(x, y, batch_size=BATCH, epochs=args.epochs, validation_data=(x_test, y_test))
    loss, accuracy = model.evaluate(x_test, y_test)
    print(f"{model.backend.name}: test loss {loss:.4f}, test accuracy {accuracy:.4f}")


if __name__ == "__main__":
    run(main)
