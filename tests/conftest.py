"""Which backends the tests run on: KCONVERT_TEST_BACKENDS (names with commas; default: all three).

A backend that is named and missing fails its tests: "skipped" would look like green. Tests that need one
that is not named are deselected. So are, where there is no Chromium, those that look at pages in it (unless it is
named: `chromium`), and from Python 3.12 on those that need Theano, which does not run there; the last lines of the run
say so.
"""

import os
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

os.environ.pop("COLUMNS", None)  # output is compared at its usual width
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # waiting threads of several test processes slow each other down

from kconvert import backend as backends
from kconvert._version import install
from kconvert.backend import Probe, get_backend
from kconvert.conventions.backends import BACKENDS
from kconvert.layers.names import reset_names
from tests.browser import MISSING, chromium

ROLES = {
    "numpy-as-theano": ("numpy", "theano"),
    "numpy-as-tensorflow": ("numpy", "tensorflow"),
    "theano": ("theano", None),
    "tensorflow": ("tensorflow", None),
}
THEANO = ["theano"] if sys.version_info < (3, 12) else []
ALL = ["numpy", *THEANO, "tensorflow", *(["chromium"] if chromium() else [])]
NAMED = os.environ.get("KCONVERT_TEST_BACKENDS", ",".join(ALL)).split(",")
LEFT_OUT = {"numpy", "theano", "tensorflow", "chromium"} - set(NAMED)
collect_ignore = ["fixtures"]  # data, and the scripts that made them in other environments
MODULES = Path(__file__).parents[1] / "kconvert" / "backend"
EXPORT = [MODULES.parent / "export" / name for name in ("program.py", "writers.py")]  # they import TensorFlow

# A test of a law does not fail because the machine is busy.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")


def pytest_configure(config):
    """The modules of a backend import its framework: their doctests run where that is under test."""
    modules = [str(path) for name in LEFT_OUT for path in MODULES.glob(f"{name}_*.py") if name != "numpy"]
    modules += [str(path) for path in EXPORT if "tensorflow" in LEFT_OUT]
    config.option.ignore = [*(config.option.ignore or []), *modules]


def pytest_generate_tests(metafunc):
    """`backend`: each backend; `framework`: those that are not NumPy; `theano`: that one."""
    for fixture, roles in (("backend", ROLES), ("framework", ("theano", "tensorflow")), ("theano", ("theano",))):
        if fixture in metafunc.fixturenames:
            cases = [pytest.param(role, marks=pytest.mark.needs(ROLES[role][0])) for role in roles]
            metafunc.parametrize(fixture, cases, indirect=True)


def pytest_collection_modifyitems(config, items):
    """Deselects what `needs` a backend that is not under test."""
    needed = {item: {name for mark in item.iter_markers("needs") for name in mark.args} for item in items}
    config.hook.pytest_deselected(items=[item for item in items if needed[item] & LEFT_OUT])
    items[:] = [item for item in items if not needed[item] & LEFT_OUT]


def pytest_terminal_summary(terminalreporter):
    if LEFT_OUT & {"chromium", "theano"}:
        terminalreporter.section("NOT TESTED", yellow=True)
    if "theano" in LEFT_OUT:
        why = "KCONVERT_TEST_BACKENDS does not name it" if THEANO else "Theano 1.0.5 does not run on this Python"
        terminalreporter.line(f"Theano: {why}")
    if "chromium" in LEFT_OUT:
        why = "KCONVERT_TEST_BACKENDS does not name chromium" if chromium() else MISSING
        terminalreporter.line(f"the HTML reports in a browser: {why}")


@pytest.fixture(params=[pytest.param(name, marks=pytest.mark.needs(name)) for name in ("theano", "tensorflow")])
def on(request):
    """The default backend for one test: each of both, or those that `parametrize(..., indirect=["on"])` names."""
    before = list(backends._chosen)
    backends.set_backend(request.param)
    yield request.param
    backends._chosen[:] = before


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


@pytest.fixture
def no_frameworks(monkeypatch):
    """As if neither Theano nor TensorFlow were installed."""
    monkeypatch.setattr(backends, "_installed", lambda *packages: None)


@pytest.fixture
def bare(monkeypatch):
    """A machine with neither framework: the NumPy reference runs both sides, fast."""
    for name in BACKENDS:
        missing = Probe(name, None, f"{BACKENDS[name].title} is not installed", install(name))
        monkeypatch.setitem(backends._PROBES, name, lambda missing=missing: missing)


@pytest.fixture(autouse=True)
def _names_from_one():
    """Layers without a name are dense_1, dense_2, ... in each test."""
    reset_names()
