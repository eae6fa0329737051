"""Each op by example, each refusal, and which chains stream."""

import numpy as np
import pytest

from kconvert.errors import KconvertError, Problem
from kconvert.kernels import (
    AddHalves,
    Block,
    Chain,
    Flip,
    Fold,
    Fuse,
    Gates,
    Grow,
    Halve,
    Op,
    Order,
    Rows,
    Split,
    Transpose,
    Unfold,
    unchanged_block,
)

RUNS = Rows("i", "io", (Block("hw", "wh", (2, 3)), unchanged_block(2), Block("chw", "wch", (2, 2, 3))))
LAST = Rows("o", "io", RUNS.blocks)
x = np.arange(2 * 3 * 4).reshape(2, 3, 4)


@pytest.mark.parametrize(
    ("op", "expected"),
    [
        (Transpose("abc", "cab"), x.transpose(2, 0, 1)),
        (Transpose("abc", "1cb1a"), x.transpose(2, 1, 0)[None, :, :, None]),
        (Flip("b", "abc"), x[:, ::-1]),
        (Flip("ca", "abc"), x[::-1, :, ::-1]),
        (Gates("ifco", "ocif"), x[..., [3, 2, 0, 1]]),
        (Gates("ab", "ba"), x[..., [2, 3, 0, 1]]),
        (Rows("c", "abc", (Block("hw", "wh", (2, 2)),)), x[..., [0, 2, 1, 3]]),
        (Rows("b", "abc", (unchanged_block(1), Block("cw", "wc", (1, 2)))), x),
        (Order("cab", "abc", "abc"), x.reshape(4, 2, 3).transpose(1, 2, 0)),
        (Order("abc", "bca", "abc"), x.transpose(1, 2, 0).reshape(2, 3, 4)),
        (Fold(1), x[None]),
        (Fold(2), x[:, None]),
        (Unfold(2), x.reshape(6, 4)),
        (AddHalves(), x[0] + x[1]),
    ],
    ids=str,
)
def test_rearranges(op, expected):
    np.testing.assert_array_equal(op.array(x), expected)


def test_rows_follow_a_map_through_flatten():
    """The features that Flatten makes of a channels_first map, in the order of a channels_last map."""
    c, h, w, units = 3, 4, 5, 2
    features = np.random.default_rng(0).normal(size=(c, h, w))
    kernel = np.random.default_rng(1).normal(size=(c * h * w, units))
    moved = Rows("i", "io", (Block("chw", "hwc", (c, h, w)),)).array(kernel)
    np.testing.assert_allclose(features.transpose(1, 2, 0).ravel() @ moved, features.ravel() @ kernel, rtol=1e-12)
    np.testing.assert_array_equal(
        moved, kernel.reshape(c, h, w, units).transpose(1, 2, 0, 3).reshape(-1, units), strict=True
    )


def test_rows_of_several_runs_come_back():
    features = np.arange(20).reshape(20, 1)
    moved = RUNS.array(features)
    assert moved.ravel().tolist()[:8] == [0, 3, 1, 4, 2, 5, 6, 7]
    np.testing.assert_array_equal(RUNS.inverse.array(moved), features)


def test_fuse_and_split_keep_the_order_of_gates():
    gates = [np.full((2, 3), n) for n in range(4)]
    (fused,) = Fuse("ifco").apply(tuple(gates))
    assert fused[0].tolist() == [0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3]
    assert [part[0, 0] for part in Split("ifco").apply((fused,))] == [0, 1, 2, 3]


@pytest.mark.parametrize("dtype", ["<f4", ">f4", "<f8", "<f2"])
def test_two_halves_add_up_bit_for_bit(dtype):
    whole = np.random.default_rng(0).normal(size=6).astype(dtype)
    (halves,) = Halve().apply((whole,))
    (added,) = Halve().inverse.apply((halves,))
    np.testing.assert_array_equal(added, whole, strict=True)
    np.testing.assert_array_equal(halves[0], halves[1])
    assert halves.dtype == added.dtype == dtype
    assert (Halve().shapes((whole.shape,)), Halve().inverse.shapes((halves.shape,))) == ((halves.shape,), ((6,),))
    assert not Halve.rearranges
    assert not AddHalves.rearranges


# ------------------------------------------------------------- simplifying ----


@pytest.mark.parametrize(
    ("chain", "simple"),
    [
        (Transpose("oihw", "hwio") >> Transpose("hwio", "oihw"), Chain()),
        (Transpose("w1io", "wio") >> Transpose("wio", "oiw1"), Chain((Transpose("w1io", "oiw1"),))),
        (Flip("hw", "hwio") >> Flip("w", "hwio"), Chain((Flip("h", "hwio"),))),
        (Flip("hw", "oihw") >> Transpose("oihw", "hwio"), Transpose("oihw", "hwio") >> Flip("hw", "hwio")),
        (Gates("icfo", "ifco") >> Gates("ifco", "ocif"), Chain((Gates("icfo", "ocif"),))),
        (Fuse("zrh") >> Split("zrh"), Chain()),
        (Flip("hw", "hwio") >> Fuse("zrh"), Fuse("zrh") >> Flip("hw", "hwio")),
        (Flip("hw", "hwio") >> Split("zrh") >> Flip("hw", "hwio"), Chain((Split("zrh"),))),
        (Split("zrh") >> Flip("hw", "hwio") >> Fuse("zrh"), Chain((Flip("hw", "hwio"),))),
        (Flip("o", "io") >> Fuse("zrh"), Flip("o", "io") >> Fuse("zrh")),
        (RUNS >> Fuse("zrh"), Fuse("zrh") >> RUNS),
        (LAST >> Fuse("zrh"), LAST >> Fuse("zrh")),
        (RUNS >> Split("zr") >> RUNS.inverse, Chain((Split("zr"),))),
        (Rows("i", "io", (unchanged_block(6),)) >> Flip("", "io"), Chain()),
        (Rows("i", "io", (Block("hw", "wh", (1, 6)),)) >> Flip("i", "io"), Chain((Flip("i", "io"),))),
        (Order("oi", "io", "io") >> Order("io", "oi", "io"), Chain()),
        (Order("abc", "cba", "abc") >> Order("cba", "bca", "abc"), Chain((Order("abc", "bca", "abc"),))),
        (Order("oi", "io", "io") >> Order("oi", "io", "io"), Order("oi", "io", "io") >> Order("oi", "io", "io")),
        (Fold(2) >> Unfold(2), Chain()),
        (Unfold(3) >> Fold(3), Chain()),
        (Unfold(3) >> Fold(2), Unfold(3) >> Fold(2)),
        (Halve() >> AddHalves(), Chain()),
        (AddHalves() >> Halve(), AddHalves() >> Halve()),
    ],
    ids=str,
)
def test_simplifies(chain, simple):
    assert chain.simplified == simple


# ----------------------------------------------------------------- streaming ----


@pytest.mark.parametrize(
    ("chain", "shape", "streams"),
    [
        (Chain(), (4, 5), True),
        (Chain((Flip("hw", "hwio"),)), (4, 3, 2, 5), True),
        (Transpose("w1io", "wio") >> Flip("w", "wio"), (4, 1, 2, 5), True),
        (Chain((Rows("i", "io", (Block("chw", "hwc", (2, 3, 4)),)),)), (24, 5), True),
        (Chain((Gates("icfo", "ifco"),)), (3, 8), True),
        (Chain((Gates("icfo", "ifco"),)), (8,), True),
        (Chain((Transpose("oihw", "hwio"),)), (4, 2, 3, 3), True),
        (Transpose("oihw", "hwio") >> Flip("hw", "hwio"), (4, 2, 3, 3), True),
        (Chain((Grow((("h", 0, 1),), "hwio"),)), (2, 3, 4, 5), False),
        (Chain((Split("zrh"),)), (4, 6), False),
        (Fuse("z") >> Flip("i", "io"), (4, 6), False),
    ],
    ids=str,
)
def test_streams_where_ops_move_indices_along_axes(chain, shape, streams):
    whole = np.arange(np.prod(shape)).reshape(shape)
    result = chain.apply(whole)[0]
    wanted = tuple(np.arange(n)[:2][::-1] for n in result.shape)
    needed = chain.for_region(wanted, shape)
    assert (needed is not None) == streams
    if needed:
        (block,) = needed[1].apply(whole[np.ix_(*needed[0])])
        np.testing.assert_array_equal(block, result[np.ix_(*wanted)])


# ------------------------------------------------------------------ refusals ----


@pytest.mark.parametrize(
    "make",
    [
        lambda: Transpose("oihw", "hwi"),
        lambda: Transpose("oiww", "wwio"),
        lambda: Flip("x", "hwio"),
        lambda: Flip("hh", "hwio"),
        lambda: Flip("h", "hhio"),
        lambda: Flip("1", "w1io"),
        lambda: Gates("ifco", "ifc"),
        lambda: Gates("iffo", "iffo"),
        lambda: Gates("", ""),
        lambda: Fuse(""),
        lambda: Fuse("ii"),
        lambda: Split(""),
        lambda: Block("chw", "hw", (2, 3, 4)),
        lambda: Block("chw", "hwc", (2, 3)),
        lambda: Block("hh", "hh", (2, 3)),
        lambda: Block("hw", "wh", (-2, -3)),
        lambda: Rows("x", "io", (unchanged_block(2),)),
        lambda: Rows("io", "io", (unchanged_block(2),)),
        lambda: Rows("i", "ii", (unchanged_block(2),)),
        lambda: Rows("i", "io", ()),
        lambda: Order("oi", "io", "o"),
        lambda: Order("oo", "oo", "oo"),
        lambda: Order("oi", "ih", "oi"),
        lambda: Fold(0),
        lambda: Unfold(-2),
    ],
)
def test_nonsense_cannot_be_made(make):
    with pytest.raises(KconvertError):
        make()


@pytest.mark.parametrize(
    ("op", "shapes"),
    [
        (Transpose("oihw", "hwio"), [(2, 3, 4)]),
        (Transpose("w1io", "wio"), [(4, 2, 3, 5)]),
        (Transpose("1w1", "w"), [(2, 4, 1)]),
        (Flip("hw", "hwio"), [(2, 3, 4)]),
        (Gates("ifco", "icfo"), [(3, 6)]),
        (Gates("ifco", "icfo"), [()]),
        (Fuse("zrh"), [(2, 3), (2, 3)]),
        (Fuse("zr"), [(2, 3), (2, 4)]),
        (Fuse("zr"), [(), ()]),
        (Split("zrh"), [(2, 4)]),
        (Split("zrh"), [(2, 6), (2, 6)]),
        (Split("zrh"), [()]),
        (Rows("i", "io", (Block("chw", "hwc", (2, 3, 4)),)), [(25, 10)]),
        (Rows("i", "io", (unchanged_block(4),)), [(4,)]),
        (Order("oi", "io", "io"), [(4,)]),
        (Fold(2), [(5,)]),
        (Fold(2), [()]),
        (Unfold(2), [(3, 4)]),
        (Unfold(2), [(2,)]),
        (AddHalves(), [(3, 4)]),
        (AddHalves(), [()]),
    ],
    ids=str,
)
def test_bad_shapes_are_refused(op, shapes):
    with pytest.raises(KconvertError):
        op.shapes(tuple(shapes))
    with pytest.raises(KconvertError):
        op.apply(tuple(np.zeros(shape) for shape in shapes))


def test_gates_of_different_dtypes_are_not_one_weight():
    with pytest.raises(KconvertError, match="float32"):
        Fuse("zr").apply((np.zeros((2, 3), "f4"), np.zeros((2, 3), "f8")))


@pytest.mark.parametrize(
    "value",
    [
        {},
        {"op": "wibble"},
        {"op": ["flip"]},
        {"op": "flip"},
        {"op": "flip", "axes": "h", "of": "hw", "more": 1},
        {"op": "flip", "axes": 3, "of": "hw"},
        {"op": "transpose", "source": ["h"], "target": ["h"]},
        {"op": "transpose", "source": "hw", "target": "wi"},
        {"op": "rows", "axis": "i", "of": "io", "blocks": [{"source": "i"}]},
        {"op": "rows", "axis": "i", "of": "io", "blocks": [{"source": "i", "target": "i", "shape": ["4"]}]},
        "flip",
        None,
    ],
    ids=str,
)
def test_what_is_not_an_op_is_refused(value):
    with pytest.raises(KconvertError) as refusal:
        Op.from_json(value)
    assert refusal.value.problem in (Problem.UNREADABLE, Problem.UNSUPPORTED)
