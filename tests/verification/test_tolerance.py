"""What may differ by how much."""

import pytest

from kconvert import KconvertError
from kconvert.verification.tolerance import Tolerance


def test_allowed_is_a_part_of_the_scale_and_a_little():
    assert Tolerance(1.0, 0.5).allowed(4.0) == 3.0


@pytest.mark.parametrize(
    ("given", "loosened"),
    [
        (Tolerance(), False),
        (Tolerance(atol=1e-6, rtol=1e-6), False),
        (Tolerance(rtol=1e-3), True),
        (Tolerance(atol=1e-3), True),
        (Tolerance(layers={"a": 1e-3}), True),
        (Tolerance(layers={"a": 1e-5}), False),
    ],
)
def test_loosened_is_more_than_the_default_anywhere(given, loosened):
    assert given.loosened is loosened


def test_a_layers_own_tolerance_is_for_all_its_tensors():
    given = Tolerance(layers={"lstm": 0.1, "dense#1": 0.2})
    found = {name: given.of(name).rtol for name in ("lstm", "lstm#1", "lstm:2", "dense", "dense#1", "lstm2")}
    assert found == {"lstm": 0.1, "lstm#1": 0.1, "lstm:2": 0.1, "dense": 1e-4, "dense#1": 0.2, "lstm2": 1e-4}


def test_a_tolerance_for_no_layer_is_refused():
    Tolerance(layers={"a": 1.0, "b": 1.0, "b#1": 1.0}).check_layers(["a:1", "b#1"])
    with pytest.raises(KconvertError, match="names the unknown layer 'c'; its layers: a, b"):
        Tolerance(layers={"c": 1.0}).check_layers(["a:1", "b"])
    with pytest.raises(KconvertError, match="did you mean 'conv_1'"):
        Tolerance(layers={"conv1": 1.0}).check_layers(["dense", "conv_1"])


def test_it_says_itself():
    assert str(Tolerance(layers={"a": 0.5})) == "1e-05 + 0.0001 x scale; 0.5 x scale for a"
