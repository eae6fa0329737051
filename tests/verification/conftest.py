"""These tests run on the NumPy reference, as on a machine without frameworks; tests/conformance runs the real ones."""

import pytest

from kconvert import backend


@pytest.fixture(autouse=True)
def no_frameworks(monkeypatch):
    """As if neither Theano nor TensorFlow were installed."""
    monkeypatch.setattr(backend, "_installed", lambda *packages: None)
