"""Which backends the tests run on: KCONVERT_TEST_BACKENDS (names with commas; default: all three).

A backend that is named and missing fails its tests: "skipped" would look like green.
"""

import os

import pytest

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # waiting threads of several test processes slow each other down

from kconvert.backend import get_backend

ROLES = {
    "numpy-as-theano": ("numpy", "theano"),
    "numpy-as-tensorflow": ("numpy", "tensorflow"),
    "theano": ("theano", None),
    "tensorflow": ("tensorflow", None),
}


def pytest_generate_tests(metafunc):
    """`backend`: each backend under test; `framework`: those that are not NumPy; `theano`: that one."""
    under_test = os.environ.get("KCONVERT_TEST_BACKENDS", "numpy,theano,tensorflow").split(",")
    for fixture, roles in (("backend", ROLES), ("framework", ("theano", "tensorflow")), ("theano", ("theano",))):
        if fixture in metafunc.fixturenames:
            chosen = [role for role in roles if ROLES[role][0] in under_test]
            metafunc.parametrize(fixture, chosen, indirect=True)


@pytest.fixture
def backend(request):
    """A backend under test: NumPy in both parts, Theano, TensorFlow."""
    return get_backend(*ROLES[request.param])


@pytest.fixture
def theano(request):
    """Theano, where it is under test."""
    return get_backend(*ROLES[request.param])


@pytest.fixture
def framework(request):
    """A framework under test, to be compared with NumPy in its part."""
    return get_backend(*ROLES[request.param])
