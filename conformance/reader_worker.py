"""Checks K and T: the converted files in the Keras 3 or tf_keras of an interpreter, in one process for all files.

    python reader_worker.py PACKAGE JOBS.json

It runs without kconvert. JOBS.json is a list of {case, model, io, again}. The package saves the model again where
`again` is a path. Each answer is one JSON line: {case, error} or {case, failure}.
"""

import importlib
import json
import sys

import numpy as np


def main(package, path):
    keras = importlib.import_module(package)
    with open(path, encoding="utf-8") as jobs:
        todo = json.load(jobs)
    for job in todo:
        answer = {"case": job["case"]}
        keras.backend.clear_session()
        try:
            model = keras.models.load_model(job["model"])
            answer["error"] = off(model, np.load(job["io"]))
            if job["again"]:
                model.save(job["again"])
        except Exception as problem:  # whatever Keras raises is the answer
            answer["failure"] = f"{type(problem).__name__}: {str(problem)[:300]}"
        print(json.dumps(answer), flush=True)


def off(model, io):
    """The largest error of the outputs."""
    names = sorted(io.files, key=lambda name: (name[0], int(name[1:])))
    inputs, want = ([io[name] for name in names if name[0] == letter] for letter in "xy")
    # stateful models were built for one batch
    got = model.predict(inputs if len(inputs) > 1 else inputs[0], batch_size=len(inputs[0]), verbose=0)
    got = list(got) if isinstance(got, (list, tuple)) else [got]
    if [a.shape for a in got] != [b.shape for b in want]:
        raise ValueError(f"shapes {[a.shape for a in got]} where {[b.shape for b in want]} are expected")
    return max(float(np.abs(a - b).max()) for a, b in zip(got, want, strict=True))


if __name__ == "__main__":
    main(*sys.argv[1:])
