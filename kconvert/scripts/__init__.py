"""Runs unmodified Keras scripts on either backend: `kconvert run` and `kconvert compare`."""
