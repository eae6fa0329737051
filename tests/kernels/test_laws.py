"""The laws that every op and every chain keeps."""

import json
from math import prod

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kconvert import kernels
from kconvert.errors import KconvertError
from kconvert.kernels import Chain, EachOp, Op
from tests.kernels.strategies import DTYPES, arrays_of, cases, numbered, same, single_ops

NAMES = {name: getattr(kernels, name) for name in kernels.__all__}


# ------------------------------------------------------------------ one op ----


@given(single_ops(), st.sampled_from(DTYPES))
def test_inverse_undoes_bit_for_bit(case, dtype):
    op, shapes = case
    arrays = arrays_of(shapes, dtype)
    assert same(op.inverse.apply(op.apply(arrays)), arrays)


@given(single_ops())
def test_inverse_of_inverse_is_the_op(case):
    op, _ = case
    assert op.inverse.inverse == op


@given(single_ops(), st.sampled_from(DTYPES))
def test_shapes_predicts_apply_and_dtype_is_kept(case, dtype):
    op, shapes = case
    result = op.apply(arrays_of(shapes, dtype))
    assert op.shapes(shapes) == tuple(array.shape for array in result)
    assert {array.dtype.str for array in result} == {dtype}


@given(single_ops())
def test_only_moves_elements(case):
    op, shapes = case
    result = np.concatenate([array.ravel() for array in op.apply(numbered(shapes))])
    assert sorted(result.tolist()) == list(range(result.size))


@given(single_ops())
def test_identity_is_detected(case):
    op, shapes = case
    arrays = numbered(shapes)
    if op.is_identity:
        assert same(op.apply(arrays), arrays)
    elif all(n > 1 for shape in shapes for n in shape):
        blocks_of_one = isinstance(op, kernels.Fuse | kernels.Split) and len(op.gates) == 1
        assert blocks_of_one or not same(op.apply(arrays), arrays)


@given(single_ops(), st.lists(st.lists(st.integers(0, 6), max_size=5).map(tuple), max_size=4).map(tuple))
def test_any_other_shape_is_refused_with_one_error(case, shapes):
    op, _ = case
    try:
        predicted = op.shapes(shapes)
    except KconvertError:
        with pytest.raises(KconvertError):
            op.apply(arrays_of(shapes))
    else:
        assert predicted == tuple(array.shape for array in op.apply(arrays_of(shapes)))


@given(single_ops())
def test_json_and_repr_take_an_op_back(case):
    op, _ = case
    assert Op.from_json(json.loads(json.dumps(op.to_json()))) == op
    assert eval(repr(op), dict(NAMES)) == op
    assert hash(Op.from_json(op.to_json())) == hash(op)


# ----------------------------------------------------------------- a chain ----


@given(cases(), st.sampled_from(DTYPES))
def test_inverse_of_a_chain_undoes_it(case, dtype):
    chain, shapes = case
    arrays = arrays_of(shapes, dtype)
    result = chain.apply(*arrays)
    assert chain.shapes(shapes) == tuple(array.shape for array in result)
    assert same(chain.inverse.apply(*result), arrays)
    assert chain.inverse.inverse == chain


@given(cases())
def test_simplified_is_equal_no_longer_and_final(case):
    chain, shapes = case
    arrays, simple = numbered(shapes), chain.simplified
    assert same(simple.apply(*arrays), chain.apply(*arrays))
    assert simple.shapes(shapes) == chain.shapes(shapes)
    assert len(simple) <= len(chain)
    assert simple.simplified == simple
    assert not any(op.is_identity for op in simple)
    assert all(op.then(following) is None for op, following in zip(simple.ops, simple.ops[1:], strict=False))


@given(cases())
def test_there_and_back_simplifies_to_nothing(case):
    chain, _ = case
    assert (chain >> chain.inverse).simplified == Chain()
    assert (chain.simplified >> chain.simplified.inverse).simplified == Chain()
    assert (chain.inverse >> chain).simplified == Chain()


@given(cases(), st.integers(0, 6))
def test_the_order_of_simplification_does_not_matter(case, cut):
    chain, shapes = case
    first, second = Chain(chain.ops[:cut]), Chain(chain.ops[cut:])
    assert first >> second == chain
    arrays = numbered(shapes)
    by_parts = (first.simplified >> second.simplified).simplified
    assert same(by_parts.apply(*arrays), chain.simplified.apply(*arrays))


@given(cases(), cases(), cases())
def test_composition_is_associative_and_the_empty_chain_is_neutral(a, b, c):
    a, b, c = a[0], b[0], c[0]
    assert (a >> b) >> c == a >> (b >> c)
    assert Chain() >> a == a >> Chain() == a
    assert len(a >> b) == len(a) + len(b)


@given(cases())
def test_json_and_repr_take_a_chain_back(case):
    chain, _ = case
    assert Chain.from_json(json.loads(json.dumps(chain.to_json()))) == chain
    assert eval(repr(chain), dict(NAMES)) == chain


@given(cases(most_arrays=1), st.data())
def test_a_region_equals_that_of_the_whole(case, data):
    chain, shapes = case
    (whole,) = numbered(shapes)
    result = chain.apply(whole)
    some = [data.draw(st.lists(st.integers(0, n - 1), min_size=1, unique=True)) for n in result[0].shape]
    wanted = tuple(np.array(index) for index in some)
    needed = chain.for_region(wanted, shapes[0])
    if needed is None:
        assert len(chain) > 0
        return
    region, rest = needed
    assert same(rest.apply(whole[np.ix_(*region)]), (result[0][np.ix_(*wanted)],))
    assert prod(map(len, region)) == prod(map(len, wanted))


def test_every_op_is_registered_under_its_id():
    exported = {kind for kind in NAMES.values() if hasattr(kind, "id")}
    assert set(Op.registry.values()) == exported
    assert all(kind.id == name and kernels.__dict__[kind.__name__] is kind for name, kind in Op.registry.items())
    assert [k.__name__ for k in Op.registry.values() if not issubclass(k, EachOp)] == ["Fuse", "Split"]
