"""The note on averages that Keras 3 on torch computes otherwise; the numbers of the three backends decide."""

import pytest

from kconvert import layers as L
from kconvert.conversion.passes.on_torch import notes_on_torch
from kconvert.network.sequential import Sequential

POOLINGS = {1: L.AveragePooling1D, 2: L.AveragePooling2D, 3: L.AveragePooling3D}


# image, window, stride: measured in Keras 3.15.1 with torch 2.13, beside TensorFlow
@pytest.mark.parametrize(
    ("image", "window", "stride", "differs"),
    [
        ((7,), 2, 1, False),
        ((7,), 3, 1, False),
        ((7,), 3, 2, False),
        ((7,), 4, 1, True),
        ((7,), 4, 2, True),
        ((7, 8), (2, 2), 1, False),
        ((7, 8), (2, 2), 2, False),
        ((7, 8), (2, 3), 1, True),
        ((7, 8), (2, 3), 2, True),
        ((7, 8), (3, 2), 1, True),
        ((7, 8), (3, 2), 2, False),
        ((7, 8), (3, 3), 1, False),
        ((7, 8), (3, 3), 2, True),
        ((4, 5, 4), (2, 2, 2), 1, False),
        ((4, 5, 4), (2, 3, 2), 1, True),
        ((4, 5, 4), (3, 3, 3), 1, False),
        ((None, 8), (3, 3), 2, True),
    ],
)
def test_averages_of_unequal_padding_are_named(image, window, stride, differs):
    pooling = POOLINGS[len(image)](window, strides=stride, padding="same", name="mean", input_shape=(*image, 2))
    notes = notes_on_torch(Sequential([pooling])).notes
    assert bool(notes) == differs
    assert all(note.startswith("mean: Keras 3 on torch") for note in notes)


@pytest.mark.parametrize("layer", [L.AveragePooling2D(3, padding="valid"), L.MaxPooling2D((2, 3), 1, padding="same")])
def test_other_poolings_are_not_named(layer):
    assert not notes_on_torch(Sequential([L.InputLayer(input_shape=(7, 8, 2)), layer])).notes
