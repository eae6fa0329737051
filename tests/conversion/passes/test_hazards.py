"""A hazard is reported exactly where the two backends compute different numbers for the same weights."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from kconvert import KconvertError
from kconvert import layers as L
from kconvert.backend import get_backend
from kconvert.conventions.backends import BACKENDS, CHANNELS_FIRST, DATA_FORMATS
from kconvert.conversion.passes.hazards import hazards
from kconvert.conversion.passes.repair import repair
from kconvert.layers.component_names import unchecked
from kconvert.models.sequential import as_model
from kconvert.network.graph import Node, Ref
from kconvert.network.network import Network
from kconvert.network.sequential import Sequential
from tests.architectures import checkpoint_of, random_inputs, random_weights
from tests.conversion.test_binding import K2, arrays_for

laws = settings(max_examples=300, deadline=None, derandomize=True)
KINDS = {
    "conv": lambda rank: getattr(L, f"Conv{rank}D"),
    "max": lambda rank: getattr(L, f"MaxPooling{rank}D"),
    "average": lambda rank: getattr(L, f"AveragePooling{rank}D"),
    "transposed": lambda rank: getattr(L, f"Conv{rank}DTranspose"),
    "depthwise": lambda rank: L.DepthwiseConv2D,
    "separable": lambda rank: getattr(L, f"SeparableConv{rank}D"),
}


def on_both(model, seed=0):
    """The outputs of one set of canonical weights, on NumPy in both parts."""
    weights = random_weights(model, seed)
    x = random_inputs(model)
    found = []
    for name in ("theano", "tensorflow"):
        checkpoint = checkpoint_of(model, weights, K2[name])
        running = as_model(model).bind(get_backend("numpy", name), arrays_for(model, checkpoint, K2[name], K2[name]))
        found.append(running.predict(x if len(x) > 1 else x[0]))
    return found


def differ(model):
    x, y = on_both(model)
    return x.shape != y.shape or not np.allclose(x, y, rtol=1e-4, atol=1e-5)


@st.composite
def windows(draw):
    """One layer with windows, on inputs of one to three spatial axes."""
    rank = draw(st.integers(1, 3))
    kinds = [kind for kind in KINDS if (rank == 2 or kind != "depthwise") and not (rank == 1 and kind == "transposed")]
    kind = draw(st.sampled_from([kind for kind in kinds if not (kind == "separable" and rank == 3)]))
    form = draw(st.sampled_from(DATA_FORMATS)) if rank > 1 else "channels_last"
    window = tuple(draw(st.integers(1, 5)) for _ in range(rank))
    strides = tuple(draw(st.integers(1, 3)) for _ in range(rank))
    sizes = tuple(draw(st.integers(3, 9)) for _ in range(rank))
    options = {"padding": draw(st.sampled_from(["same", "same", "valid"])), "data_format": form, "name": "w"}
    if kind in ("depthwise", "separable"):
        strides = strides[:1] * rank
    if kind in ("conv", "transposed") and rank < 3 and draw(st.booleans()):
        options["dilation_rate"], strides = tuple(draw(st.integers(1, 2)) for _ in range(rank)), (1,) * rank
    args = {"conv": (3,), "transposed": (2,), "separable": (3,)}.get(kind, ())
    layer = KINDS[kind](rank)(*args, window, strides=strides, **options)
    shape = (2, *sizes) if form == CHANNELS_FIRST else (*sizes, 2)
    layer.batch_input_shape = (None, *shape)
    assume(all(size is None or size > 0 for size in layer.compute_output_shape(layer.batch_input_shape)[1:]))
    return Sequential([layer], name="m")


@laws
@given(windows())
def test_a_hazard_is_where_the_backends_differ(model):
    found = hazards(model, "theano", "tensorflow")
    assert bool(found) == differ(model), (model.sublayers[0].stored_config(), model.input_shapes, found)


@laws
@given(windows())
def test_hazards_do_not_depend_on_the_direction_and_none_is_at_home(model):
    there, back = hazards(model, "theano", "tensorflow"), hazards(model, "tensorflow", "theano")
    assert [hazard.path for hazard in there] == [hazard.path for hazard in back]
    for name in BACKENDS:
        assert hazards(model, name, name) == []


def chain(layer, *shape):
    layer.name, layer.batch_input_shape = "w", (None, *shape)
    return Sequential([layer])


def test_it_says_where_and_why():
    (found,) = hazards(chain(L.MaxPooling2D(2, padding="same"), 7, 8, 3), "theano", "tensorflow")
    assert str(found) == (
        "w (MaxPooling2D): padding='same' puts 1 before the first element on theano, 0 on tensorflow "
        "(size 7, window 2, stride 2)"
    )


@pytest.mark.parametrize(
    "layer",
    [L.Conv2D(2, 3, padding="same"), L.MaxPooling2D(3, strides=1, padding="same"), L.Conv2D(2, 2, padding="valid")],
)
def test_sizes_that_are_not_known_yet_are_no_hazard_where_any_size_is_the_same(layer):
    assert hazards(chain(layer, None, None, 3), "theano", "tensorflow") == []


def test_sizes_that_are_not_known_yet_are_one_where_some_size_differs():
    (found,) = hazards(chain(L.Conv2D(2, 3, strides=2, padding="same"), None, 8, 3), "theano", "tensorflow")
    assert "(size unknown, window 3, stride 2)" in str(found) or "(size 8, window 3, stride 2)" in str(found)


@pytest.mark.parametrize(
    "layer",
    [
        L.Conv2D(2, (3, 1), padding="full"),
        L.Conv2DTranspose(2, (3, 2), strides=(2, 1), padding="full"),
        L.Conv2D(2, (2, 3), dilation_rate=2, padding="full"),
    ],
    ids=lambda layer: layer.class_name,
)
@pytest.mark.parametrize(("source", "target"), [("theano", "tensorflow"), ("tensorflow", "theano")])
def test_full_padding_is_on_theano_alone(layer, source, target):
    (found,) = hazards(chain(layer, 7, 8, 3), source, target)
    said = {
        "theano": str((layer.kernel_size[0] - 1) * layer.dilation_rate[0]),
        "tensorflow": "nothing (it does not exist)",
    }
    assert f"padding='full' puts {said[source]} before the first element on {source}, {said[target]} on" in found.why
    assert hazards(chain(layer, None, None, 3), source, target), "whatever the size"


@pytest.mark.parametrize(
    ("layer", "pieces"),
    [
        (L.Conv1D(2, 3, padding="full"), ["ZeroPadding1D", "Conv1D"]),
        (L.Conv2D(2, (3, 2), strides=(2, 1), padding="full"), ["ZeroPadding2D", "Conv2D"]),
        (L.Conv3D(2, 2, dilation_rate=2, padding="full"), ["ZeroPadding3D", "Conv3D"]),
        (L.Conv2DTranspose(2, (3, 2), strides=(2, 1), padding="full"), ["Conv2DTranspose", "Cropping2D"]),
    ],
    ids=lambda value: value.class_name if isinstance(value, L.Layer) else "",
)
def test_full_padding_is_repaired_exactly(layer, pieces):
    model = chain(layer, *(9, 7, 8)[: len(layer.kernel_size)], 3)
    done = repair(model, "theano", K2["tensorflow"]).model
    assert [type(one).__name__ for one in done.sublayers] == pieces
    assert hazards(done, "theano", "tensorflow") == []
    assert_same_outputs(model, done)


@pytest.mark.parametrize("rate", [1, 2])
def test_causal_padding_in_channels_first_is_spelled_out(rate):
    with unchecked():  # Keras refuses to make it; a file may have it
        layer = L.Conv1D(4, 3, padding="causal", dilation_rate=rate, data_format=CHANNELS_FIRST, name="w")
    model = chain(layer, 3, 9)
    (found,) = hazards(model, "theano", "tensorflow")
    assert found.why == "Keras has padding='causal' in channels_last alone"
    done = repair(model, "theano", K2["tensorflow"]).model
    assert [type(one).__name__ for one in done.sublayers] == ["Permute", "ZeroPadding1D", "Permute", "Conv1D"]
    assert done.sublayers[-1].padding == "valid"
    assert_same_outputs(model, done)


def assert_same_outputs(model, done):
    assert done.compute_output_shape(done.input_shapes[0]) == model.compute_output_shape(model.input_shapes[0])
    x, weights = random_inputs(model), random_weights(model, 0)
    ours, theirs = (
        as_model(one).bind(
            get_backend("numpy"),
            arrays_for(one, checkpoint_of(one, weights, K2["tensorflow"]), *(K2["tensorflow"],) * 2),
        )
        for one in (model, done)
    )
    np.testing.assert_allclose(ours.predict(x[0]), theirs.predict(x[0]), rtol=1e-5, atol=1e-5)


def test_what_the_source_cannot_have_computed_is_refused():
    model = chain(L.Conv2DTranspose(2, 2, padding="same"), 7, 8, 3)
    with pytest.raises(
        KconvertError, match=r"layer w: theano has no Conv2DTranspose with padding='same' and kernel_size"
    ):
        repair(model, "theano", K2["tensorflow"])


@pytest.mark.parametrize(("size", "layers"), [((4, 4), ["UpSampling2D"] * 2), ((1, 1), ["Activation"])])
def test_bilinear_enlarging_by_powers_of_two_goes_step_by_step(size, layers):
    model = chain(L.UpSampling2D(size, interpolation="bilinear"), 4, 5, 2)
    (found,) = hazards(model, "tensorflow", "theano")
    assert found.why == f"theano enlarges bilinearly by (2, 2) only, not by {size}"
    done = repair(model, "tensorflow", K2["theano"]).model
    assert [type(one).__name__ for one in done.sublayers] == layers
    assert done.sublayers[-1].name == "w"
    x = random_inputs(model)[0]
    ours, theirs = (as_model(one).bind(get_backend("numpy"), {}).predict(x) for one in (model, done))
    np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("size", [(2, 3), (3, 3), (2, 4)])
def test_other_bilinear_enlarging_is_refused_on_theano(size):
    model = chain(L.UpSampling2D(size, interpolation="bilinear"), 4, 5, 2)
    with pytest.raises(KconvertError, match="layer w: no layers make the bilinear enlarging"):
        repair(model, "tensorflow", K2["theano"])
    assert hazards(model, "tensorflow", "tensorflow") == []
    assert hazards(chain(L.UpSampling2D(size), 4, 5, 2), "tensorflow", "theano") == []


def pool(name="pool"):
    return L.MaxPooling2D(2, padding="same", name=name)


def test_hazards_inside_models_and_wrappers_are_named_by_path():
    inner = Sequential([L.Activation("relu", name="r", batch_input_shape=(None, 7, 8, 3)), pool()], name="inner")
    steps = L.TimeDistributed(pool("step"), name="td", batch_input_shape=(None, 4, 7, 8, 3))
    assert [h.path for h in hazards(Sequential([inner]), "theano", "tensorflow")] == ["inner/pool"]
    assert [h.path for h in hazards(Sequential([steps]), "theano", "tensorflow")] == ["td/step"]


def test_a_shared_layer_is_judged_by_all_its_calls():
    """A window that fits on one input may differ on another; it is named once."""
    entries = [L.InputLayer(batch_input_shape=(None, n, 8, 3), name=f"x{n}") for n in (6, 7)]
    shared = L.Conv2D(2, 3, strides=2, padding="same", name="conv")
    nodes = [Node("x6", 0, ()), Node("x7", 0, ()), Node("conv", 0, (Ref("x6"),)), Node("conv", 1, (Ref("x7"),))]
    model = Network([*entries, shared], nodes, [Ref("x6"), Ref("x7")], [Ref("conv"), Ref("conv", 1)], name="m")
    assert [hazard.path for hazard in hazards(model, "theano", "tensorflow")] == ["conv"]


@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize("kernel", [(2, 2), (3, 3), (3, 2)])
def test_the_recurrent_convolution_of_a_convlstm(padding, kernel):
    """It is 'same' whatever the layer says."""
    layer = L.ConvLSTM2D(2, kernel, padding=padding, return_sequences=True)
    model = chain(layer, 3, 6, 7, 2)
    assert bool(hazards(model, "theano", "tensorflow")) == differ(model)
