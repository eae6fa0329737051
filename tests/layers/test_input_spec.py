"""InputSpec: what a layer of the user accepts as an input."""

import pytest
from kconvert.keras.layers import InputSpec

import kconvert as kc
from kconvert import layers
from kconvert.errors import KconvertError
from kconvert.layers import Input, Layer


class Checked(Layer):
    def __init__(self, spec, **kwargs):
        super().__init__(**kwargs)
        self.input_spec = spec

    def call(self, x):
        return x if not isinstance(x, list) else x[0]


@pytest.mark.parametrize(
    ("spec", "shape", "why"),
    [
        (InputSpec(ndim=3), (4,), "3 axes"),
        (InputSpec(min_ndim=3), (4,), "at least 3"),
        (InputSpec(max_ndim=2), (4, 5), "at most 2"),
        (InputSpec(shape=(None, 4)), (5,), "axis 1 has the size 4"),
        (InputSpec(axes={-1: 4}), (4, 5), "axis -1 has the size 4"),
        (InputSpec(axes={3: 4}), (4,), "no axis 3"),
    ],
)
def test_what_does_not_fit_is_refused(spec, shape, why):
    with pytest.raises(KconvertError, match=why) as refused:
        Checked(spec, name="c")(Input(shape))
    assert refused.value.where == "layer c"


@pytest.mark.parametrize(
    "spec", [InputSpec(ndim=2), InputSpec(shape=(None, 4)), InputSpec(min_ndim=2, axes={-1: 4, 0: None}), None]
)
def test_what_fits_is_accepted(spec):
    x = Input((4,))
    assert kc.Model(x, Checked(spec)(x)).output_shape == (None, 4)


def test_each_input_has_its_own():
    x, y = Input((4,)), Input((5,))
    layer = Checked([InputSpec(shape=(None, 4)), InputSpec(shape=(None, 5))])
    assert layer([x, y]).shape == (None, 4)
    with pytest.raises(KconvertError, match="does not accept"):
        layer([y, x])


AXES = {
    "UpSampling1D": 3,
    "UpSampling2D": 4,
    "UpSampling3D": 5,
    "ZeroPadding1D": 3,
    "ZeroPadding2D": 4,
    "ZeroPadding3D": 5,
    "Cropping1D": 3,
    "Cropping2D": 4,
    "Cropping3D": 5,
    "GlobalMaxPooling1D": 3,
    "GlobalMaxPooling2D": 4,
    "GlobalMaxPooling3D": 5,
    "GlobalAveragePooling1D": 3,
    "GlobalAveragePooling2D": 4,
    "GlobalAveragePooling3D": 5,
    "SpatialDropout1D": 3,
    "SpatialDropout2D": 4,
    "SpatialDropout3D": 5,
    "SimpleRNN": 3,
    "GRU": 3,
    "LSTM": 3,
}
"""The `ndim` of the input_spec of layers, in Keras 2.3.1."""


@pytest.mark.parametrize("name", AXES)
def test_layers_take_as_many_axes_as_in_keras(name):
    given = (3,) if name in ("SimpleRNN", "GRU", "LSTM") else (0.5,) if name.startswith("SpatialDropout") else ()
    layer = getattr(layers, name)(*given, name="one")
    for axes in range(2, 7):
        x = Input((9,) * (axes - 1))
        if axes == AXES[name]:
            assert layer(x).shape[0] is None
        else:
            with pytest.raises(KconvertError, match=f"a {name} layer does not accept an input of shape"):
                getattr(layers, name)(*given)(x)


def test_a_layer_says_whether_it_accepts_an_input():
    """`assert_input_compatibility` of Keras 2.3.1."""
    layer = Checked(InputSpec(ndim=3))
    assert layer.assert_input_compatibility(Input((4, 5))) is None
    with pytest.raises(ValueError, match="3 axes"):
        layer.assert_input_compatibility(Input((4,)))
    with pytest.raises(ValueError, match="takes one input, not 2"):
        layers.Dense(2).assert_input_compatibility([Input((4,)), Input((4,))])


@pytest.mark.parametrize(
    ("layer", "shape", "axes"),
    [
        (layers.PReLU(), (3, 4), {}),
        (layers.PReLU(shared_axes=[1]), (3, 4), {2: 4}),
        (layers.DepthwiseConv2D(3), (5, 6, 2), {3: 2}),
        (layers.Permute((2, 1)), (3, 4), {}),
    ],
)
def test_what_layers_show_as_input_spec(layer, shape, axes):
    """As in Keras 2.3.1."""
    layer(Input(shape))
    assert (layer.input_spec.ndim, layer.input_spec.axes) == (len(shape) + 1, axes)
