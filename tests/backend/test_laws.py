"""The law of backends: the same arrays through a framework and through NumPy in its part give the same numbers."""

import numpy as np
import pytest

from kconvert.backend import InputSpec, get_backend
from kconvert.errors import KconvertError
from tests.backend.cases import GROUPS, PRODUCTS, Case, run

# Every fifth case of a product of options is enough for each pair of options: the numbers of options are 2 and 3.
STEPS = [
    *((group, 5 if group in PRODUCTS else 1) for group in GROUPS),
    *(pytest.param(group, 1, marks=pytest.mark.long) for group in PRODUCTS),
]


@pytest.mark.parametrize(("group", "step"), STEPS)
def test_framework_and_numpy_agree(framework, group, step):
    cases = list(GROUPS[group](framework.convention))[::step]
    expected, _ = run(get_backend("numpy", framework.convention), cases)
    outputs, known = run(framework, cases)
    wrong = []
    for case in cases:
        y, reference = outputs[case.name], expected[case.name]
        same = y.shape == reference.shape and y.dtype == reference.dtype
        if not same or not np.allclose(y, reference, rtol=1e-4, atol=1e-5):
            wrong.append(f"{case.name}: {y.dtype} {y.shape}, expected {reference.dtype} {reference.shape}")
        elif any(isinstance(n, int) and n != m for n, m in zip(known[case.name], reference.shape, strict=True)):
            wrong.append(f"{case.name}: said to be {known[case.name]}, is {reference.shape}")
    assert not wrong, "\n".join(wrong)


# `conv` in 1D of x 1 2 3 4 5 6 with the kernel 1 10 100, by (convention, padding, stride).
BY_HAND = {
    ("theano", "valid", 1): [123, 234, 345, 456],
    ("tensorflow", "valid", 1): [321, 432, 543, 654],
    ("theano", "same", 1): [12, 123, 234, 345, 456, 560],
    ("tensorflow", "same", 1): [210, 321, 432, 543, 654, 65],
    ("theano", "same", 2): [12, 234, 456],
    ("tensorflow", "same", 2): [321, 543, 65],
}


@pytest.mark.parametrize(("padding", "stride"), [("valid", 1), ("same", 1), ("same", 2)])
def test_each_convention_has_its_kernels_and_its_padding(backend, padding, stride):
    x = np.arange(1, 7, dtype="float32").reshape(1, 6, 1)
    kernel = np.array([1, 10, 100], "float32").reshape(3, 1, 1)
    y = only(backend, lambda K, x, w: K.conv(x[0], w[0], (stride,), padding, "channels_last", (1,)), x, kernel)
    assert y.ravel().tolist() == BY_HAND[backend.convention, padding, stride]


def test_average_leaves_the_padding_out(backend):
    x = np.array([2, 4, 8], "float32").reshape(1, 3, 1)
    y = only(backend, lambda K, x, w: K.pool(x[0], (2,), (1,), "same", "channels_last", "average"), x)
    assert y.ravel().tolist() == {"theano": [2, 3, 6], "tensorflow": [3, 6, 8]}[backend.convention]


def test_depthwise_is_a_correlation_everywhere(backend):
    x = np.array([1, 2, 3, 4], "float32").reshape(1, 4, 1)
    kernel = np.array([1, 10], "float32").reshape(2, 1, 1)
    y = only(backend, lambda K, x, w: K.depthwise_conv(x[0], w[0], (1,), "valid", "channels_last", (1,)), x, kernel)
    assert y.ravel().tolist() == [21, 32, 43]


def test_masked_steps_repeat_the_output_and_keep_the_states(backend):
    x = np.array([[1, 10, 100], [1, 10, 100]], "float32").reshape(2, 3, 1)
    mask = np.array([[0, 1, 0], [1, 0, 1]], "bool")

    def sums(K, x, w):
        states = [K.zeros((K.shape(x[0])[0], 1))]
        return K.rnn(lambda x_t, s: (x_t + s[0], [x_t + s[0]]), x[0], states, K.greater(x[1], 0))[1]

    y = only(backend, sums, (x, mask.astype("float32")))
    assert y[:, :, 0].tolist() == [[0, 10, 10], [1, 1, 101]]


def test_what_keras_refuses_on_a_framework_is_refused(framework):
    """An even kernel in a transposed 'same' convolution, bilinear factors other than 2; TensorFlow: 'full'."""
    refused = {
        "theano": [
            lambda K, x, w: K.conv_transpose(x[0], w[0], (4, 4), (1, 1), "same", "channels_last", (1, 1)),
            lambda K, x, w: K.resize_bilinear(x[0], (2, 3), "channels_last"),
        ],
        "tensorflow": [lambda K, x, w: K.conv(x[0], w[0], (1, 1), "full", "channels_last", (1, 1))],
    }
    for build in refused[framework.name]:
        with pytest.raises(KconvertError):
            run(framework, [Case("refused", build, ((4, 4, 1),), ((2, 2, 1, 1),))])


def only(K, build, inputs, *weights):
    """The one output of `build`, for these arrays."""
    inputs = inputs if isinstance(inputs, tuple) else (inputs,)
    specs = [InputSpec((None, *x.shape[1:])) for x in inputs]
    variables = [K.variable(np.asarray(w, "float32")) for w in weights]
    return K.compile_reading(lambda w, x: [build(K, x, w)], specs, variables)(inputs)[0]
