"""Weights without an architecture: never a wrong class, never an array rearranged for its shape alone."""

import json
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from click.testing import CliRunner

import kconvert as kc
from kconvert import KconvertError, cli, convert
from kconvert.conventions.generations import Convention
from kconvert.conversion.applying import apply
from kconvert.conversion.inference.infer import _Inference
from kconvert.conversion.inference.leaves import leaves_of
from kconvert.conversion.inference.without_graph import CERTAIN, LIKELY
from kconvert.conversion.planning import plan
from kconvert.conversion.reading import network_of
from kconvert.conversion.source import Source, decide
from kconvert.errors import Problem
from kconvert.formats import hdf5
from kconvert.formats.checkpoint import Checkpoint, Group, InMemory
from tests.fixtures import FOLDER, cases, identify

ALL = [case for case in cases("1.2.2", "2.3.1") if (case.folder / "weights.h5").exists()]
LENET = FOLDER / "1.2.2-theano" / "lenet_th"

# Files whose layers cannot be determined, and the options that give their classes.
TOLD = {
    "squeezenet_fire_th": ["fire2/*=Convolution2D"],
    "tiny_resnet_th": ["res*=Conv2D"],
    "td_conv2d_only_tf": ["time_distributed_1=Conv2D"],
    "music_tagger_th": ["conv*=Conv2D"],
}


# ----------------------------------------------------------------------- laws ----


@pytest.mark.parametrize("case", ALL, ids=identify)
def test_the_same_class_as_the_architecture_or_a_refusal(case):
    with hdf5.read(case.folder / "weights.h5") as weights, hdf5.read(case.model) as whole:
        model = network_of(whole, Source(None, case.backend, case.data_format))
        try:
            made = plan(weights, case.backend, case.other, "keep", "same")
        except KconvertError as refusal:
            assert "cannot determine what these layers are" in str(refusal)
            assert "layers=" in refusal.fix or "source_data_format=" in refusal.fix
            return
    classes, inside = {}, Counter()
    for leaf in model.weight_table():  # what is alone in a wrapper may be called like the wrapper, cells have numbers
        inside[leaf.path[0]] += 1
        for name in (leaf.path[-1], leaf.path[0], f"cell_{inside[leaf.path[0]]}"):
            classes.setdefault(name, leaf.layer.class_name.removesuffix("Cell"))
    for known in made.model.inferred:
        assert classes[known.path[-1]] in known.classes, str(known)


@pytest.mark.parametrize("case", ALL, ids=identify)
def test_the_same_arrays_as_with_the_architecture(case):
    options = {"data_format": "keep", "source_data_format": case.data_format}
    with hdf5.read(case.folder / "weights.h5") as weights, hdf5.read(case.model) as whole:
        try:
            wanted = plan(whole, case.backend, case.other, repair=False, **options)
        except KconvertError:  # Keras 2 has no such layer
            options["format"] = "same"
            wanted = plan(whole, case.backend, case.other, repair=False, **options)
        said = TOLD.get(case.name, [])
        try:
            made = plan(weights, case.backend, case.other, layers=said, **options)
        except KconvertError as refusal:
            assert not said
            assert "no layer is known" in str(refusal)
            return
        for ours, theirs in zip(_groups(made, weights), _groups(wanted, whole), strict=True):
            assert ours[0] == theirs[0]
            assert all(np.array_equal(a, b) for a, b in zip(ours[1], theirs[1], strict=True))


def _groups(made, checkpoint):
    """(name, arrays in order) of the converted file; hazards are another matter."""
    made = replace(made, result=replace(made.result, hazards=()))
    groups = apply(made, checkpoint).groups
    return [(group.name, [array.read() for array in group.arrays]) for group in groups if group.arrays]


def test_what_the_whole_model_is_refused_for_is_refused_without_it():
    """An even ConvLSTM2D kernel pads its states differently, whatever the architecture says."""
    path = FOLDER / "2.3.1-theano" / "convlstm2d_same_tf" / "weights.h5"
    with hdf5.read(path) as weights:
        made = plan(weights, None, "tensorflow", "keep")
        assert [hazard.path for hazard in made.hazards] == ["conv_lst_m2d_1"]
        with pytest.raises(KconvertError, match="cannot be converted exactly"):
            apply(made, weights)


def test_cudnn_layers_become_others_without_an_architecture_too():
    path = FOLDER / "2.3.1-tensorflow" / "bidirectional_cudnnlstm" / "weights.h5"
    with hdf5.read(path) as weights:
        made = plan(weights, None, "theano", "keep")
        assert any("forward_cu_dnnlstm_1: CuDNNLSTM becomes LSTM" in note for note in made.notes)
        assert not plan(weights, None, "tensorflow", "keep").changes
        for wanted in (True, False):
            with pytest.raises(KconvertError, match="cudnn=True and cudnn=False need the architecture"):
                plan(weights, None, "tensorflow", "keep", cudnn=wanted)


# ------------------------------------------------------------------ decisions ----

RANDOM = np.random.default_rng(0)


def file(form, **layers):
    """A file that Theano saved: layers with shapes by stored name."""
    scope = "{}/{}" if form == "keras2" else "{}_{}"
    groups = [
        Group(
            name, [InMemory(scope.format(name, slot), RANDOM.standard_normal(shape)) for slot, shape in arrays.items()]
        )
        for name, arrays in layers.items()
    ]
    return Checkpoint(groups, backend="theano" if form == "keras2" else None)


def planned(checkpoint, *said, format="keras2", data_format="keep", **options):
    return plan(checkpoint, None, "tensorflow", data_format, format, layers=said, **options)


def arrays(checkpoint, made):
    return [array.read() for group in apply(made, checkpoint).groups for array in group.arrays]


def refused(words, checkpoint, *said, **options):
    with pytest.raises(KconvertError) as refusal:
        planned(checkpoint, *said, **options)
    assert words in str(refusal.value)
    return refusal.value


@pytest.mark.parametrize("shapes", [{"kernel": (3, 3, 2, 4), "bias": (4,)}, {"mixing": (3, 3, 2, 4)}])
def test_a_four_dimensional_array_is_never_turned_for_its_shape_alone(shapes):
    given = file("keras2", attention_1=shapes)
    refusal = refused("attention_1", given)
    assert refusal.problem == Problem.UNSUPPORTED
    assert "layers=['attention_1=as-is']" in refusal.fix
    kept = arrays(given, planned(given, "attention_1=as-is"))
    assert all(np.array_equal(a, b.read()) for a, b in zip(kept, given.groups[0].arrays, strict=True))


def test_what_the_user_says_is_taken():
    given = file("keras2", attention_1={"kernel": (3, 3, 2, 4), "bias": (4,)})
    kernel, _ = arrays(given, planned(given, "att*=Conv2D"))
    assert np.array_equal(kernel, given.groups[0].arrays[0].read()[::-1, ::-1])


def test_the_confidence_is_stated():
    certain, likely = (
        file("keras2", conv2d_7={"kernel": (3, 3, 2, 4)}),
        file("keras2", block1_conv2={"kernel": (3, 3, 2, 4)}),
    )
    for given, confidence, noted in ((certain, CERTAIN, False), (likely, LIKELY, True)):
        made = planned(given)
        (known,) = made.model.inferred
        assert (known.classes, known.confidence) == (("Conv2D",), confidence)
        assert any(str(known) in line for line in made.evidence)
        assert any(str(known) in line for line in made.notes) == noted


def test_classes_that_are_stored_alike_need_no_decision():
    (known,) = planned(file("keras1", fc1={"W": (4, 3), "b": (3,)})).model.inferred
    assert known.classes == ("Dense", "TimeDistributedDense")
    assert known.confidence == CERTAIN


def test_layers_that_keras_2_lost_are_refused():
    given = file("keras1", srelu_1=dict.fromkeys(("t_left", "a_left", "t_right", "a_right"), (4,)))
    assert "SReLU" in refused("layer srelu_1", given).what
    assert planned(given, format="same").steps


def test_a_name_that_the_arrays_contradict_is_refused():
    refused("called like a Conv2D", file("keras2", conv2d_1={"kernel": (3, 3, 2, 4), "bias": (5,)}))


def test_a_layer_in_another_class_than_said_is_refused():
    given = file("keras2", dense_1={"kernel": (3, 4), "bias": (4,)})
    assert "are not those of a Conv2D" in str(refused("dense_1", given, "dense_1=Conv2D"))
    refused("no layer of the file is called 'dense_2'", given, "dense_2=Dense")
    refused("does not name a layer and a known class", given, "dense_1=Nothing")
    refused("does not name a layer and a known class", given, "dense_1")


def test_how_keras_1_ordered_the_axes_is_asked_where_the_shape_does_not_tell():
    square = file("keras1", convolution2d_1={"W": (3, 3, 3, 3), "b": (3,)})
    assert "source_data_format=" in refused("either data format", square).fix
    kernel = square.groups[0].arrays[0].read()
    first, _ = arrays(square, planned(square, source_data_format="channels_first"))
    last, _ = arrays(square, planned(square, source_data_format="channels_last"))
    assert np.array_equal(first, kernel.transpose(2, 3, 1, 0)[::-1, ::-1])
    assert np.array_equal(last, kernel[::-1, ::-1])


@pytest.mark.parametrize("given", ["channels_first", "channels_last", None])
def test_a_shape_that_tells_the_order_of_axes_is_believed(given):
    told = file("keras1", convolution2d_1={"W": (8, 2, 3, 5), "b": (8,)})
    kernel, _ = arrays(told, planned(told, source_data_format=given))
    assert kernel.shape == (3, 5, 2, 8)


def test_frozen_layers_stand_behind():
    """Keras puts what does not train last: a frozen layer among the moving means."""
    norm = dict.fromkeys(("gamma", "beta", "moving_mean", "moving_variance"), (4,))
    names = [f"batch_normalization_1/{slot}" for slot in norm]
    frozen = [("conv2d_1/kernel", (3, 3, 2, 4)), ("conv2d_1/bias", (4,))]
    for order in ([*names[:2], *frozen, *names[2:]], [*names, *frozen]):
        stored = [(item, (4,)) if isinstance(item, str) else item for item in order]
        group = Group("model_1", [InMemory(name, np.zeros(shape)) for name, shape in stored])
        given = Checkpoint([group], backend="theano")
        (made,) = apply(planned(given), given).groups
        assert [array.name for array in made.arrays] == [f"model_1/{name}:0" for name, _ in stored]


def test_an_order_that_no_keras_writes_is_refused():
    names = ["dense_1/kernel", "dense_2/kernel", "dense_1/bias", "dense_2/bias"]
    group = Group("model_1", [InMemory(name, np.zeros((4, 4) if "kernel" in name else 4)) for name in names])
    refused("order", Checkpoint([group], backend="theano"))


# --------------------------------------------------------------- data formats ----


def test_another_data_format_needs_the_architecture():
    given = file("keras1", convolution2d_1={"W": (8, 2, 3, 5), "b": (8,)})
    assert "data_format='keep'" in refused("channels_last", given, data_format="channels_last").fix
    last = file("keras1", convolution2d_1={"W": (3, 5, 2, 8), "b": (8,)})
    assert planned(last, data_format="native").steps


def test_the_data_format_of_keras_2_kernels_can_be_stated():
    given = file("keras2", conv2d_1={"kernel": (3, 3, 2, 4)})
    refused("channels_last", given, data_format="channels_last")
    assert planned(given, data_format="native", source_data_format="channels_last").steps


def test_without_images_there_is_nothing_to_bring_over():
    given = file("keras2", lstm_1={"kernel": (3, 8), "recurrent_kernel": (2, 8), "bias": (8,)})
    assert planned(given, data_format="native").steps


# ------------------------------------------------------ with an architecture ----


def test_yaml_is_as_good_as_json(tmp_path):
    """What Keras 1.2.2 wrote, numpy's numbers among it."""
    made = []
    for name in ("arch.json", "arch.yaml"):
        done = convert(LENET / "weights.h5", tmp_path / f"{name}.h5", target="tensorflow", arch=LENET / name)
        with hdf5.read(done.target) as result:
            made.append([array.read() for group in result.groups for array in group.arrays])
    assert all(np.array_equal(a, b) for a, b in zip(*made, strict=True))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("!!python/object/apply:os.system ['true']", "is not YAML of Keras"),
        ("a: !!python/object/apply:numpy.dtype {args: [O8, 0, 1]}", "no number's"),
        ("a: [", "is not YAML of Keras"),
        ("- 1", "is not the YAML of a model"),
        ("&a [*a]", "stand for more than"),
        (
            "\n".join(f"k{i}: &k{i} [{', '.join([f'*k{i - 1}'] * 9) if i else 1}]" for i in range(9)),
            "stand for more than",
        ),
        (f"a: 1{':1' * 500_000}", "a number has more than 100 digits .* line 1, column 4"),
        (f"a: 1{':1' * 50}.5", "a number has more than 100 digits"),
        (f"a: 0x{'f' * 5000}", "a number has more than 100 digits"),
        (f"a: 1{':1' * 49}", "an integer has more than 64 bits"),
        ("a: !!timestamp yesterday", "is not YAML of Keras"),
        ("a: !!int ''", "is not YAML of Keras"),
        ("a: !!float x", "is not YAML of Keras"),
        ("[" * 5000, "it is nested too deeply"),
        (f"[{'1,' * 200_000}]", "more than 100,000 values; give the architecture as JSON"),
        ("#\n" * 2**20, "is not the YAML of a model"),
        ("#\n" * 2**21, "more than 2,097,152 characters of YAML; give the architecture as JSON"),
        (
            f"a: &a {{{', '.join(f'k{i}: 1' for i in range(1000))}}}\nb: {{<<: [{', '.join(['*a'] * 1000)}]}}",
            "more than 100,000 values",
        ),
    ],
)
def test_hostile_yaml_is_refused(text, words, tmp_path):
    path = tmp_path / "arch.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(KconvertError, match=words) as refusal:
        convert(LENET / "weights.h5", tmp_path / "out.h5", target="tensorflow", arch=path)
    assert refusal.value.problem == Problem.UNREADABLE


def test_renamed_layers_are_matched_by_order_and_said(tmp_path):
    renamed = json.loads((LENET / "arch.json").read_text(encoding="utf-8"))
    for item in renamed["config"]:
        item["config"]["name"] += "_renamed"
    path = tmp_path / "arch.json"
    path.write_text(json.dumps(renamed), encoding="utf-8")
    with hdf5.read(LENET / "weights.h5") as weights:
        first = plan(weights, None, "tensorflow", arch=LENET / "arch.json")
        second = plan(weights, None, "tensorflow", arch=path)
        assert any("layers matched by order: " in note and " is " in note for note in second.notes)
        for a, b in zip(first.steps, second.steps, strict=True):
            assert all(np.array_equal(x, y) for x, y in zip(a.read(), b.read(), strict=True))


def test_the_release_of_the_architecture_is_that_of_the_weights(tmp_path):
    """Keras 1.0 stored the kernel of a Convolution1D as (out, in, time, 1), and no release in a file of weights."""
    given = file("keras1", convolution1d_1={"W": (4, 5, 3, 1), "b": (4,)})
    config = {"name": "convolution1d_1", "batch_input_shape": [None, 9, 5], "nb_filter": 4, "filter_length": 3}
    path = tmp_path / "arch.json"
    layers = [{"class_name": "Convolution1D", "config": config}]
    path.write_text(
        json.dumps({"class_name": "Sequential", "config": layers, "keras_version": "1.0.8"}), encoding="utf-8"
    )
    made = plan(given, None, "tensorflow", arch=path)
    kernel, _ = arrays(given, made)
    assert np.array_equal(kernel, given.groups[0].arrays[0].read()[:, :, ::-1, 0].transpose(2, 1, 0))
    assert "format keras1.0: keras_version of the architecture is 1.0.8" in made.evidence


def test_a_variance_of_an_unknown_release_is_noted():
    slots = dict.fromkeys(("gamma", "beta", "running_mean", "running_std"), (4,))
    assert any("release is not known" in note for note in planned(file("keras1", batchnormalization_1=slots)).notes)


def test_layers_are_said_of_weights_alone(tmp_path):
    with pytest.raises(KconvertError, match="leave layers= out"):
        convert(LENET / "model.h5", tmp_path / "out.h5", target="tensorflow", layers=["dense_1=Dense"])


def test_files_that_name_nothing_need_the_architecture():
    with hdf5.read(FOLDER / "0.3.3-theano" / "lstm" / "weights.h5") as weights:
        origin = decide(weights, Source(backend="theano")).convention
        assert origin.generation_name == "keras0"
        with pytest.raises(KconvertError, match="arch="):
            plan(weights, "theano", "tensorflow", "keep")


# -------------------------------------------------------------- command line ----


def test_what_cannot_run_is_not_verified(tmp_path):
    source, out = FOLDER / "2.3.1-theano" / "lenet_th" / "weights.h5", tmp_path / "out.h5"
    words = [str(source), "--to", "tensorflow", "--data-format", "keep", "-o", str(out)]
    result = CliRunner().invoke(cli.main, words)
    assert result.exit_code == Problem.UNVERIFIED
    assert "written but not verified" in result.stderr and "--arch" in result.stderr
    assert out.exists()
    assert CliRunner().invoke(cli.main, [*words, "--force", "--no-verify"]).exit_code == 0


def test_layers_are_said_on_the_command_line(tmp_path):
    source = FOLDER / "2.3.1-theano" / "td_conv2d_only_tf" / "weights.h5"
    words = ["plan", str(source), "--to", "tensorflow", "--data-format", "keep"]
    assert CliRunner().invoke(cli.main, words).exit_code == Problem.UNSUPPORTED
    result = CliRunner().invoke(cli.main, [*words, "--layer", "time_distributed_1=Conv2D"])
    assert result.exit_code == 0
    assert "time_distributed_1 is Conv2D (certain): as given" in " ".join(result.stdout.split())


@pytest.mark.parametrize("name", ["tf_kernels", "tf_kernels_notop"])
def test_names_that_were_taken(name):
    """TensorFlow adds _1 to a name that is taken; the plan is that of the architecture."""
    folder = FOLDER / "field" / "tensorflow_uniquified_names"
    with hdf5.read(folder / f"vgg16_weights_tf_dim_ordering_{name}.h5") as weights:
        alone = plan(weights, None, "theano", data_format="keep")
        chains = {step.path: step.chain for step in alone.steps}
        if "notop" not in name:
            described = plan(weights, None, "theano", data_format="keep", arch=folder / "arch.json")
            assert chains == {step.path: step.chain for step in described.steps}
    assert str(chains["block1_conv1", "kernel"]) == "flip hw of hwio"


TAKEN = FOLDER / "taken"


@pytest.mark.parametrize("name", ["sequences", "nested", "cells"])
@pytest.mark.parametrize("target", ["theano", "tensorflow"])
def test_names_that_were_taken_say_what_the_architecture_says(name, target):
    """Gates of Keras 1 (W_i_2), scopes of Keras 2 (conv_1_2/kernel) and its cells, which share one scope (kernel_1)."""
    with hdf5.read(TAKEN / name / "weights.h5") as weights:
        ways = [
            {tuple(array.name for array in step.sources): step.chain for step in made.steps}
            for arch in (None, TAKEN / name / "arch.json")
            for made in [plan(weights, None, target, data_format="keep", arch=arch)]
        ]
    assert ways[0] == ways[1]


@pytest.mark.parametrize(
    "file", ["sequences/model.h5", "sequences/weights.h5", "nested/weights.h5", "cells/weights.h5"]
)
@pytest.mark.parametrize("emulates", ["theano", "tensorflow"])
def test_names_that_were_taken_compute_as_keras(file, emulates):
    folder = (TAKEN / file).parent
    arch = None if file.endswith("model.h5") else folder / "arch.json"
    model = kc.load_model(TAKEN / file, backend="numpy", convention=emulates, arch=arch)
    with np.load(folder / "io.npz") as io:
        np.testing.assert_allclose(model.predict(io["x0"]), io["y0"], rtol=1e-5, atol=1e-5)


def _of_tensorflow(names, shapes):
    """Weights alone of one layer of Keras 1 on TensorFlow."""
    arrays = [InMemory(f"own_{name}:0", np.ones(shape, "float32")) for name, shape in zip(names, shapes, strict=True)]
    return Checkpoint([Group("own", arrays)])


@pytest.mark.parametrize("names", [["W_1", "W_2"], ["W_1", "V_1"], ["kernel_1", "kernel_2"]])
def test_numbers_of_a_layers_own_are_not_tensorflows(names):
    weights = _of_tensorflow(names, [(3, 3, 2, 4), (3, 3, 4, 4)])
    with pytest.raises(KconvertError, match="no layer is known"):
        plan(weights, None, "theano", data_format="keep")
    made = plan(weights, None, "theano", data_format="keep", layers=["own=as-is"])
    assert all(not len(step.chain) for step in made.steps)


def test_a_layer_is_said_whose_arrays_have_numbers_in_part():
    weights = _of_tensorflow(["W_1", "b"], [(3, 3, 2, 4), (4,)])
    with pytest.raises(KconvertError, match="no layer is known"):
        plan(weights, None, "theano", data_format="keep")
    made = plan(weights, None, "theano", data_format="keep", layers=["own=Conv2D"])
    assert [str(step.chain) for step in made.steps] == ["flip hw of hwio", "as is"]


def test_cells_with_scopes_of_their_own():
    """As TensorFlow 2 names them: in a layer, in both directions, in a nested model, and several in one layer."""

    def lstm(scope, features, units):
        shapes = {"kernel": (features, 4 * units), "recurrent_kernel": (units, 4 * units), "bias": (4 * units,)}
        return [InMemory(f"{scope}/{slot}:0", np.zeros(shape, "float32")) for slot, shape in shapes.items()]

    groups = {
        "mine": lstm("mine/lstm_cell_1", 3, 2),
        "both": [*lstm("both/forward_x/lstm_cell_3", 3, 2), *lstm("both/backward_x/lstm_cell_4", 3, 2)],
        "inside": lstm("lstm_7/lstm_cell_8", 3, 2),
        "rnn": [*lstm("rnn/lstm_cell", 3, 2), *lstm("rnn/lstm_cell_2", 2, 2)],
    }
    file = Checkpoint([Group(name, arrays) for name, arrays in groups.items()], "tensorflow", "2.21.0")
    made = plan(file, None, "theano")
    assert [known.classes for known in made.model.inferred] == [("LSTM",)] * 6
    paths = ["mine", "both/forward_x", "both/backward_x", "inside/lstm_7", "rnn/lstm_cell", "rnn/lstm_cell_2"]
    assert ["/".join(known.path) for known in made.model.inferred] == paths


# ------------------------------------------------------------------------ work ----


def test_layers_with_the_same_arrays_are_read_once():
    """A deep network costs as much as its different layers; each layer keeps its own name."""
    keras2 = Convention("keras2", "tensorflow")
    inference = _Inference(keras2, keras2, None)
    shapes = {"kernel": (3, 4), "bias": (4,)}
    names = [f"dense_{i}" for i in range(1, 4)]
    known, layers = [], []
    for name in names:
        arrays = [InMemory(f"{name}/{slot}:0", np.zeros(shape)) for slot, shape in shapes.items()]
        (leaf,) = leaves_of(Group(name, arrays), "keras2", "here")
        layers.append(inference.decide(leaf, None)[0].layer)
        known.append(dict(inference.known))
    assert [layer.name for layer in layers] == names
    assert len({id(layer) for layer in layers}) == 3
    assert all(known[0][key] is candidates for key, candidates in known[-1].items())
    assert known[0].keys() == known[-1].keys()
