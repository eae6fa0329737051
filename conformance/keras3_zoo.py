"""Models that the real Keras 3 of an interpreter builds, computes and saves, for checks of its files as sources.

    PYTHONPATH=SCRIPTS python keras3_zoo.py OUT [CASE ...]

SCRIPTS is the folder of oracle_common.py and zoo_keras2.py, whose models are built in the words of Keras 2, which
Keras 3 mostly takes. Each case becomes the folder OUT/<release>-tensorflow/<case> with `model.keras`, `model.h5`,
`weights.weights.h5`, `arch.json` and `io.npz`; FAILED.json says which models Keras 3 does not build, and why.
"""

import contextlib
import json
import sys
import types
from pathlib import Path
from typing import Any

import numpy as np


def main(out, *wanted):
    import keras  # type: ignore[import-untyped]

    with_old_names(keras)
    import oracle_common as oracle  # type: ignore[import-not-found]
    import zoo_keras2 as zoo  # type: ignore[import-not-found]

    folder = Path(out) / f"{keras.__version__}-{keras.config.backend()}"
    folder.mkdir(parents=True, exist_ok=True)
    failed = {}
    for name, case in zoo.CASES.items():
        if wanted and name not in wanted:
            continue
        keras.backend.clear_session()
        keras.config.set_image_data_format("channels_first" if case.ordering == "th" else "channels_last")
        try:
            make(keras, oracle, case, name, folder / name)
        except Exception as problem:  # whatever Keras raises is the answer
            failed[name] = f"{type(problem).__name__}: {str(problem)[:300]}"
        print(name, failed.get(name, "")[:100], flush=True)
    (folder / "FAILED.json").write_text(json.dumps(failed, indent=1), encoding="utf-8")


def with_old_names(keras):
    """Makes the modules known that Keras 2 had and Keras 3 has not."""
    for name in ("layers.advanced_activations", "layers.convolutional_recurrent", "layers.local"):
        sys.modules[f"keras.{name}"] = keras.layers
    old: Any = types.ModuleType("keras.backend")
    old.__dict__.update({**vars(keras.src.legacy.backend), **vars(keras.backend)})
    old.image_data_format = keras.config.image_data_format
    keras.backend = sys.modules["keras.backend"] = old


def make(keras, oracle, case, name, folder):
    """Builds, computes and saves one model."""
    built = case.build()
    model, specs = built if isinstance(built, tuple) else (built, None)
    seed = oracle.seed_of(name)
    random = np.random.RandomState(seed)
    if specs is not None:
        inputs = [spec.draw(random) for spec in specs]
    else:
        inputs = [random.normal(0, 1, (oracle.BATCH, *x.shape[1:])).astype("float32") for x in model.inputs]
    given = inputs if len(inputs) > 1 else inputs[0]
    model.predict(given, batch_size=oracle.BATCH, verbose=0)  # builds it
    randomize(oracle, model, np.random.RandomState(seed + 1))
    if case.train:
        train(model, given, case.train, np.random.RandomState(seed + 2))
    for layer in model.layers:
        if hasattr(layer, "reset_state") and getattr(layer, "stateful", False):
            layer.reset_state()
    outputs = model.predict(given, batch_size=oracle.BATCH, verbose=0)
    outputs = list(outputs) if isinstance(outputs, (list, tuple)) else [outputs]
    if not all(np.isfinite(y).all() for y in outputs):
        raise ValueError("output is not finite")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "arch.json").write_text(model.to_json(), encoding="utf-8")
    model.save(folder / "model.keras")
    model.save(folder / "model.h5")
    model.save_weights(folder / "weights.weights.h5")
    about = {"case": name, "dim_ordering": None, "data_format": case.ordering and keras.config.image_data_format()}
    (folder / "meta.json").write_text(json.dumps(about), encoding="utf-8")
    arrays = {f"x{i}": x for i, x in enumerate(inputs)} | {f"y{i}": y for i, y in enumerate(outputs)}
    np.savez_compressed(folder / "io.npz", **arrays)


def randomize(oracle, layer, random, seen=None):
    """Gives every weight a random value, layer by layer."""
    seen = set() if seen is None else seen
    if id(layer) in seen:
        return
    seen.add(id(layer))
    below = [
        *(getattr(layer, "layers", None) or ()),
        *(getattr(layer, "cells", None) or ()),
        *(getattr(layer, key) for key in ("forward_layer", "backward_layer", "layer", "cell") if hasattr(layer, key)),
    ]
    for inner in below:
        randomize(oracle, inner, random, seen)
    with contextlib.suppress(AttributeError):
        if not below or type(layer).__name__ in ("LSTM", "GRU", "SimpleRNN"):
            set_random(oracle, layer, random)


def set_random(oracle, layer, random):
    stored = [v for v in layer.weights if "seed" not in v.path and "int" not in str(v.dtype)]
    named = type(type(layer).__name__, (), {"get_weights": lambda self: [np.asarray(v) for v in stored]})()
    for variable, value in zip(stored, oracle.random_weights(named, random), strict=True):
        variable.assign(value)


def train(model, inputs, how, random):
    """A few real updates, so that the file also holds optimizer weights."""
    optimizer, loss = how
    model.compile(optimizer=optimizer, loss=loss)
    outputs = model.predict(inputs, verbose=0)
    targets = []
    for y in outputs if isinstance(outputs, list) else [outputs]:
        target = random.uniform(0, 1, y.shape)
        if "crossentropy" in loss and y.shape[-1] > 1:
            target = np.eye(y.shape[-1])[random.randint(0, y.shape[-1], y.shape[:-1])]
        targets.append(target.astype("float32"))
    for _ in range(2):
        model.train_on_batch(inputs, targets if len(targets) > 1 else targets[0])


if __name__ == "__main__":
    main(*sys.argv[1:])
