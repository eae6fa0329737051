"""Trains a network on Theano, saves it, loads it on TensorFlow, and continues training on both.

    python examples/train_on_theano_serve_on_tensorflow.py --data mnist.npz

Prints the largest difference of the predictions, and the losses on both backends: they are the same.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import data
import numpy as np
from options import options, run

import kconvert as kc
from kconvert.layers import Conv2D, Dense, Flatten, MaxPooling2D


def network() -> kc.Sequential:
    """A network with kernels, which Theano reverses, and a Dense layer behind a Flatten."""
    return kc.Sequential(
        [
            Conv2D(16, (3, 3), strides=2, activation="relu", input_shape=(28, 28, 1)),
            MaxPooling2D((2, 2)),
            Flatten(),
            Dense(64, activation="relu"),
            Dense(10, activation="softmax"),
        ]
    )


def main() -> None:
    args = options(__doc__, epochs=3, samples=4000, backend=False)
    (x, y), (x_test, _) = data.mnist(args.data, args.samples, args.tests)

    trained = network()
    trained.compile("adam", "categorical_crossentropy", metrics=["accuracy"], backend="theano", seed=args.seed)
    print("trained on theano")
    trained.fit(x, y, epochs=args.epochs)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "trained_on_theano.h5")
        trained.save(path)
        loaded = kc.load_model(path, backend="tensorflow")

    on_theano, on_tensorflow = trained.predict(x_test), loaded.predict(x_test)
    alike = (on_theano.argmax(1) == on_tensorflow.argmax(1)).mean()
    print(
        f"loaded on tensorflow: predictions differ by {np.abs(on_theano - on_tensorflow).max():.1e} at most, ", end=""
    )
    print(f"{alike:.2%} of the digits are the same")

    print("training continues on both, with the state of the optimizer:")
    histories = {}
    for model in (trained, loaded):
        histories[model.backend.name] = model.fit(x, y, epochs=2, shuffle=False, verbose=0).history["loss"]
    print(f"{'epoch':>7} {'on theano':>12} {'on tensorflow':>14}")
    for epoch, losses in enumerate(zip(*histories.values(), strict=True), args.epochs + 1):
        print(f"{epoch:>7} {losses[0]:>12.6f} {losses[1]:>14.6f}")


if __name__ == "__main__":
    run(main)
