"""The tables of conventions, against what Keras's releases stored and computed (docs/keras-facts.md)."""

from itertools import product
from math import prod

import h5py
import numpy as np
import pytest

from kconvert.conventions.backends import BACKENDS, CHANNELS_FIRST, CHANNELS_LAST, DATA_FORMATS, same_padding
from kconvert.conventions.generations import GENERATIONS, Convention
from kconvert.conventions.roles import (
    DENSE_KERNEL,
    GRU_GATES,
    LSTM_GATES,
    SPATIAL,
    VECTOR,
    Weight,
    conv_kernel,
    depthwise_kernel,
    embeddings,
    map_parameter,
    pointwise_kernel,
    transposed_conv_kernel,
)
from kconvert.conventions.storage import counterparts, slot_order, storage
from kconvert.errors import KconvertError, Problem
from kconvert.kernels import AddHalves, Chain
from tests.fixtures import FOLDER as FIXTURES

STORED_LSTM = "icfo"
OLD = ("keras0", "keras1.0", "keras1")
CONVENTIONS = [Convention(form, backend) for form, backend in product(GENERATIONS, BACKENDS)]
SIZES = dict(zip("dhwiomvabc", (2, 3, 5, 7, 12, 4, 6, 8, 9, 10), strict=True))

KERNELS = [
    make(rank) for make in (conv_kernel, transposed_conv_kernel, depthwise_kernel, pointwise_kernel) for rank in SPATIAL
]
PLAIN = [*KERNELS, DENSE_KERNEL, VECTOR, embeddings(), map_parameter(1), map_parameter(3)]
GATED = [
    role.with_gates(gates, stored)
    for role in (DENSE_KERNEL, VECTOR, conv_kernel(2))
    for gates, stored in ((LSTM_GATES, STORED_LSTM), (GRU_GATES, GRU_GATES))
]


def weight(role, name="kernel"):
    """A weight of that role in which every axis has a size of its own."""
    return Weight(name, tuple(SIZES[axis] for axis in role.axes), role)


def label(value):
    return f"{value.name}-{value.axes}-{value.gates}" if hasattr(value, "axes") else str(value)


def lstm(inputs=3, units=4):
    return [
        Weight("kernel", (inputs, 4 * units), DENSE_KERNEL.with_gates(LSTM_GATES, STORED_LSTM)),
        Weight("recurrent_kernel", (units, 4 * units), DENSE_KERNEL.with_gates(LSTM_GATES, STORED_LSTM)),
        Weight("bias", (4 * units,), VECTOR.with_gates(LSTM_GATES, STORED_LSTM)),
    ]


def gru(inputs=3, units=4):
    return [
        Weight("kernel", (inputs, 3 * units), DENSE_KERNEL.with_gates(GRU_GATES, GRU_GATES)),
        Weight("recurrent_kernel", (units, 3 * units), DENSE_KERNEL.with_gates(GRU_GATES, GRU_GATES)),
        Weight("bias", (3 * units,), VECTOR.with_gates(GRU_GATES, GRU_GATES)),
    ]


# --------------------------------------------------- storage, for every role ----


@pytest.mark.parametrize("data_format", [*DATA_FORMATS, None])
@pytest.mark.parametrize("convention", CONVENTIONS, ids=str)
@pytest.mark.parametrize("role", PLAIN + GATED, ids=label)
def test_stored_arrays_become_the_canonical_one(role, convention, data_format):
    kernel = weight(role)
    (kept,) = storage([kernel], convention, data_format)
    assert kept.chain.shapes(kept.shapes) == (kernel.shape,)
    assert len(kept.slots) == len(kept.shapes) == (len(role.gates) if len(kept.slots) > 1 else 1)
    assert sum(map(prod, kept.shapes)) == prod(kernel.shape)
    canonical = np.arange(prod(kernel.shape)).reshape(kernel.shape)
    (back,) = kept.chain.apply(*kept.chain.inverse.apply(canonical))
    np.testing.assert_array_equal(back, canonical)


@pytest.mark.parametrize("data_format", [*DATA_FORMATS, None])
@pytest.mark.parametrize("role", PLAIN + GATED, ids=label)
def test_keras_2_on_tensorflow_is_canonical(role, data_format):
    (kept,) = storage([weight(role)], Convention("keras2", "tensorflow"), data_format)
    assert kept.chain == Chain()
    assert kept.slots == ("kernel",)


@pytest.mark.parametrize("role", PLAIN + GATED, ids=label)
def test_the_way_between_two_conventions_does_not_matter(role):
    """a -> c by way of any b is the very plan of a -> c."""
    ends = [storage([weight(role)], at, form)[0].chain for at in CONVENTIONS for form in DATA_FORMATS]
    distinct = list(dict.fromkeys(ends))
    for a, b, c in product(distinct, repeat=3):
        by_way = (a >> b.inverse).simplified >> (b >> c.inverse).simplified
        assert by_way.simplified == (a >> c.inverse).simplified


@pytest.mark.parametrize("role", PLAIN + GATED, ids=label)
@pytest.mark.parametrize("form", GENERATIONS)
def test_backends_differ_by_a_reversal_of_space_alone(form, role):
    """Kernels of real convolutions flip, no others (keras-facts: reversed-kernels, never-reversed)."""
    for data_format in DATA_FORMATS:
        theano, tensorflow = (
            storage([weight(role)], Convention(form, name), data_format)[0] for name in ("theano", "tensorflow")
        )
        assert theano.slots == tensorflow.slots
        plan = (theano.chain >> tensorflow.chain.inverse).simplified
        flips = role.name in ("conv_kernel", "transposed_conv_kernel")
        assert [op.id for op in plan] == (["flip"] if flips else [])
        for op in plan:
            assert set(op.axes) == set(role.axes) - set("io")


@pytest.mark.parametrize("convention", CONVENTIONS, ids=str)
@pytest.mark.parametrize("role", PLAIN + GATED, ids=label)
def test_a_weight_runs_in_canonical_form_with_the_kernels_of_the_backend(role, convention):
    (kept,) = storage([weight(role)], convention)
    assert kept.from_run == kept.to_run.inverse
    turns = convention.backend == "theano" and role.name in ("conv_kernel", "transposed_conv_kernel")
    assert str(kept.to_run) == (f"flip {role.reversed} of {role.axes}" if turns else str(Chain()))


@pytest.mark.parametrize("packed", [True, False])
def test_a_counterpart_stores_the_same_weights_otherwise(packed):
    """What both files store of the same weights; without cuDNN the two biases are one."""
    rows = Chain((AddHalves(),))
    gated = [role.with_gates(LSTM_GATES, STORED_LSTM).cudnn(rows, packed) for role in (DENSE_KERNEL, VECTOR)]
    weights = [Weight("kernel", (3, 8), gated[0]), Weight("bias", (2, 8) if packed else (8,), gated[1])]
    convention = Convention("keras2", "tensorflow")
    own, other = storage(weights, convention), storage(counterparts(weights, convention), convention)
    without, with_cudnn = (other, own) if packed else (own, other)
    assert [kept.shapes for kept in without] == [((3, 8),), ((8,),)]
    assert [kept.shapes for kept in with_cudnn] == [((3, 8),), ((16,),)]
    assert str(with_cudnn[0].chain).startswith("split")


def test_only_some_layers_have_a_counterpart_in_some_generations():
    assert counterparts(lstm(), Convention("keras2", "tensorflow")) == []
    roles = [role.cudnn(Chain(), False) for role in (DENSE_KERNEL.with_gates(GRU_GATES, GRU_GATES),)]
    assert counterparts([Weight("kernel", (3, 6), roles[0])], Convention("keras1", "tensorflow")) == []


# -------------------------------------------------------------- stored axes ----


@pytest.mark.parametrize(
    ("form", "data_format", "role", "axes"),
    [
        ("keras0", CHANNELS_FIRST, conv_kernel(1), "oiw1"),
        ("keras1.0", CHANNELS_LAST, conv_kernel(1), "oiw1"),
        ("keras1", CHANNELS_FIRST, conv_kernel(1), "w1io"),
        ("keras1", CHANNELS_LAST, conv_kernel(1), "w1io"),
        ("keras2", CHANNELS_FIRST, conv_kernel(1), "wio"),
        *[(form, CHANNELS_FIRST, conv_kernel(2), "oihw") for form in OLD],
        *[(form, CHANNELS_LAST, conv_kernel(2), "hwio") for form in OLD],
        ("keras2", CHANNELS_FIRST, conv_kernel(2), "hwio"),
        *[(form, CHANNELS_FIRST, conv_kernel(3), "oidhw") for form in OLD],
        *[(form, CHANNELS_LAST, conv_kernel(3), "dhwio") for form in OLD],
        ("keras2", CHANNELS_FIRST, conv_kernel(3), "dhwio"),
        ("keras1", CHANNELS_FIRST, transposed_conv_kernel(2), "oihw"),
        ("keras1", CHANNELS_LAST, transposed_conv_kernel(2), "hwio"),
        ("keras2", CHANNELS_FIRST, transposed_conv_kernel(2), "hwoi"),
        ("keras1", CHANNELS_FIRST, depthwise_kernel(2), "mihw"),
        ("keras1", CHANNELS_LAST, depthwise_kernel(2), "hwim"),
        ("keras1", CHANNELS_FIRST, pointwise_kernel(2), "oihw"),
        ("keras2", CHANNELS_FIRST, pointwise_kernel(2), "hwio"),
    ],
)
def test_shapes_in_the_file(form, data_format, role, axes):
    (kept,) = storage([weight(role)], Convention(form, "tensorflow"), data_format)
    assert kept.shapes == (tuple(1 if axis == "1" else SIZES[axis] for axis in axes),)


@pytest.mark.parametrize(
    ("role", "data_format", "order"),
    [
        (conv_kernel(2), CHANNELS_FIRST, (2, 3, 1, 0)),
        (conv_kernel(3), CHANNELS_FIRST, (2, 3, 4, 1, 0)),
        (transposed_conv_kernel(2), CHANNELS_FIRST, (2, 3, 0, 1)),
        (transposed_conv_kernel(2), CHANNELS_LAST, (0, 1, 3, 2)),
        (depthwise_kernel(2), CHANNELS_FIRST, (2, 3, 1, 0)),
        (pointwise_kernel(2), CHANNELS_FIRST, (2, 3, 1, 0)),
    ],
    ids=label,
)
def test_keras_1_to_keras_2(role, data_format, order):
    (kept,) = storage([weight(role)], Convention("keras1", "tensorflow"), data_format)
    stored = np.arange(prod(kept.shapes[0])).reshape(kept.shapes[0])
    np.testing.assert_array_equal(kept.chain.apply(stored)[0], stored.transpose(order), strict=True)


def test_conv1d_of_keras_1_0_on_theano():
    """What Keras 1.1's own loader does with the old array, then the reversal: axis 2 of (out, in, k, 1)."""
    (kept,) = storage([weight(conv_kernel(1))], Convention("keras1.0", "theano"))
    stored = np.arange(prod(kept.shapes[0])).reshape(kept.shapes[0])
    expected = stored[:, :, ::-1].transpose(2, 3, 1, 0)[:, 0]
    np.testing.assert_array_equal(kept.chain.apply(stored)[0], expected, strict=True)


# -------------------------------------------------------------------- gates ----


@pytest.mark.parametrize("form", OLD)
@pytest.mark.parametrize(
    ("weights", "n", "indices"),
    [
        (lstm(), 12, [[0, 6, 3, 9], [1, 7, 4, 10], [2, 8, 5, 11]]),
        (gru(), 9, [[0, 3, 6], [1, 4, 7], [2, 5, 8]]),
    ],
    ids=["LSTM", "GRU"],
)
def test_which_arrays_make_a_recurrent_weight(weights, n, indices, form):
    stored = storage(weights, Convention(form, "theano"))
    order = slot_order(stored)
    assert len(order) == len(set(order)) == n
    assert [[order.index(slot) for slot in kept.slots] for kept in stored] == indices
    for kept in stored:
        arrays = [np.full(shape, order.index(slot)) for slot, shape in zip(kept.slots, kept.shapes, strict=True)]
        np.testing.assert_array_equal(kept.chain.apply(*arrays)[0], np.concatenate(arrays, axis=-1), strict=True)


def test_gpu_mode_of_keras_1_is_fused_already():
    stored = storage(lstm(), Convention("keras1", "theano"), fused=True)
    assert slot_order(stored) == ["W", "U", "b"]
    assert all(kept.chain == Chain() for kept in stored)


def test_convlstm_of_keras_1_is_transposed_gate_by_gate():
    """Keras's own loader joins channels_first gates along the columns; (2,3,1,0) of each comes first.

    (keras-facts: convlstm-gate-by-gate)
    """
    role = conv_kernel(2).with_gates(LSTM_GATES, STORED_LSTM)
    (kept,) = storage([Weight("kernel", (3, 2, 2, 12), role)], Convention("keras1", "theano"), CHANNELS_FIRST)
    assert kept.shapes == ((3, 2, 3, 2),) * 4
    gates = np.random.default_rng(0).normal(size=(4, 3, 2, 3, 2))
    expected = np.concatenate([gate[:, :, ::-1, ::-1].transpose(2, 3, 1, 0) for gate in gates], axis=-1)
    np.testing.assert_array_equal(kept.chain.apply(*gates)[0], expected, strict=True)


# ------------------------------------------------------- what Keras's files say ----


@pytest.mark.parametrize(
    ("case", "form", "layer", "weights", "data_format"),
    [
        ("1.2.2-theano/lstm_cpu", "keras1", "lstm_1", lstm(), None),
        ("1.2.2-tensorflow/lstm_cpu", "keras1", "lstm_1", lstm(), None),
        ("2.3.1-theano/lstm_impl1", "keras2", "lstm_1", lstm(), None),
        (
            "1.2.2-theano/lenet_th",
            "keras1",
            "convolution2d_2",
            [Weight("kernel", (3, 3, 4, 5), conv_kernel(2)), Weight("bias", (5,))],
            CHANNELS_FIRST,
        ),
        (
            "1.2.2-tensorflow/vgg_like_tf",
            "keras1",
            "convolution2d_3",
            [Weight("kernel", (3, 3, 4, 6), conv_kernel(2)), Weight("bias", (6,))],
            CHANNELS_LAST,
        ),
        (
            "2.3.1-theano/lenet_th",
            "keras2",
            "conv2d_2",
            [Weight("kernel", (3, 3, 4, 5), conv_kernel(2)), Weight("bias", (5,))],
            CHANNELS_FIRST,
        ),
    ],
)
def test_names_order_and_shapes_of_real_files(case, form, layer, weights, data_format):
    stored = storage(weights, Convention(form, case.split("/")[0].split("-")[1]), data_format)
    expected = {slot: shape for kept in stored for slot, shape in zip(kept.slots, kept.shapes, strict=True)}
    with h5py.File(FIXTURES / case / "weights.h5") as file:
        names = [name.decode() for name in file[layer].attrs["weight_names"]]
        shapes = [file[layer][name].shape for name in names]
    slots = slot_order(stored)
    assert [name.removesuffix(":0").removeprefix(f"{layer}_").split("/")[-1] for name in names] == slots
    assert shapes == [expected[slot] for slot in slots]


def test_order_and_shapes_of_a_file_without_names():
    stored = storage(lstm(), Convention("keras0", "theano"))
    expected = {slot: shape for kept in stored for slot, shape in zip(kept.slots, kept.shapes, strict=True)}
    with h5py.File(FIXTURES / "0.3.3-theano" / "lstm" / "weights.h5") as file:
        layer = file["layer_0"]
        shapes = [layer[f"param_{k}"].shape for k in range(layer.attrs["nb_params"])]
    assert shapes == [expected[slot] for slot in slot_order(stored)]


# -------------------------------------------------------- padding of 'same' ----


@pytest.mark.parametrize(
    ("size", "kernel", "stride", "convolving", "correlating"),
    [
        (7, 3, 1, 1, 1),
        (7, 3, 2, 1, 1),
        (8, 3, 2, 1, 0),
        (7, 2, 1, 1, 0),
        (9, 4, 1, 2, 1),
        (10, 5, 1, 2, 2),
        (8, 4, 2, 2, 1),
    ],
)
def test_padding_before_a_convolution(size, kernel, stride, convolving, correlating):
    assert BACKENDS["theano"].conv_padding(size, kernel, stride) == convolving
    assert BACKENDS["tensorflow"].conv_padding(size, kernel, stride) == correlating


@pytest.mark.parametrize(
    ("size", "window", "stride", "convolving", "correlating"),
    [
        (7, 2, 1, 1, 0),
        (8, 2, 2, 1, 0),
        (7, 2, 2, 1, 0),
        (7, 3, 1, 1, 1),
        (7, 3, 2, 1, 1),
        (8, 3, 2, 1, 0),
        (8, 4, 2, 3, 1),
    ],
)
def test_padding_before_a_pool(size, window, stride, convolving, correlating):
    assert BACKENDS["theano"].pool_padding(size, window, stride) == convolving
    assert BACKENDS["tensorflow"].pool_padding(size, window, stride) == correlating


def test_same_convolutions_agree_exactly_for_odd_kernels_and_whole_strides():
    for size, kernel, stride in product(range(1, 20), range(1, 8), range(1, 5)):
        agree = len({facts.conv_padding(size, kernel, stride) for facts in BACKENDS.values()}) == 1
        assert agree == (kernel == 1 or (kernel % 2 == 1 and (size - 1) % stride == 0)), (size, kernel, stride)


def test_same_pools_of_two_never_agree():
    for size, stride in product(range(2, 20), (1, 2)):
        paddings = [facts.pool_padding(size, 2, stride) for facts in BACKENDS.values()]
        assert len(set(paddings)) == 2


@pytest.mark.parametrize("facts", BACKENDS.values(), ids=lambda facts: facts.name)
def test_same_padding_gives_the_size_divided_by_the_stride(facts):
    for size, kernel, stride in product(range(1, 15), range(1, 6), range(1, 4)):
        for padding in (facts.conv_padding, facts.pool_padding):
            before, after = same_padding(padding(size, kernel, stride), size, kernel, stride)
            assert (before + size + after - kernel) // stride + 1 == -(-size // stride)
            assert (before + size + after - kernel) % stride == 0
            assert before >= 0


# ------------------------------------------------------------------- refusals ----


@pytest.mark.parametrize(("form", "name"), [("keras9", "theano"), ("keras2", "cntk"), ("", "")])
def test_unknown_conventions_are_refused_with_what_is_known(form, name):
    with pytest.raises(KconvertError, match="unknown") as refusal:
        Convention(form, name)
    assert refusal.value.problem is Problem.USAGE
    assert "one of: " in str(refusal.value)
