"""Trains an LSTM that reads film reviews and tells whether they are positive, on either backend.

    python examples/imdb_lstm.py --backend theano --data imdb.npz --samples 25000 --tests 25000 --epochs 4

The network is that of the Keras example of 2015.
"""

from __future__ import annotations

from typing import Any

import data
from options import options, run

import kconvert as kc

WORDS, LENGTH, BATCH = 20_000, 100, 32


def network(keras: Any = kc) -> Any:
    """100 words, an LSTM, one probability. keras: the package whose layers to use."""
    L = keras.layers
    return keras.Sequential(
        [
            L.Embedding(WORDS, 128, input_shape=(LENGTH,)),
            L.LSTM(128),
            L.Dropout(0.5),
            L.Dense(1, activation="sigmoid"),
        ]
    )


def main() -> None:
    args = options(__doc__, epochs=2, samples=2000, tests=500)
    (x, y), (x_test, y_test) = data.imdb(args.data, args.samples, args.tests, WORDS, LENGTH)

    model = network()
    model.compile("adam", "binary_crossentropy", metrics=["accuracy"], backend=args.backend, seed=args.seed)
    model.summary()
    model.fit(x, y, batch_size=BATCH, epochs=args.epochs, validation_data=(x_test, y_test))
    loss, accuracy = model.evaluate(x_test, y_test)
    print(f"{model.backend.name}: test loss {loss:.4f}, test accuracy {accuracy:.4f}")


if __name__ == "__main__":
    run(main)
