"""Check C: the converted files in the real Keras of their release, on the other backend.

It runs under the legacy Python (3.6) that has that Keras, in one process for all files of a release:

    python legacy.py RELEASE BACKEND JOBS.json   (PYTHONPATH: that Keras, and the folder of oracle_common.py)

JOBS.json is a list of {case, model, io}; each answer is one JSON line {case, error} or {case, failure}.
Kept in the words of Python 3.6, and free of the rest of the package.
"""

import json
import sys


def main(release, backend, jobs_path):
    import oracle_common as oracle  # type: ignore[import-not-found]

    setup = oracle.load_keras(release, backend)
    import numpy as np
    from keras.models import load_model  # type: ignore[import-untyped]

    with open(jobs_path) as jobs:
        todo = json.load(jobs)
    for job in todo:
        answer = {"case": job["case"]}
        try:
            oracle.fresh_session(setup)
            model = load_model(job["model"])
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
        print(json.dumps(answer))
        sys.stdout.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
