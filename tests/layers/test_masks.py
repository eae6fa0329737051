"""Which layers take a masked input: those of Keras 2.3.1 that do not raise TypeError."""

import pytest

import kconvert as kc
from kconvert import Input
from kconvert import layers as L
from kconvert.errors import KconvertError

TAKING = {
    "BatchNormalization": L.BatchNormalization,
    "Bidirectional": lambda: L.Bidirectional(L.LSTM(2)),
    "Dense": lambda: L.Dense(2),
    "Dropout": lambda: L.Dropout(0.1),
    "GlobalAveragePooling1D": L.GlobalAveragePooling1D,
    "Lambda": lambda: L.Lambda(lambda x: x),
    "PReLU": L.PReLU,
    "Softmax": L.Softmax,
    "TimeDistributed": lambda: L.TimeDistributed(L.Dense(2)),
}
REFUSING = {
    "Conv1D": lambda: L.Conv1D(2, 2),
    "Cropping1D": lambda: L.Cropping1D(1),
    "Flatten": L.Flatten,
    "GlobalMaxPooling1D": L.GlobalMaxPooling1D,
    "LocallyConnected1D": lambda: L.LocallyConnected1D(2, 2),
    "MaxPooling1D": lambda: L.MaxPooling1D(2),
    "Permute": lambda: L.Permute((2, 1)),
    "Reshape": lambda: L.Reshape((6,)),
    "SeparableConv1D": lambda: L.SeparableConv1D(2, 2),
    "UpSampling1D": lambda: L.UpSampling1D(2),
    "ZeroPadding1D": lambda: L.ZeroPadding1D(1),
}


def masked():
    return L.Embedding(5, 2, mask_zero=True)(Input((3,), dtype="int32"))


@pytest.mark.parametrize("name", TAKING)
def test_layers_that_take_a_mask(name):
    TAKING[name]()(masked())
    kc.Sequential([L.Masking(input_shape=(3, 2)), TAKING[name]()])


@pytest.mark.parametrize("name", REFUSING)
def test_layers_that_refuse_a_mask_as_keras_does(name):
    refused = pytest.raises(TypeError, match=f"a {name} layer takes no mask, and the output of .* has one")
    with refused:
        REFUSING[name]()(masked())
    with refused:
        kc.Sequential([L.Masking(input_shape=(3, 2)), REFUSING[name]()])
    model = kc.Sequential([L.Masking(input_shape=(3, 2))])
    with refused:
        model.add(REFUSING[name]())
    assert len(model.layers) == 1


def test_a_mask_goes_through_layers_that_keep_it_and_ends_with_others():
    for kept in (L.Dense(4), L.LSTM(4, return_sequences=True), L.Bidirectional(L.GRU(2, return_sequences=True))):
        with pytest.raises(KconvertError, match="takes no mask"):
            L.Flatten()(kept(masked()))
    for ending in (L.Lambda(lambda x: x), L.GlobalAveragePooling1D(), L.LSTM(4), L.Bidirectional(L.GRU(2))):
        L.Reshape((-1, 2))(ending(masked()))


def test_a_layer_of_a_user_takes_a_mask_if_it_says_so():
    class Plain(L.Layer):
        def call(self, x, mask=None):
            return x

    class Keeping(Plain):
        supports_masking = True

    with pytest.raises(TypeError, match="Plain layer takes no mask"):
        Plain()(masked())
    Keeping()(masked())
