"""EinsumDense, compared with NumPy."""

import numpy as np
import pytest

from kconvert.errors import KconvertError
from kconvert.layers import EinsumDense

RANDOM = np.random.default_rng(0)
EQUATIONS = [
    ("bi,io->bo", (4,), (2, 3), "o", (3, 4)),
    ("bti,io->bto", (None, 4), (2, 5, 3), "o", (3, 4)),
    ("bpk,pko->bpo", (3, 4), (2, 3, 5), "po", (3, 5, 4)),
    ("bhwk,hwko->bhwo", (2, 3, 4), (2, 2, 3, 5), "hwo", (2, 3, 5, 4)),
    ("bi,fio->bfo", (3, 4), (2, 5), "fo", (3, 5, 4)),
    ("bhwc,c->bhwc", (2, 3, 4), (2, 2, 3, 4), "c", (4,)),
    ("bhw,w->bhw", (3, 4), (2, 3, 4), "h", (4,)),
    ("bic,ji->bjc", (5, 3), (2, 4, 3), None, (5, 4)),
    ("...i,io->...o", 4, (2, 5, 6, 3), "o", (3, 4)),
    ("...ij,jo->...io", (None, 4), (2, 5, 3), "o", (3, 4)),
    ("bi...,io->bo...", (4,), (2, 3, 5), "o", (3, 4)),
]


@pytest.mark.parametrize(("equation", "sizes", "shape", "bias_axes", "kernel"), EQUATIONS)
def test_it_computes_the_equation(equation, sizes, shape, bias_axes, kernel, run):
    layer = EinsumDense(equation, sizes, bias_axes=bias_axes)
    weights = {w.name: RANDOM.standard_normal(w.shape).astype("float32") for w in layer.weight_specs(shape)}
    assert weights["kernel"].shape == kernel
    x = RANDOM.standard_normal(shape).astype("float32")
    expected = np.einsum(equation, x, weights["kernel"])
    expected = expected + weights["bias"] if bias_axes else expected
    np.testing.assert_allclose(run(layer, x, **weights), expected, atol=1e-5)


def test_an_axis_on_the_right_of_the_first_one_of_a_bias_has_size_1_in_it():
    layer = EinsumDense("bhw,w->bhw", (3, 4), bias_axes="h")
    assert [weight.shape for weight in layer.weight_specs((None, 3, 4))] == [(4,), (3, 1)]


@pytest.mark.parametrize(
    "equation", ["bi,io", "bii,io->bo", "...i,io->o...", "...i,io->bo", "bi,io->ob", "bi,io->bx", "bi,bio->bo", "b"]
)
def test_an_equation_that_is_none_of_it_is_refused(equation):
    with pytest.raises(KconvertError, match="the equation"):
        EinsumDense(equation, (4,))


def test_sizes_that_do_not_fit_are_refused():
    with pytest.raises(KconvertError, match=r"output_shape \(3, 4\) does not fit"):
        EinsumDense("bi,io->bo", (3, 4))
    with pytest.raises(KconvertError, match="which does not fit the equation"):
        EinsumDense("bi,io->bo", (4,)).weight_specs((None, 2, 3))
    with pytest.raises(KconvertError, match="needs to know axis 1"):
        EinsumDense("bi,io->bo", (4,)).weight_specs((None, None))


def test_configuration_round_trips():
    config = EinsumDense("bi,io->bo", (4,), "relu", "o", name="some").stored_config()
    assert EinsumDense.from_config(config).stored_config() == config
