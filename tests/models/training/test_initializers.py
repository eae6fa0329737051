"""Initializers: their statistics against real Keras, the fans, and algebraic properties."""

import numpy as np
import pytest

from kconvert import Sequential
from kconvert import layers as L
from kconvert.errors import KconvertError
from kconvert.layers.registry import LAYERS
from kconvert.models.training import initializers
from tests.models.training.keras_numbers import CASES, numbers


def rng():
    return np.random.default_rng(1)


@pytest.mark.parametrize("shape", [tuple(shape) for shape in CASES["fans"]], ids=str)
@pytest.mark.parametrize("name", CASES["scalings"])
def test_scalings_spread_as_those_of_keras(name, shape):
    """Our deviation is exact; that of 8 draws of Keras agrees within the error of so small a sample."""
    initializer = initializers.get(name)
    fan_in, fan_out = initializers.fans(shape)
    stddev = np.sqrt(initializer.scale / {"fan_in": fan_in, "fan_avg": (fan_in + fan_out) / 2}[initializer.mode])
    uniform = initializer.distribution == "uniform"
    bound = stddev * (np.sqrt(3) if uniform else 2 / initializers.TRUNCATED_STDDEV)
    draws, one = np.stack([initializer.values(shape, np.random.default_rng(i)) for i in range(400)]), np.prod(shape)
    assert draws.dtype == np.float32
    assert np.abs(draws).max() <= bound * (1 + 1e-6)
    assert np.isclose(draws.std(), stddev, rtol=3 / np.sqrt(400 * one))
    deviation, largest = numbers("tensorflow")[f"scalings/{name}/{'x'.join(map(str, shape))}"]
    assert np.isclose(deviation, stddev, rtol=3.5 / np.sqrt(8 * one))
    assert bound * (0.5 if one < 20 else 0.8) < largest <= bound * (1 + 1e-6)


def test_constant_ones():
    assert (initializers.get("zeros").values((2, 3), rng()) == 0).all()
    assert (initializers.get("one").values((2, 3), rng()) == 1).all()
    assert (initializers.Constant(0.3).values((2, 3), rng()) == np.float32(0.3)).all()
    assert initializers.Constant([1, 2, 3]).values((2, 3), rng()).tolist() == [[1, 2, 3]] * 2
    assert initializers.Identity(2).values((2, 3), rng()).tolist() == [[2, 0, 0], [0, 2, 0]]


def test_normal_and_uniform():
    normal, uniform = (initializers.get(name).values((200, 200), rng()) for name in ("normal", "uniform"))
    assert np.isclose(normal.std(), 0.05, rtol=0.02)
    assert abs(normal.mean()) < 0.001
    assert np.isclose(uniform.max(), 0.05, rtol=0.01)
    assert np.isclose(uniform.min(), -0.05, rtol=0.01)
    truncated = initializers.TruncatedNormal(3.0, 0.5).values((200, 200), rng())
    assert np.abs(truncated - 3).max() <= 1
    assert np.isclose(truncated.std(), 0.5 * initializers.TRUNCATED_STDDEV, rtol=0.02)


@pytest.mark.parametrize("shape", [(5, 5), (7, 3), (3, 7), (3, 3, 2, 8), (2, 2, 1, 9)])
def test_orthogonal(shape):
    matrix = initializers.Orthogonal(gain=2.0).values(shape, rng()).reshape(-1, shape[-1])
    product = matrix.T @ matrix if matrix.shape[0] >= matrix.shape[1] else matrix @ matrix.T
    assert np.allclose(product, 4 * np.eye(len(product)), atol=1e-5)


@pytest.mark.parametrize(("layer", "rows"), [(L.LSTM(3), 1), (L.CuDNNLSTM(3), 2)], ids=["LSTM", "CuDNNLSTM"])
def test_biases_of_forget_gates_start_at_one(layer, rows):
    bias = next(w for w in layer.weight_specs((None, 5, 2)) if w.name == "bias")
    values = initializers.get(bias.initializer).values(bias.shape, rng())
    assert values.reshape(rows, 4, 3)[-1].tolist() == [[0] * 3, [1] * 3, [0] * 3, [0] * 3]
    assert values.sum() == 3


def test_every_layer_has_known_initializers():
    named = {
        f"{cls.__name__}.{f.name}": f.default
        for cls in LAYERS.values()
        for f in cls.config_fields()
        if (f.name.endswith("initializer") or f.name == "init") and isinstance(f.default, str)
    }
    assert len(named) > 50
    assert all(isinstance(initializers.get(name), initializers.Initializer) for name in named.values())


def test_seeds():
    seeded = initializers.get({"class_name": "RandomNormal", "config": {"seed": 4}})
    again = initializers.RandomNormal(seed=4)
    first, second = seeded.values((3,), rng()), seeded.values((3,), rng())
    assert np.array_equal(first, again.values((3,), np.random.default_rng(2)))
    assert not np.array_equal(first, second), "each call takes the next seed"
    assert np.array_equal(second, initializers.RandomNormal(seed=5).values((3,), rng()))
    assert seeded == again and seeded.seed == 4
    one, generator = initializers.get("glorot_uniform"), rng()
    assert not np.array_equal(one.values((3,), generator), one.values((3,), generator))
    assert np.array_equal(one.values((3,), rng()), one.values((3,), rng()))


def test_an_orthogonal_matrix_with_a_seed_is_that_of_keras():
    """The values are of Keras 2.3.1, which draws them with NumPy on every backend."""
    first = [-0.4846117, 0.8370898, 0.2538348, -0.3614041, 0.07265376, -0.9295744, -0.7965793, -0.5422196, 0.2673188]
    found = initializers.Orthogonal(seed=7).values((3, 3), np.random.default_rng())
    assert np.allclose(np.abs(found.ravel()), np.abs(first), atol=1e-6)  # LAPACK decides on the signs


def test_the_base_class_draws_nothing():
    with pytest.raises(NotImplementedError):
        initializers.Initializer()((2,))
    assert (
        initializers.deserialize({"class_name": "Mine", "config": {}}, {"Mine": initializers.Ones})
        == initializers.Ones()
    )


def test_layers_with_one_seeded_initializer_have_other_weights():
    shared = initializers.RandomUniform(seed=3)
    layers = [L.Dense(4, input_shape=(4,), kernel_initializer=shared), L.Dense(4, kernel_initializer=shared)]
    model = Sequential([*layers, L.Dense(4, kernel_initializer=initializers.RandomUniform(seed=3))])
    model.start("numpy")
    first, _, second, _, third, _ = model.get_weights()
    assert not np.array_equal(first, second) and np.array_equal(first, third)


@pytest.mark.parametrize("name", initializers.INITIALIZERS.makers)
def test_configurations_round_trip(name):
    initializer = initializers.get(name)
    assert initializers.get(initializer.to_config()) == initializer


def test_configurations_of_other_releases_are_read():
    scaling = {"scale": 1.0, "mode": "fan_avg", "distribution": "truncated_normal", "seed": None, "dtype": "float32"}
    spec = {"class_name": "VarianceScaling", "config": scaling}
    assert initializers.get(spec) == initializers.get("GlorotNormal") == initializers.get("glorot_normal")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: initializers.get("glorot_unifrm"), "unknown initializer 'glorot_unifrm'; did you mean glorot_uniform"),
        (lambda: initializers.VarianceScaling(mode="fan"), "unknown mode 'fan' of VarianceScaling; one of: fan_in,"),
        (lambda: initializers.VarianceScaling(scale=0), "must be positive, not 0"),
        (lambda: initializers.Identity().values((2, 3, 4), rng()), "needs a shape of two axes, not (2, 3, 4)"),
        (
            lambda: initializers.Constant([1, 2]).values((3,), rng()),
            "a constant of shape (2,) cannot be broadcast to a weight of shape (3,)",
        ),
    ],
)
def test_invalid_arguments_are_refused(make, message):
    with pytest.raises(KconvertError) as error:
        make()
    assert message in str(error.value)
