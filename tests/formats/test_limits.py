"""Files that would cost too much are refused by what they declare, before it is read."""

import json
import os
import re
import zipfile
from dataclasses import asdict

import h5py
import numpy as np
import pytest

from kconvert import convert, inspect, limited
from kconvert.conventions.words.values import MAX_DEPTH
from kconvert.conversion.call_limit import bounded
from kconvert.errors import KconvertError, Problem
from kconvert.formats.hdf5 import read
from kconvert.formats.limits import Budget, Limits, limits
from kconvert.network.architecture import model_from_config
from kconvert.network.graph import count_calls
from kconvert.network.sample_inputs import LARGEST
from tests.cli.commands import ROOT, run


def weights(path, **datasets):
    """A file of weights alone, with one layer; datasets: the arguments of `create_dataset`."""
    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = np.array([b"d"])
        group = file.create_group("d")
        group.attrs["weight_names"] = np.array([name.encode() for name in datasets])
        for name, arguments in datasets.items():
            group.create_dataset(name, dtype="float32", **arguments)
    return path


def refused(path, what):
    with pytest.raises(KconvertError, match=what) as caught:
        inspect(path)
    assert caught.value.problem == Problem.UNREADABLE
    assert caught.value.where.startswith(str(path))


def test_arrays_that_are_declared_and_not_stored_count_together(tmp_path):
    absent = {"shape": (16 * 2**20, 10), "chunks": (2**16, 10)}  # 640 MiB
    with read(weights(tmp_path / "one.h5", w=absent)) as checkpoint:
        assert not checkpoint.groups[0].arrays[0].read((slice(0, 3), slice(0, 3))).any()
    refused(weights(tmp_path / "two.h5", w=absent, b=absent), "would expand from 0 bytes")


def test_arrays_that_share_their_bytes_count_together(tmp_path):
    """700 names for one array of 4 MB made a result of 3 GB."""
    path = weights(tmp_path / "shared.h5", **{f"w{i}": {"shape": (1,)} for i in range(300)})
    with h5py.File(path, "r+") as file:
        for i in range(300):
            del file[f"d/w{i}"]
            file[f"d/w{i}"] = file["d/w0"] if i else np.random.default_rng(0).random((1024, 1024), "float32")
    refused(path, "would expand from 0 bytes to 4,194,304; all such arrays")


def test_packed_arrays_cost_nothing(tmp_path):
    data = np.zeros((2**20, 32), "float32")
    data[::16] = np.random.default_rng(0).standard_normal((2**16, 32))
    packed = {"data": data, "compression": "gzip"}
    with limited(bytes=0), read(weights(tmp_path / "packed.h5", w=packed)) as checkpoint:
        assert checkpoint.size > 2**27


def test_chunks_of_one_element(tmp_path):
    refused(
        weights(tmp_path / "tiny.h5", w={"shape": (2**11, 2**11), "chunks": (1, 1)}), "has too many chunks: 4,194,304"
    )


def test_chunks_that_would_fill_the_memory(tmp_path):
    large = {"shape": (2**14, 2**14), "chunks": (2**14, 2**14)}
    refused(weights(tmp_path / "large.h5", w=large), "has too large chunks .bytes.: 1,073,741,824")


def test_zeros_that_are_packed_count_together(tmp_path):
    packed = {"data": np.zeros((2**18, 32), "float32"), "compression": "gzip"}
    with limited(bytes=2**24):
        refused(weights(tmp_path / "packed.h5", w=packed), "would expand from [0-9,]+ bytes to 33,554,432")


def test_a_file_with_holes(tmp_path):
    path = weights(tmp_path / "holes.h5", w={"shape": (3,)})
    os.truncate(path, 2**40)
    refused(path, "has holes: the disk holds [0-9,]+ of its 1,099,511,627,776 bytes")
    with pytest.raises(KconvertError, match=r"holes.h5: has holes"):
        convert(path, tmp_path / "out.h5", "theano", "tensorflow")
    assert os.listdir(tmp_path) == ["holes.h5"]


def test_a_member_that_is_packed_too_well(tmp_path):
    convert(ROOT / "tests/fixtures/2.3.1-theano/lstm_impl1/model.h5", tmp_path / "lstm.keras", "theano", "tensorflow")
    with zipfile.ZipFile(tmp_path / "lstm.keras") as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    members["model.weights.h5"] += bytes(2**25)
    with zipfile.ZipFile(tmp_path / "packed.keras", "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    with limited(bytes=2**24):
        refused(tmp_path / "packed.keras", "would expand from [0-9,]+ bytes to ")


def test_attributes_that_keras_does_not_write(tmp_path):
    path = weights(tmp_path / "many.h5", w={"shape": (3,)})
    with h5py.File(path, "r+") as file:
        for number in range(1001):
            file.attrs[f"a{number}"] = number
    refused(path, "has 1,001 attributes that Keras does not write, and at most 1,000 are read; remove them")


def test_an_attribute_that_no_file_of_keras_holds(tmp_path):
    path = weights(tmp_path / "long.h5", w={"shape": (3,)})
    with h5py.File(path) as file, h5py.File(tmp_path / "new.h5", "w", libver="latest") as new:
        for name in file:
            file.copy(name, new)
        new.attrs.update(file.attrs, a=np.zeros(10_000))
    words = "new.h5: attribute a has 80,000 bytes, and a file of Keras holds 64,512 in one attribute; remove it"
    with pytest.raises(KconvertError, match=words):
        convert(tmp_path / "new.h5", tmp_path / "out.h5", "theano", "tensorflow", layers=["d=as-is"])


def test_arrays_are_counted(tmp_path):
    path = weights(tmp_path / "few.h5", **{f"w{i}": {"shape": (1,)} for i in range(5)})
    with limited(arrays=4):
        refused(path, "has too many arrays: 5, where the limit is 4")
    with limited(arrays=5), read(path) as checkpoint:
        assert len(checkpoint.names) == 5


@pytest.mark.parametrize("group", ["/", "d"], ids=["layer_names", "weight_names"])
def test_a_name_that_is_there_twice(tmp_path, group):
    path = weights(tmp_path / "twice.h5", w={"shape": (1,)})
    with h5py.File(path, "a") as file:
        attribute = {"/": "layer_names", "d": "weight_names"}[group]
        file[group].attrs[attribute] = np.repeat(file[group].attrs[attribute], 2)
    refused(path, "more than once")


def texts(path, count, length, padding=0):
    """A file with `count` short names in the attribute `names`, and a string of `length` characters in `many`."""
    weights(path, w={"data": np.zeros(padding, "float32")})
    with h5py.File(path, "a") as file:
        file.attrs.create("many", ["x" * length] * 2, dtype=h5py.string_dtype())
        file.attrs.create("names", [f"layer_{i}" for i in range(count)], dtype=h5py.string_dtype())
    return path


def shared_text(path, count, length):
    """A file whose attribute `names` has `count` strings, which are one stored string of `length` characters."""
    weights(path, w={"data": np.zeros(1, "float32")})
    with h5py.File(path, "a") as file:
        file.attrs.create("names", ["x" * length, *["y"] * (count - 1)], dtype=h5py.string_dtype())
    data = path.read_bytes()
    collections = [match.start().to_bytes(8, "little") for match in re.finditer(b"GCOL", data)]
    begin = max(data.find(length.to_bytes(4, "little") + place) for place in collections)
    stored = data[begin : begin + 16]  # its length, the place of its collection, its number in it
    path.write_bytes(data[:begin] + stored * count + data[begin + 16 * count :])
    return path


def test_strings_of_any_length_that_are_one_string(tmp_path):
    refused(shared_text(tmp_path / "bomb.h5", 3000, 2**20), "has too much text")


def test_strings_in_a_collection_whose_unused_bytes_are_set(tmp_path):
    path = shared_text(tmp_path / "bomb.h5", 3000, 2**20)
    path.write_bytes(path.read_bytes().replace(b"GCOL\x01\0\0\0", b"GCOL\x01abc"))
    refused(path, "has too much text")


def test_a_long_text_makes_no_list_of_names_longer(tmp_path):
    """As in a file of tf_keras with h5py 3, whose names lie beside a long model_config: EfficientNetB7."""
    path = weights(tmp_path / "deep.h5", w={"data": np.zeros(2**12, "float32")})
    names = [f"block_{i}/kernel:0" for i in range(3000)]
    with h5py.File(path, "a") as file:
        file.attrs["model_config"] = json.dumps({"note": "x" * 2**20})
        file.attrs.create("names", names, dtype=h5py.string_dtype())
        file.attrs.update({f"names{i}": names[:2] for i in range(900)})
    with limited(text=2**22), read(path) as checkpoint:
        assert checkpoint.attributes["names"].tolist() == names


def test_a_list_of_short_strings_in_a_large_file(tmp_path):
    with read(texts(tmp_path / "large.h5", 3000, 10, padding=2**24)) as checkpoint:
        assert list(checkpoint.attributes["names"][:2]) == ["layer_0", "layer_1"]


def test_many_lists_of_short_strings_in_a_small_file(tmp_path):
    """They cost what they are long."""
    path = weights(tmp_path / "small.h5", w={"data": np.zeros(2**12, "float32")})
    with h5py.File(path, "a") as file:
        file.attrs.update({f"names{i}": ["kernel", "bias"] for i in range(100)})
    with limited(text=2_000_000), read(path) as checkpoint:
        assert len(checkpoint.attributes) == 100


@pytest.mark.parametrize(("length", "fits"), [(100, True), (200_000, False)])
def test_one_string_in_a_file_that_is_larger_than_text_may_be(tmp_path, length, fits):
    path = weights(tmp_path / "large.h5", w={"data": np.zeros(2**16, "float32")})
    with h5py.File(path, "a") as file:
        file.attrs["note"] = "x" * length
    with limited(text=50_000):
        if fits:
            with read(path) as checkpoint:
                assert checkpoint.attributes["note"] == "x" * length
        else:
            refused(path, "needs 195,936 bytes at once, where text may need 50,000")


def test_strings_of_a_large_file_cost_what_they_are_long(tmp_path):
    """Not the size of the file, which no sum of them may reach."""
    path = texts(tmp_path / "large.h5", 2, 10, padding=2**16)
    with h5py.File(path, "a") as file:
        file.attrs.update({f"note{i}": "x" * 100 for i in range(10)})
    with limited(text=300_000), read(path) as checkpoint:
        assert len(checkpoint.attributes) == 12


def nested(depth):
    """A model in a model, and so on, each called twice."""
    model = {"class_name": "Dense", "config": {"name": "m0", "units": 3}}
    for level in range(1, depth + 1):
        entry = {"name": "x", "batch_input_shape": [None, 3]}
        first, called = int(level > 1), f"m{level - 1}"
        layers = [
            {"class_name": "InputLayer", "name": "x", "config": entry, "inbound_nodes": []},
            {**model, "name": called, "inbound_nodes": [[["x", 0, 0, {}]], [[called, first, 0, {}]]]},
        ]
        graph = {"name": f"m{level}", "layers": layers, "input_layers": [["x", 0, 0]]}
        model = {"class_name": "Model", "config": {**graph, "output_layers": [[called, first + 1, 0]]}}
    return model


@pytest.mark.parametrize(("depth", "fits"), [(13, True), (17, False), (40, False)])
def test_calls_of_networks_in_networks(tmp_path, depth, fits):
    path = weights(tmp_path / "weights.h5", kernel={"shape": (3, 3)}, bias={"shape": (3,)})
    arch = tmp_path / "arch.json"
    arch.write_text(json.dumps(nested(depth)))
    notes = inspect(path, arch=arch).notes
    assert any("too many calls of layers" in note for note in notes) is not fits
    if not fits:
        with pytest.raises(KconvertError, match="too many calls of layers"):
            convert(path, tmp_path / "out.h5", "theano", "tensorflow", arch=arch)


@pytest.mark.parametrize(("count", "fits"), [(100, True), (60_000, False)])
def test_the_inputs_of_one_call_count(tmp_path, count, fits):
    """Compiling an Add of 200,000 tensors took minutes."""
    graph = nested(1)["config"]
    call = {"class_name": "Add", "name": "sum", "config": {"name": "sum"}, "inbound_nodes": [[["x", 0, 0, {}]] * count]}
    graph.update(layers=[graph["layers"][0], call], output_layers=[["sum", 0, 0]])
    network = model_from_config({"class_name": "Model", "config": graph})
    assert count_calls(network) == 1 + count
    if fits:
        assert bounded(network) is network
    else:
        with pytest.raises(KconvertError, match="too many calls of layers"):
            bounded(network)


def test_limits_hold_in_their_block():
    with limited(arrays=3, calls=4):
        assert (limits().arrays, limits().calls, limits().text) == (3, 4, Limits().text)
    assert limits() == Limits()


def test_an_unknown_limit():
    message = "there is no limit 'size'; use bytes, arrays, chunks, chunk, text, json, calls"
    with pytest.raises(KconvertError, match=message), limited(size=3):
        pass


def test_json_has_a_limit_of_its_own(tmp_path):
    """Each of its bytes may become many in memory, and names in HDF5 may share one text."""
    path = weights(tmp_path / "long.h5", w={"shape": (1,)})
    with h5py.File(path, "a") as file:
        file.attrs["model_config"] = '{"class_name": "Sequential", "config": []}'
    with limited(json=41):
        refused(path, r"attribute model_config: has too long a text of JSON \(bytes\): 42, where the limit is 41")
    with limited(json=42), read(path) as checkpoint:
        assert checkpoint.model_config["config"] == []
    arch = tmp_path / "arch.json"
    arch.write_text("[" + "1," * 30 + "1]")
    with limited(json=50), pytest.raises(KconvertError, match=r"arch\.json: has too long a text of JSON"):
        convert(path, tmp_path / "out.h5", "theano", "tensorflow", arch=arch)


def test_a_packed_member_of_json(tmp_path):
    path = tmp_path / "packed.keras"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("config.json", b"[" + b"[]," * 2**15 + b"[]]")
        archive.writestr("metadata.json", "{}")
        archive.writestr("model.weights.h5", b"")
    with limited(json=2**16):
        refused(path, r"member config.json: has too long a text of JSON \(bytes\): 98,308")


def test_a_budget_adds_up(tmp_path):
    budget = Budget(tmp_path)
    budget.text(Limits().text, "here")
    with pytest.raises(KconvertError, match="has too much text"):
        budget.text(1, "here")


def test_the_documentation_states_the_limits():
    page = " ".join((ROOT / "docs/untrusted-files.md").read_text().split())
    rows = dict(re.findall(r"\| `(\w+)` \| ([\d,]+) \|", page))
    assert {name: int(value.replace(",", "")) for name, value in rows.items()} == asdict(Limits())
    assert f"{MAX_DEPTH} levels of nesting" in page
    assert f"most {LARGEST:,} elements" in page


def test_the_option_raises_a_limit(tmp_path):
    path = weights(tmp_path / "few.h5", **{f"w{i}": {"shape": (1,)} for i in range(5)})
    with limited(arrays=4):
        assert run("inspect", path, "--limit", "arrays=5").exit_code == 0
        assert "the limit is 4" in run("inspect", path).stderr
    assert "is not a limit" in run("inspect", path, "--limit", "arrays").stderr
    assert "there is no limit 'size'" in run("inspect", path, "--limit", "size=5").stderr
