"""`keras.utils.test_utils` of Keras 1.2.2."""

import numpy as np
import pytest
from kconvert.keras1.utils.test_utils import get_test_data, keras_test, layer_test

from kconvert.errors import KconvertError
from kconvert.keras1 import layers


@pytest.mark.shows("utils.test_utils.layer_test", of="keras1")
@pytest.mark.parametrize(
    ("layer", "arguments", "shape"),
    [
        (layers.Dense, {"output_dim": 3}, (None, 4)),
        (layers.Convolution2D, {"nb_filter": 2, "nb_row": 2, "nb_col": 3, "dim_ordering": "th"}, (2, 3, 5, 6)),
        (layers.LSTM, {"output_dim": 3, "return_sequences": True}, (2, 4, 3)),
        (layers.Lambda, {"function": lambda x: x + 1}, (3, 2)),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
@pytest.mark.parametrize("fixed", [False, True])
def test_layer_test_gives_the_output(on, layer, arguments, shape, fixed):
    shape = tuple(n or 2 for n in shape) if fixed else shape
    output = layer_test(layer, arguments, shape, fixed_batch_size=fixed)
    assert output.shape[1:] == layer(**arguments).get_output_shape_for(shape)[1:]


def test_layer_test_refuses_other_values():
    with pytest.raises(KconvertError, match="output has other values"):
        layer_test(layers.Activation, {"activation": "relu"}, (2, 3), expected_output=np.full((2, 3), -1.0))


@pytest.mark.shows("utils.test_utils.get_test_data", "utils.test_utils.keras_test", of="keras1")
def test_get_test_data_and_keras_test():
    (x, y), (x_test, y_test) = get_test_data(nb_train=6, nb_test=2, input_shape=(3,), nb_class=4)
    assert (x.shape, y.shape, x_test.shape, y_test.shape) == ((6, 3), (6,), (2, 3), (2,)) and y.max() < 4
    assert keras_test(len) is len


def test_the_numbers_of_a_regression_are_those_of_keras_1_2_2():
    """Each sample draws its inputs, and then its labels."""
    np.random.seed(1)
    _, (_, y) = get_test_data(5, 2, (3,), (2,), classification=False)
    np.testing.assert_allclose(y, [[-0.64844, 0.55174], [-0.24891, 0.37926]], atol=1e-5)
