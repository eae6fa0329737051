"""The rules that run Theano's operations in NumPy, against Theano's own Python for the same graph."""

from types import SimpleNamespace

import numpy as np
import pytest

pytestmark = pytest.mark.needs("theano")

GRAPHS = {
    "sum of many": lambda T, x, y, row, i: x + y + row + 2.0 + x * y * row,
    "chain": lambda T, x, y, row, i: T.sqrt(T.abs_(x - y) + 1e-3) / (1 + T.exp(-(row**2))) - T.tanh(x),
    "sigmoid": lambda T, x, y, row, i: T.nnet.sigmoid(100 * x) + T.nnet.sigmoid(row),
    "scalars": lambda T, x, y, row, i: T.switch(x.sum() > 0, x.shape[0] / T.exp(y[0, 0]), row[0, 1]),
    "switch": lambda T, x, y, row, i: T.switch(T.gt(x, y), x, row),
    "booleans": lambda T, x, y, row, i: T.cast(T.and_(T.gt(x, 0), T.neq(y, row)), "float32") * x,
    "integers": lambda T, x, y, row, i: x[i] + T.cast(i, "float32").dimshuffle(0, "x") / (i + 1).dimshuffle(0, "x"),
    "rounded": lambda T, x, y, row, i: T.round(x * 3 + 0.5, "half_to_even"),
    "between columns and rows": lambda T, x, y, row, i: x.sum(1).dimshuffle(0, "x") * row,
    "sums": lambda T, x, y, row, i: x.sum(0) + y.max(0) + T.prod(row, 0),
    "whole sum": lambda T, x, y, row, i: x.sum() - T.any(T.gt(y, 5)) + T.min(row),
    "products": lambda T, x, y, row, i: T.dot(x, y.T) + 0.5 * T.dot(x, x.T),
    "product added": lambda T, x, y, row, i: 2.0 * x + T.dot(T.dot(x, y.T), y),
    "axes": lambda T, x, y, row, i: (x.dimshuffle(1, "x", 0) * row.dimshuffle(1, "x", 0)).reshape((7, x.shape[0])),
    "dropped axis": lambda T, x, y, row, i: row.dimshuffle(1) + x[0],
    "parts": lambda T, x, y, row, i: T.join(0, *T.split(x.T, [3, 4], 2, 0)[::-1])[1:, ::-1],
    "written": lambda T, x, y, row, i: T.set_subtensor(x[:, 2:4], y[:, :2]) + T.inc_subtensor(y[i[0]], row[0]),
    "filled": lambda T, x, y, row, i: T.alloc(row[0, 1], x.shape[0], 3) + T.zeros_like(x)[:, :3],
}

FLAT = {"booleans", "rounded"}
"""Graphs without a gradient that Theano could compute."""


def given(rows, seed=0):
    random = np.random.default_rng(seed)
    x, y, row = (random.normal(size=(n, 7)).astype("float32") for n in (rows, rows, 1))
    return x, y, row, random.integers(0, rows, rows).astype("int32")


@pytest.fixture(scope="module")
def rules():
    """The modules under test; Theano is imported where it is under test alone."""
    from kconvert.backend import theano_compiling, theano_thunks

    return SimpleNamespace(compiling=theano_compiling, thunks=theano_thunks, theano=theano_thunks.theano)


def functions(rules, build, gradient=False):
    """The graph (or its gradient) compiled with the rules for many and for few runs, and by Theano's own Python."""
    theano, T = rules.theano, rules.theano.tensor
    inputs = [T.fmatrix(), T.fmatrix(), T.TensorType("float32", (True, False))(), T.ivector()]
    y = build(T, *inputs)
    if gradient:
        y = theano.grad(T.sum(T.sqr(y)), inputs[0], disconnected_inputs="ignore")
    compiled = []
    for many_runs in (True, False):
        with rules.compiling.compiling(many_runs):
            compiled.append(theano.function(inputs, y, mode=rules.compiling.mode(), on_unused_input="ignore"))
    own = theano.function(inputs, y, mode=theano.compile.Mode("py", None), on_unused_input="ignore")
    return *compiled, own


@pytest.mark.parametrize("gradient", [False, True], ids=["value", "gradient"])
@pytest.mark.parametrize("name", GRAPHS)
def test_a_graph_has_the_values_of_theanos_own_python(rules, name, gradient):
    many, few, own = functions(rules, GRAPHS[name], gradient and name not in FLAT)
    for rows in (4, 4, 6, 2 * rules.thunks.BLOCK // 7, 5):
        arrays = given(rows, rows)
        wanted = own(*arrays)
        for function in (many, few):
            found = function(*arrays)
            assert found.dtype == wanted.dtype
            np.testing.assert_allclose(found, wanted, rtol=2e-5, atol=2e-5 * max(1, np.abs(wanted).max()))


def test_every_rule_is_met_by_some_graph(rules):
    met = set()
    for name, build in GRAPHS.items():
        for gradient in {False, name not in FLAT}:
            for function in functions(rules, build, gradient)[:2]:
                ops = [node.op for node in function.maker.fgraph.toposort()]
                met |= {rule for rule in rules.thunks._RULES for op in ops if isinstance(op, rule)}
    assert {rule.__name__ for rule in set(rules.thunks._RULES) - met} <= {"ViewOp", "DeepCopyOp"}


def test_a_result_is_not_overwritten_by_the_next_call(rules):
    function = functions(rules, GRAPHS["chain"])[0]
    first, other = given(4, 1), given(4, 2)
    found = function(*first)
    kept = found.copy()
    function(*other)
    np.testing.assert_array_equal(found, kept)


def test_operands_stay_as_they_were(rules):
    for name, build in GRAPHS.items():
        arrays = given(5)
        functions(rules, build)[0](*arrays)
        for array, fresh in zip(arrays, given(5), strict=True):
            np.testing.assert_array_equal(array, fresh, err_msg=name)


@pytest.mark.parametrize("rows", [2, 10000])
@pytest.mark.parametrize("shape", [(1, 7), (2, 1)])
def test_axes_are_stretched_only_where_the_type_says_so(rules, shape, rows):
    function = functions(rules, lambda T, x, y, row, i: x * 2 + y)[0]
    x, y, row, i = given(rows)
    with pytest.raises(ValueError, match=r"shapes|dimension"):
        function(x, np.ones(shape, "float32") if shape[0] == 1 else y[:, :1], row, i)


def test_sigmoid_at_the_ends(rules):
    function = functions(rules, lambda T, x, y, row, i: T.nnet.sigmoid(x))[0]
    x = np.array([[-1000, -50, 0, 50, 1000]], "float32")
    with np.errstate(over="ignore"):
        found = function(x, *given(1)[1:])
    np.testing.assert_allclose(found, [[0, np.exp(np.float32(-50)), 0.5, 1, 1]], rtol=1e-5)


@pytest.mark.parametrize("in_place", [True, False])
def test_a_product_added_to_nothing_does_not_see_what_the_memory_held(rules, in_place):
    theano, blas = rules.theano, rules.theano.tensor.blas
    z, x = theano.tensor.fmatrices(2)
    op = blas.gemm_inplace if in_place else blas.gemm_no_inplace
    node = op(z, np.float32(2), x, x, np.float32(0)).owner
    compute = rules.thunks._RULES[blas.Gemm](node)
    array = np.float32([[1, 2], [3, 4]])
    found = compute(None, np.full((2, 2), np.nan, "float32"), np.float32(2), array, array, np.float32(0))
    np.testing.assert_array_equal(found, 2 * array @ array)
