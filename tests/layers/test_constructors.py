"""The constructors of layers: what `help` and editors show of them."""

import inspect

import pytest

from kconvert import layers as L

CLASSES = [cls for cls in (getattr(L, name) for name in L.__all__) if isinstance(cls, type)]


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
def test_the_signature_of_a_layer_has_no_fields_of_files(cls):
    parameters = inspect.signature(cls).parameters
    assert not cls.inner_fields & set(parameters)
    assert {"name", "trainable"} <= set(parameters)


def test_the_signature_of_a_layer_has_the_names_of_keras():
    assert list(inspect.signature(L.Dense).parameters)[:3] == ["units", "activation", "use_bias"]
    assert list(inspect.signature(L.Lambda).parameters)[:4] == ["function", "output_shape", "mask", "arguments"]


def test_the_signature_of_a_layer_of_the_user_is_that_of_its_constructor():
    class Scale(L.Layer):
        def __init__(self, factor, **kwargs):
            super().__init__(**kwargs)
            self.factor = factor

    assert list(inspect.signature(Scale).parameters) == ["factor", "kwargs"]
