"""Reports to be written: one that shows all there is to show, and any at all."""

from dataclasses import replace

import numpy as np
from hypothesis import strategies as st

from kconvert.errors import Problem
from kconvert.verification.comparison import BINS, Comparison, Details, compare, details
from kconvert.verification.tolerance import DEFAULT_TOLERANCE, Tolerance
from kconvert.verification.value import ARCHITECTURE, PRECISION, WEIGHTS, Cause, Entry, Report, Side, Summary

RUDE = "<img src=x onerror=alert(1)>|`*_\\\"' & \x1b[2J\n\ud800 {{ 7 * 7 }}"  # a name in a hostile file
SIDES = (
    Side("models/in.h5", "keras1/theano", "theano", "1.0.5"),
    Side("models/out.h5", "keras2/tensorflow", "numpy", "2.0", emulates="tensorflow"),
)
CAUSE = Cause("conv_2", "Conv2D", WEIGHTS, 0.7, "kernel is reversed along hw", ["kernel"], "flip hw of hwio (kernel)")
PLAN = {
    "source": "keras1/theano",
    "target": "keras2/tensorflow",
    "data_format": "channels_last",
    "evidence": ["keras1: the attribute keras_version is 1.2.2"],
    "notes": [],
    "hazards": [],
    "weights": [
        {
            "weight": f"conv_{i}/kernel",
            "from": [{"name": f"conv_{i}_W", "shape": [4, 1, 3, 3]}],
            "ops": [
                {"op": "transpose", "source": "oihw", "target": "hwio"},
                {"op": "flip", "axes": "hw", "of": "hwio"},
            ],
            "to": [{"name": f"conv_{i}/kernel:0", "shape": [3, 3, 1, 4]}],
        }
        for i in range(3)
    ],
}


def tensors(n, wrong_from=None, shape=(4, 10, 8, 6), seed=0):
    """n tensors of both sides by name; from the one of that number on, the target's are wrong."""
    random = np.random.default_rng(seed)
    for i in range(n):
        x = random.standard_normal(shape)
        error = 1e-7 if wrong_from is None or i < wrong_from else 0.5 / (1 + i - wrong_from)
        yield f"conv_{i}", x, x + error * random.standard_normal(shape)


def report(n=4, wrong_from=None, **values):
    """A report on a model of n convolutions, wrong from the one of that number on, with all that a report can hold."""
    pairs = list(tensors(n, wrong_from))
    layers = [compare(name, "Conv2D", x, y, DEFAULT_TOLERANCE) for name, x, y in pairs]
    wrong = [layer for layer in layers if not layer.equal]
    name, x, y = pairs[-1]
    found = Report(
        *SIDES,
        DEFAULT_TOLERANCE,
        layers,
        outputs=[compare(f"output 0: {name}", "", x, y, DEFAULT_TOLERANCE, classes=True)],
        causes=[replace(CAUSE, name=layer.name) for layer in wrong[:1]],
        details=[details(name, x, y) for name, x, y in pairs[wrong_from or 0 :][:3]],
        weights=[f"{layer.name}/kernel" for layer in wrong[:1]],
        plan=PLAN,
        arrays=2 * n,
        notes=["models/out.h5 ran on NumPy, emulating TensorFlow: TensorFlow is not installed"],
        samples=4,
        inputs="random, seed 0",
        environment={"kconvert": "0.2.0", "python": "3.11.9"},
    )
    return replace(found, **values)


EQUAL, DIFFERS = report(), report(wrong_from=2)
NOTHING = Report(*SIDES, DEFAULT_TOLERANCE, [], [])
SHAPES = report(layers=[*EQUAL.layers, compare("dense", "Dense", np.ones((2, 3)), np.ones((2, 4)), DEFAULT_TOLERANCE)])
RUDELY = report(
    layers=[replace(layer, name=RUDE, layer=RUDE, problem=RUDE) for layer in DIFFERS.layers],
    wrong_from=2,
    causes=[replace(CAUSE, name=RUDE, layer=RUDE, words=RUDE, remedy=RUDE)],
    details=[replace(found, name=RUDE) for found in DIFFERS.details],
    weights=[RUDE],
    notes=[RUDE],
    inputs=RUDE,
    environment={RUDE: RUDE},
)
MANY = Summary(
    [
        Entry("good.h5", EQUAL),
        Entry("sub/bad.h5", DIFFERS),
        Entry("broken.h5", error="broken.h5: the file is unreadable", code=Problem.UNREADABLE),
    ]
)
RUDE_ONES = Summary([Entry(RUDE, RUDELY), Entry(RUDE, error=RUDE, code=Problem.UNSUPPORTED)])

# ----------------------------------------------------------------- any at all ----

names = st.text(max_size=12) | st.just(RUDE)
numbers = st.floats(0, 1e30) | st.sampled_from([0.0, float("inf"), float("nan")])
counts = st.integers(0, 10**9)
shapes = st.lists(st.integers(0, 999), max_size=5).map(tuple)
ratios = st.floats(0, 1)
parts = st.none() | ratios
comparisons = st.builds(
    Comparison,
    **dict.fromkeys(("name", "layer", "problem"), names),
    **dict.fromkeys(("max_error", "mean_error", "scale", "needed", "allowed"), numbers),
    **dict.fromkeys(("shape", "worst"), shapes),
    equal=st.booleans(),
    cosine=st.floats(-1, 1),
    values=st.just(()) | st.tuples(numbers, numbers),
    not_finite=counts,
    **dict.fromkeys(("top1", "top5"), parts),
)
heats = st.tuples(st.integers(1, 32), st.integers(1, 32), numbers).map(lambda n: [[n[2]] * n[1]] * n[0])
reports = st.builds(
    Report,
    **dict.fromkeys(("source", "target"), st.builds(Side, names, names, names, names, st.none() | names)),
    tolerance=st.builds(
        Tolerance, st.floats(0, 1), st.floats(0, 1), st.dictionaries(names, st.floats(0, 1), max_size=2)
    ),
    **dict.fromkeys(("layers", "outputs"), st.lists(comparisons, max_size=4)),
    causes=st.lists(
        st.builds(
            Cause,
            **dict.fromkeys(("name", "layer", "words", "remedy"), names),
            kind=st.sampled_from([WEIGHTS, ARCHITECTURE, PRECISION]),
            alone=numbers,
            weights=st.lists(names, max_size=2),
        ),
        max_size=2,
    ),
    arrays=counts,
    weights=st.lists(names, max_size=2),
    details=st.lists(
        st.builds(
            Details, names, st.lists(counts, min_size=BINS, max_size=BINS), heats, st.just((1,)) | st.just((1, 2))
        ),
        max_size=2,
    ),
    plan=st.just({}) | st.just(PLAN),
    notes=st.lists(names, max_size=2),
    samples=counts,
    inputs=names,
    environment=st.dictionaries(names, names, max_size=2),
)
entries = st.builds(Entry, names, reports) | st.builds(
    Entry, names, error=names, code=st.sampled_from([int(problem) for problem in Problem])
)
anything = reports | st.builds(Summary, st.lists(entries, max_size=3))
