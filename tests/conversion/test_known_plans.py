"""Plans that files share: the results are those of single conversions, bit for bit."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest

from kconvert.conversion.files import convert_file
from kconvert.conversion.known_plans import KEPT, KnownPlans, planned
from kconvert.conversion.source import Source
from kconvert.conversion.target import Wanted
from kconvert.errors import KconvertError
from kconvert.formats.limits import limited
from kconvert.layers import Dense
from kconvert.layers.registry import CUSTOM
from tests.cli.commands import LENET, LSTM

FIXTURES = Path(__file__).parent.parent / "fixtures"
SOME = sorted(path.relative_to(FIXTURES).as_posix() for path in FIXTURES.glob("*/*/*.h5"))[::9]
PLANS = KnownPlans()
LENET_TH = Source(LENET / "model.h5", "theano")
TO_TENSORFLOW = Wanted("tensorflow")


def with_other_numbers(path, copy):
    """A copy of a file in which all numbers that are not whole are twice as large."""
    shutil.copy(path, copy)

    def double(name, item):
        if isinstance(item, h5py.Dataset) and item.dtype.kind == "f":
            item[...] = 2 * item[()]

    with h5py.File(copy, "a") as file:
        file.visititems(double)
    return copy


def outcome(source, wanted, out, planner):
    """The bytes that a conversion writes and its report, or its error."""
    beside = out.with_suffix(".json")
    try:
        done = convert_file(source, wanted.target(out), out, planner=planner)
        text = beside.read_text() if done.architecture else None
        return out.read_bytes(), json.dumps(done.to_json()), text
    except KconvertError as error:
        return str(error)
    finally:
        out.unlink(missing_ok=True)
        beside.unlink(missing_ok=True)


@pytest.mark.parametrize("name", SOME)
def test_the_results_are_those_of_single_conversions(tmp_path, name):
    path = FIXTURES / name
    arch = path.with_name("arch.json")
    given = arch if arch.exists() and path.stem == "weights" else None
    other = tmp_path / path.name
    with_other_numbers(path, other)
    for wanted, ending in ((TO_TENSORFLOW, ".h5"), (Wanted("theano", "same"), ".h5"), (Wanted(), ".keras")):
        for one in (path, other, path):
            source = Source(one, "theano", arch=given)
            out = tmp_path / f"out{ending}"
            assert outcome(source, wanted, out, PLANS) == outcome(source, wanted, out, planned)
    assert len(PLANS) <= KEPT


def plans_for(tmp_path, *sources, wanted=TO_TENSORFLOW):
    """How many plans are known after the conversion of these sources."""
    plans = KnownPlans()
    for source in sources:
        out = tmp_path / "out.h5"
        convert_file(source, wanted.target(out), out, planner=plans)
        out.unlink()
    return len(plans)


def test_files_of_one_architecture_share_a_plan(tmp_path):
    other = with_other_numbers(LENET / "model.h5", tmp_path / "other.h5")
    assert plans_for(tmp_path, LENET_TH, replace(LENET_TH, path=other)) == 1
    assert plans_for(tmp_path, LENET_TH, Source(LSTM / "model.h5", "theano")) == 2


def test_what_a_plan_depends_on_is_in_its_key(tmp_path):
    plans = KnownPlans()

    def known(source=LENET_TH, **wanted):
        out = tmp_path / "out.h5"
        convert_file(source, Wanted("tensorflow", **wanted).target(out), out, replaces=True, planner=plans)
        return len(plans)

    speaking = tmp_path / "lenet_th.h5"
    shutil.copy(LENET / "model.h5", speaking)
    assert known() == known() == 1
    assert known(replace(LENET_TH, path=speaking)) == 1  # the name says th, and nothing of kernels
    speaking = speaking.rename(tmp_path / "lenet_tf_kernels.h5")
    assert known(replace(LENET_TH, path=speaking)) == 2
    assert known(data_format="channels_first") == 3
    assert known(replace(LENET_TH, force=True)) == 4
    with limited(calls=99):
        assert known() == 5
    with h5py.File(speaking, "a") as file:
        file.attrs["keras_version"] = "1.0.6"
    assert known(replace(LENET_TH, path=speaking)) == 6


def test_a_class_that_the_user_registers_makes_a_new_plan(tmp_path, monkeypatch):
    plans = KnownPlans()
    for number, known in enumerate([{}, {"Mine": Dense}]):
        for name, layer in known.items():
            monkeypatch.setitem(CUSTOM, name, layer)
        out = tmp_path / f"{number}.h5"
        convert_file(LENET_TH, TO_TENSORFLOW.target(out), out, planner=plans)
    assert len(plans) == 2


def test_another_architecture_that_is_given_makes_a_new_plan(tmp_path):
    arch = tmp_path / "arch.json"
    source = Source(LENET / "weights.h5", "theano", arch=arch)
    plans = KnownPlans()
    for number, epsilon in enumerate(("relu", "tanh")):
        arch.write_text((LENET / "arch.json").read_text().replace('"relu"', f'"{epsilon}"'))
        out = tmp_path / f"{number}.h5"
        convert_file(source, TO_TENSORFLOW.target(out), out, planner=plans)
        out.with_suffix(".json").unlink(missing_ok=True)
    assert len(plans) == 2


def test_a_plan_that_reads_an_array_is_not_shared(tmp_path):
    """The state of an optimizer of Keras 3 begins with the number of its iterations, which the plan states."""
    out = tmp_path / "out.keras"
    plans = KnownPlans()
    convert_file(LENET_TH, Wanted().target(out), out, planner=plans)
    assert len(plans) == 0


def test_a_plan_is_forgotten_where_a_conversion_fails(tmp_path, monkeypatch):
    plans = KnownPlans()
    convert_file(LENET_TH, TO_TENSORFLOW.target(), tmp_path / "out.h5", planner=plans)
    with pytest.raises(KconvertError, match="exists already"):
        convert_file(LENET_TH, TO_TENSORFLOW.target(), tmp_path / "out.h5", planner=plans)
    assert len(plans) == 0


def test_arrays_of_another_type_make_a_new_plan(tmp_path):
    copy = tmp_path / "model.h5"
    shutil.copy(LENET / "model.h5", copy)
    with h5py.File(copy, "a") as file:
        weights = file["model_weights/dense_1"]
        name = weights.attrs["weight_names"][0]
        array = weights[name][()].astype("float64")
        del weights[name]
        weights[name] = array
    assert plans_for(tmp_path, LENET_TH, replace(LENET_TH, path=copy)) == 2
    out = tmp_path / "out.h5"
    plans = KnownPlans()
    for path in (LENET / "model.h5", copy):
        convert_file(replace(LENET_TH, path=path), TO_TENSORFLOW.target(out), out, replaces=True, planner=plans)
    with h5py.File(out) as file:
        assert sorted({str(one.dtype) for one in file["model_weights/dense_1/dense_1"].values()}) == [
            "float32",
            "float64",
        ]
        assert all(np.isfinite(one).all() for one in file["model_weights/dense_1/dense_1"].values())
