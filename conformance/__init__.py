"""Conformance: kconvert against what real Keras saved and computed.

    python -m conformance CORPUS [--release 1.2.2] [--every 50] [--checks LW] [--legacy ENV --oracle SCRIPTS]

CORPUS holds `<release>-<backend>/<case>/` with `model.h5` (or `weights.h5` and `arch.json`), `io.npz` and
`meta.json`. For each case, with real Theano and real TensorFlow:

    A  the file runs on its own backend and gives real Keras's outputs
    B  converted, it runs on the other backend and gives the same; every layer agrees
    C  the real Keras of that release, on the other backend, runs the converted file and gives the same
    D  every known error that is planted in the converted file is found and located
    E  converted and converted back, the file is what it was: names, order, every array bit for bit, the architecture
    L  `load_model` on the other backend, of the whole model and of weights alone, predicts real Keras's outputs
    W  so does a model that is built on the other backend and loads the weights
    R  what real Keras 3 saves again comes back: the layers with weights, and every array bit for bit
    V  weights alone are converted to the same arrays and architecture as the whole model

Docs: docs/conformance.md.
"""
