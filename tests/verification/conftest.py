"""These tests run on the NumPy reference, as on a machine without frameworks; tests/conformance runs the real ones."""

import pytest


@pytest.fixture(autouse=True)
def bare_machine(no_frameworks):
    """For every test here."""
