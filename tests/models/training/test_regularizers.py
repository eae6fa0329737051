"""Regularizers and constraints against real Keras 2.3.1, on every backend."""

import numpy as np
import pytest

from kconvert import Sequential
from kconvert.backend import get_backend
from kconvert.conventions.words.rules import RULES
from kconvert.errors import KconvertError
from kconvert.layers import Dense
from kconvert.models.training import constraints, regularizers
from tests.models.training.keras_numbers import CASES, data, differing, evaluate, numbers

GETTERS = {"regularizers": regularizers.get, "constraints": constraints.get}
COMPONENTS = {
    f"{kind}/{i}": get({"class_name": name, "config": config})
    for kind, get in GETTERS.items()
    for i, (name, config) in enumerate(CASES[kind])
}


def applied(component, K, w):
    """What a regularizer or a constraint makes of a tensor."""
    return component.penalty(K, w) if isinstance(component, regularizers.Regularizer) else component.constrained(K, w)


def test_values_are_those_of_keras(backend):
    w = data("values")[0]
    graphs = {
        key: lambda w, component=component: applied(component, backend, w) for key, component in COMPONENTS.items()
    }
    found = evaluate(backend, graphs, {key: [w] for key in graphs})
    assert not differing(found, numbers(backend.convention), rtol=1e-5)


def test_a_constraint_does_not_change_an_allowed_weight():
    """Applying a constraint twice is the same as once, except for the epsilon that is added to the norm."""
    K, w = get_backend("numpy"), data("values")[0]
    for key, component in COMPONENTS.items():
        if key.startswith("constraints") and getattr(component, "rate", 1.0) == 1.0:
            once = applied(component, K, w)
            assert np.allclose(applied(component, K, once), once, rtol=1e-5), component


def test_a_regularizer_without_factors_is_zero(backend):
    assert evaluate(backend, {"": lambda w: regularizers.L1L2().penalty(backend, w)}, {"": data("values")[:1]})[""] == 0


NAMES = {
    "l1": regularizers.L1L2(l1=0.01),
    "l1l2": regularizers.L1L2(0.01, 0.01),
    "activity_l2": regularizers.L1L2(l2=0.01),
    "L1L2": regularizers.L1L2(),
    "maxnorm": constraints.MaxNorm(),
    "nonneg": constraints.NonNeg(),
    "unit_norm": constraints.UnitNorm(),
    "min_max_norm": constraints.MinMaxNorm(),
}


@pytest.mark.parametrize("name", NAMES)
def test_names_of_all_releases(name):
    get = regularizers.get if isinstance(NAMES[name], regularizers.Regularizer) else constraints.get
    assert get(name) == NAMES[name]


@pytest.mark.parametrize("key", COMPONENTS)
def test_configurations_round_trip(key):
    assert GETTERS[key.split("/")[0]](COMPONENTS[key].to_config()) == COMPONENTS[key]


def test_configurations_of_keras_1_are_read_as_they_stand_in_its_files():
    dense = next(rule for rule in RULES if rule.new == "Dense")
    read = {key.old: key.read for key in dense.keys}
    regularizer = read["W_regularizer"]({"name": "WeightRegularizer", "l1": 0.0, "l2": 0.05})
    assert regularizers.get(regularizer) == regularizers.L1L2(l2=0.05)
    constraint = read["W_constraint"]({"name": "MaxNorm", "m": 3, "axis": 0})
    assert constraints.get(constraint) == constraints.MaxNorm(3)


def test_functions_are_accepted():
    def halved(K, w):
        return w / 2

    K, w = get_backend("numpy"), np.array([4.0])
    assert constraints.get(halved).constrained(K, w) == constraints.get(lambda w: w / 2).constrained(K, w) == 2
    assert constraints.get(None) is None


@pytest.mark.parametrize(
    ("get", "spec", "message"),
    [
        (regularizers.get, "l3", "unknown regularizer 'l3'; one of: l1, l2, l1_l2"),
        (constraints.get, "max_nrm", "unknown constraint 'max_nrm'; did you mean MaxNorm"),
        (constraints.get, {"class_name": "UnitNorm", "config": {"axes": 1}}, "no argument 'axes'; did you mean axis"),
        (constraints.get, 3, "unknown constraint 3; give a name"),
    ],
)
def test_unknown_names_are_refused(get, spec, message):
    with pytest.raises(KconvertError) as error:
        get(spec)
    assert message in str(error.value)


class Halved(constraints.Constraint):
    """A constraint of the user without a configuration, as in Keras."""

    def __call__(self, w):
        return w / 2.0


def test_a_class_of_the_user_without_a_configuration():
    assert constraints.serialize(Halved()) == {"class_name": "Halved", "config": {}}
    known = {"Halved": Halved}
    for registry in (regularizers, constraints):
        assert registry.deserialize(None, known) is None
    found = constraints.deserialize({"class_name": "Halved", "config": {}}, known)
    model = Sequential([Dense(1, kernel_constraint=Halved(), kernel_initializer="ones", input_shape=(1,))])
    model.compile("sgd", "mse")
    model.train_on_batch(np.ones((1, 1)), np.ones((1, 1)))
    assert model.get_weights()[0][0, 0] == 0.5 and float(found(np.float32(1.0)).eval()) == 0.5


def test_the_base_classes_change_nothing():
    assert float(constraints.Constraint()(np.float32(2.0)).eval()) == 2.0
    assert float(regularizers.Regularizer()(np.float32(2.0)).eval()) == 0.0
