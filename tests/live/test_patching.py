"""old_files: Keras 3 and tf_keras themselves load old files, and only while it is in force."""

from importlib import import_module

import h5py
import numpy as np
import pytest

import kconvert as kc
from conformance.live import spoil
from tests.fixtures import case

from .conftest import error

NAME = "1.2.2-theano/lenet_th"


@pytest.fixture(autouse=True)
def undone():
    yield
    kc.disable()


def functions(library):
    return library.models.load_model, library.Model.load_weights


def test_load_model_converts_old_files(library, computed):
    with kc.old_files("theano"):
        model = library.models.load_model(case(NAME).model)
    assert error(model, computed(NAME, library)) < 1e-4


@pytest.mark.parametrize(
    ("module", "package"),
    [("tensorflow.keras.models", "keras"), ("tf_keras.api._v2.keras.models", "tf_keras")],
)
def test_a_function_that_is_imported_within_the_block_from_tf_keras_of_tensorflow(module, package, computed):
    library = import_module(package)
    with kc.old_files("theano"):
        load_model = import_module(module).load_model
        model = load_model(case(NAME).model)
    assert error(model, computed(NAME, library)) < 1e-4
    with pytest.raises((TypeError, ValueError)) as raised:  # outside it is the library's own
        load_model(case(NAME).model)
    assert not isinstance(raised.value, kc.KconvertError)


def test_load_weights_converts_old_files(library, computed):
    """Keras itself takes the kernels of Theano as they are, which is silently wrong."""
    arrays = computed(NAME, library)
    model = kc.load_model(case(NAME).model, source="theano", runner=library.__name__)
    spoil(model)
    with kc.old_files("theano"):
        model.load_weights(case(NAME).model)
    assert error(model, arrays) < 1e-4


def test_files_of_the_library_are_its_own(library, tmp_path):
    L = library.layers
    model = library.Sequential([L.InputLayer((4,)), L.Dense(3)])
    paths = [tmp_path / "model.keras", tmp_path / "model.h5"]
    for path in paths:
        model.save(path)
    model.save_weights(tmp_path / "w.weights.h5")
    with kc.old_files():
        for path in paths:
            again = library.models.load_model(path)
            np.testing.assert_array_equal(again.get_weights()[0], model.get_weights()[0])
        spoil(again)
        again.load_weights(tmp_path / "w.weights.h5")
    np.testing.assert_array_equal(again.get_weights()[0], model.get_weights()[0])


def test_the_functions_of_the_library_come_back(library):
    own = functions(library)
    with pytest.raises(ZeroDivisionError), kc.old_files():
        with kc.old_files():
            assert functions(library) != own
        assert functions(library) != own  # the outer block is in force still
        raise ZeroDivisionError
    assert functions(library) == own
    kc.enable()
    kc.enable()
    assert functions(library) != own
    kc.disable()
    assert functions(library) == own


def test_files_that_are_neither_get_the_error_of_the_library(library, tmp_path):
    (tmp_path / "x.h5").write_bytes(b"no file of Keras")
    with kc.old_files():
        for path in (tmp_path / "x.h5", tmp_path / "absent.keras"):
            with pytest.raises((OSError, ValueError)):
                library.models.load_model(path)


def test_the_innermost_block_says_the_source(library, computed):
    """A file that does not state its backend is never read as the one that an outer block named."""
    arrays = computed(NAME, library)
    kc.enable("tensorflow")
    with kc.old_files("theano"):
        assert error(library.models.load_model(case(NAME).model), arrays) < 1e-4
    assert error(library.models.load_model(case(NAME).model), arrays) > 1e-2


def test_blocks_may_end_in_any_order(library):
    """Two threads leave their blocks in the order in which they came."""
    own = functions(library)
    first, second = kc.old_files(), kc.old_files()
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    assert functions(library) != own
    second.__exit__(None, None, None)
    assert functions(library) == own


def test_an_old_file_that_cannot_be_read_is_not_given_to_the_library(library, tmp_path):
    """The library would take the arrays of Theano as they are."""
    copy = tmp_path / "copy.h5"
    copy.write_bytes(case(NAME).model.read_bytes())
    with h5py.File(copy, "r+") as file:
        file["model_weights"].attrs["layer_names"] = [b"absent"]
    with kc.old_files("theano"), pytest.raises(kc.KconvertError):
        library.models.load_model(copy)


def test_an_old_file_that_is_open_is_converted(library, computed):
    """tf_keras takes such a file, and would take the arrays of Theano as they are."""
    arrays = computed(NAME, library)
    with kc.old_files("theano"), h5py.File(case(NAME).model, "r") as file:
        model = library.models.load_model(file)
        assert error(model, arrays) < 1e-4
        spoil(model)
        model.load_weights(file)
        assert error(model, arrays) < 1e-4


def test_options_of_the_library(library):
    with kc.old_files("theano"):
        library.models.load_model(case(NAME).model, safe_mode=True)
        with pytest.raises(kc.KconvertError, match="no option sharded"):
            library.models.load_model(case(NAME).model, sharded=True)
        model = library.models.load_model(case(NAME).model)
        with pytest.raises(kc.KconvertError, match="needs by_name"):
            model.load_weights(case(NAME).model, skip_mismatch=True)
