"""Conformance: kconvert against what real Keras saved and computed.

    python -m conformance CORPUS [--release 1.2.2] [--legacy ENV --oracle SCRIPTS]

CORPUS holds `<release>-<backend>/<case>/` with `model.h5` (or `weights.h5` and `arch.json`), `io.npz` and
`meta.json`. For each case, with real Theano and real TensorFlow:

    A  the file runs on its own backend and gives real Keras's outputs
    B  converted, it runs on the other backend and gives the same; every layer agrees
    C  the real Keras of that release, on the other backend, runs the converted file and gives the same
    E  converted and converted back, every array is bit for bit what it was
"""
