"""Every public name of Keras is shown by a case or refused by name, and the cases compute what real Keras computed."""

import dataclasses
import importlib

import numpy as np
import pytest

from conformance import names
from conformance.names import BACKENDS, DIALECTS
from kconvert import backend
from kconvert.errors import KconvertError
from kconvert.keras.names import INTERNAL

FOLDERS = sorted(DIALECTS)
QUICK = (
    "merge_refusals",
    "model_refusals",
    "refused_arguments",
    "regularizer_l",
    "regularizer_L",
    "constraint_",
    "activation_",
    "generic",
    "optimizers_that",
    "loss_of",
    "gradients_of_the",
    "numpy_",
    "functions_on_both",
)
"""The first words of the cases of every run; the others take minutes to compile."""


def parameters():
    """Every case that real Keras computed on a backend."""
    for folder in FOLDERS:
        for case in names.cases(folder):
            quick = case.split(".")[1].startswith(QUICK)
            for on in BACKENDS:
                if names.is_known(folder, on, case):
                    marks = [pytest.mark.needs(on), *([] if quick else [pytest.mark.long])]
                    yield pytest.param(folder, on, case, marks=marks)


_ERRS_ON_THEANO = {
    # truncated_normal is not truncated there, and random_normal_variable leaves the mean out
    ("keras2", "utilities.random_numbers"),
    # a metric that is called alone gives its value from before the update
    ("keras2", "training.metrics_alone"),
    # an array of another shape is taken for a weight
    ("keras2", "internals.weights_in_groups"),
}
"""Cases in which real Keras on Theano does not compute what its documentation says, as it does on TensorFlow."""

_ERRS_ON_TENSORFLOW = {
    # a step may read the number of steps after it is raised
    ("keras1", "components.optimizer_Adam"),
    ("keras1", "components.optimizer_Adamax"),
    ("keras1", "components.optimizer_Nadam"),
    # the samples of an input with fewer axes are mixed
    ("keras1", "wrapped.dot_of_more_axes"),
}
"""Cases in which real Keras on TensorFlow does not compute what its documentation says, as it does on Theano."""


@pytest.mark.parametrize(("folder", "on", "case"), list(parameters()), indirect=["on"])
def test_computes_what_real_keras_computed(folder, on, case):
    found = names.computed(folder, case)
    on = "tensorflow" if (folder, case) in _ERRS_ON_THEANO else on
    on = "theano" if (folder, case) in _ERRS_ON_TENSORFLOW else on
    right = names.known(folder, on)[case]
    assert not list(names.differences(found, right))


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_public_name_is_shown_or_refused(folder):
    dialect, shown = DIALECTS[folder], names.shown(folder)
    missing = [
        f"{module}.{name}"
        for module, name in names.all_names(dialect)
        if f"{module}.{name}" not in shown and names.refusal(dialect, module, name) is None
    ]
    assert not missing


@pytest.mark.parametrize("folder", FOLDERS)
def test_the_tables_have_every_name_that_real_keras_has(folder):
    dialect, found = DIALECTS[folder], names.listed(DIALECTS[folder].release)
    internal = INTERNAL[dialect.release]
    unknown = [module for module in found if found[module] and module not in dialect.modules and module not in internal]
    assert not [module for module in unknown if module]
    absent = {
        f"{module}.{name}"
        for module in dialect.public
        if module in found and not module.startswith("engine.")  # what engine itself does not have is internal
        for name in names.own_names(dialect.release, module)
        if name not in dialect.names(module)
    }
    assert not absent


@pytest.mark.parametrize("folder", FOLDERS)
def test_cases_name_what_real_keras_has(folder):
    """The tables have no private names."""
    homes = names.homes(DIALECTS[folder].release)
    shown = {name for declared, _ in names.cases(folder).values() for name in declared if "._" not in name}
    assert not [name for name in shown if name not in homes and name not in _OUTSIDE]


_OUTSIDE = {
    *("backend.clear_session", "backend.ctc_decode", "backend.manual_variable_initialization", "backend.reset_uids"),
    "backend.ctc_label_dense_to_sparse",
}
"""Names that real Keras has on TensorFlow alone."""


@pytest.mark.parametrize("folder", FOLDERS)
def test_an_internal_module_can_be_imported_and_has_no_other_names(folder):
    dialect = DIALECTS[folder]
    for module in INTERNAL[dialect.release]:
        found = importlib.import_module(f"{dialect.package}.{module}")
        with pytest.raises((AttributeError, KconvertError), match=r"has no attribute 'unheard_of'|needs the backend"):
            found.unheard_of  # noqa: B018


def test_a_name_that_is_refused_says_why():
    arrays = importlib.import_module("kconvert.keras.engine.training_arrays")
    with pytest.raises(KconvertError, match=r"fit_loop of keras.engine.training_arrays .*: it runs compiled functions"):
        arrays.fit_loop  # noqa: B018


@pytest.mark.parametrize(
    "module, name, public",
    [
        ("backend.common", "floatx", "backend"),
        ("callbacks.tensorboard_v1", "TensorBoard", "callbacks"),
        ("datasets.cifar", "load_batch", "datasets.cifar10"),
        ("engine.saving", "load_model", "models"),
        ("engine.saving", "model_from_json", "models"),
        ("datasets.imdb", "get_file", "utils"),
        ("engine.network", "unpack_singleton", "utils.generic_utils"),
        ("engine.saving", "H5Dict", "utils"),
        ("engine.training_arrays", "make_batches", "engine.training_utils"),
        ("engine.training_generator", "OrderedEnqueuer", "utils"),
        ("layers.core", "has_arg", "utils.generic_utils"),
        ("legacy.layers", "MaxoutDense", "layers"),
        ("utils.multi_gpu_utils", "multi_gpu_model", "utils"),
    ],
)
def test_an_internal_module_has_the_objects_of_public_ones(module, name, public):
    one, other = (importlib.import_module(f"kconvert.keras.{place}") for place in (module, public))
    assert getattr(one, name) is getattr(other, name)


@pytest.mark.parametrize("folder", FOLDERS)
@pytest.mark.parametrize("on", ["theano", "tensorflow"])
def test_the_module_of_a_backend_is_keras_backend_where_that_backend_runs(folder, on, monkeypatch):
    package = DIALECTS[folder].package
    monkeypatch.setenv("KCONVERT_BACKEND", on)
    K, its = (importlib.import_module(f"{package}.backend{end}") for end in ("", f".{on}_backend"))
    assert its.zeros is K.zeros


@pytest.mark.needs("theano")
@pytest.mark.needs("tensorflow")
@pytest.mark.parametrize("folder", FOLDERS)
@pytest.mark.parametrize("on", ["theano", "tensorflow"])
def test_the_module_of_a_backend_computes_on_that_backend(folder, on, monkeypatch):
    monkeypatch.setenv("KCONVERT_BACKEND", on)
    x, kernel = np.random.default_rng(0).standard_normal((2, 5, 5, 3)), np.arange(24.0).reshape(2, 2, 3, 2)

    def outputs(name, kernel):
        K = importlib.import_module(f"{DIALECTS[folder].package}.backend.{name}_backend")
        given = K.placeholder((2, 5, 5, 3))
        function = K.function([given], [K.conv2d(given, K.variable(kernel))])
        (by_function,) = function([x])
        np.testing.assert_allclose(K.eval(K.conv2d(K.variable(x), K.variable(kernel))), by_function, rtol=1e-5)
        return K.backend(), by_function

    (first, reversing), (second, correlating) = outputs("theano", kernel), outputs("tensorflow", kernel[::-1, ::-1])
    assert (first, second) == ("theano", "tensorflow")
    np.testing.assert_allclose(reversing, correlating, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("folder", FOLDERS)
def test_the_module_of_a_backend_that_cannot_run_says_so(folder, monkeypatch):
    monkeypatch.setenv("KCONVERT_BACKEND", "numpy")
    missing = dataclasses.replace(backend.probe()["theano"], missing="it is not installed", fix="install it")
    monkeypatch.setitem(backend._PROBES, "theano", lambda: missing)
    module = importlib.import_module(f"{DIALECTS[folder].package}.backend.theano_backend")
    with pytest.raises(KconvertError, match="needs the backend theano, which cannot run here: it is not installed"):
        module.zeros  # noqa: B018


def test_a_function_without_symbols_follows_the_learning_phase(on):
    K = importlib.import_module("kconvert.keras.backend")
    function = K.function([K.learning_phase()], [K.in_train_phase(K.variable(1.0), K.variable(2.0))])
    assert [float(function([phase])[0]) for phase in (0, 1)] == [2.0, 1.0]
