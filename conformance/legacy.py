"""Check C: the converted files in the real Keras of their release, on the other backend.

It runs under the legacy Python (3.6) that has that Keras, in one process for all files of a release:

    python legacy.py RELEASE BACKEND JOBS.json   (PYTHONPATH: that Keras, and the folder of oracle_common.py)

JOBS.json is a list of {case, model, io, own}, with arch where model is a file of weights alone; own: what this Keras
itself wrote, {model} or {model, arch}. Each answer is one JSON line: {case, error}, or {case, failure, limit}:
limit says that this Keras cannot load its own file either: it stops at the same line.
Kept in the words of Python 3.6, and free of the rest of the package.
"""

import json
import sys
import traceback


def main(release, backend, jobs_path):
    import oracle_common as oracle  # type: ignore[import-not-found]

    setup = oracle.load_keras(release, backend)
    import numpy as np

    with open(jobs_path) as jobs:
        todo = json.load(jobs)
    for job in todo:
        answer = {"case": job["case"]}
        try:
            oracle.fresh_session(setup)
            model = load(job)
            io = np.load(job["io"])
            names = sorted(io.files, key=lambda name: (name[0], int(name[1:])))
            got = oracle.predict(setup, model, [io[name] for name in names if name[0] == "x"])
            want = [io[name] for name in names if name[0] == "y"]
            if [a.shape for a in got] != [b.shape for b in want]:
                shapes = [a.shape for a in got], [b.shape for b in want]
                raise ValueError("shapes {} where {} are expected".format(*shapes))
            answer["error"] = max(float(np.abs(got[i] - want[i]).max()) for i in range(len(want)))
        except Exception as problem:
            answer["failure"] = f"{type(problem).__name__}: {str(problem)[:300]}"
            answer["limit"] = place(problem) == failure_to_load(job["own"])
        print(json.dumps(answer))
        sys.stdout.flush()


def load(files):
    import keras.models  # type: ignore[import-untyped]

    if "arch" not in files:
        return keras.models.load_model(files["model"])
    with open(files["arch"]) as arch:
        model = keras.models.model_from_json(arch.read())
    model.load_weights(files["model"])
    return model


def failure_to_load(files):
    try:
        load(files)
    except Exception as problem:
        return place(problem)


def place(problem):
    line = traceback.extract_tb(problem.__traceback__)[-1]
    return type(problem).__name__, line.filename, line.lineno


if __name__ == "__main__":
    main(*sys.argv[1:])
