"""Scripts of Keras, run unmodified on either backend: `kconvert run` and `kconvert compare`."""
