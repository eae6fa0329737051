"""Check C: the converted files in the real Keras of their release, on the other backend.

It runs under the legacy Python (3.6) that has that Keras, in one process for all files of a release:

    python legacy.py RELEASE BACKEND JOBS.json   (PYTHONPATH: that Keras, and the folder of oracle_common.py)

JOBS.json is a list of {case, model, io}, with arch where model is a file of weights alone, and own, the architecture
that this Keras itself wrote; each answer is one JSON line {case, error} or {case, failure, limit}, where limit says
that this Keras cannot read its own architecture either.
Kept in the words of Python 3.6, and free of the rest of the package.
"""

import json
import sys


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
            answer["limit"] = "own" in job and not readable(job["own"])
        print(json.dumps(answer))
        sys.stdout.flush()


def load(job):
    import keras.models  # type: ignore[import-untyped]

    if "arch" not in job:
        return keras.models.load_model(job["model"])
    model = built(job["arch"])
    model.load_weights(job["model"])
    return model


def built(path):
    import keras.models

    with open(path) as arch:
        return keras.models.model_from_json(arch.read())


def readable(path):
    try:
        return bool(built(path))
    except Exception:
        return False


if __name__ == "__main__":
    main(*sys.argv[1:])
