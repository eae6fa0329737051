"""Files of architectures, in every form in which users have them."""

import json
import os
import pickle
import time

import h5py
import numpy as np
import pytest

import kconvert as kc
from kconvert import KconvertError
from kconvert.errors import Problem
from kconvert.formats.architectures import architecture_json
from kconvert.network.architecture import model_from_config
from tests.fixtures import FOLDER

FIELD = FOLDER / "field" / "arch_json_in_json"
CASES = ["1.2.2-theano/lenet_th", "2.3.1-theano/lenet_th"]


def _text(name):
    return (FOLDER / name / "arch.json").read_text()


def _network(config, version=None):
    return model_from_config(config, version).stored_config()


def test_json_in_json_with_the_outputs_of_keras():
    with np.load(FIELD / "io.npz") as io:
        x, y = (io[name] for name in sorted(io))
    model = kc.load_model(FIELD / "weights.h5", "numpy", arch=FIELD / "arch_twice.json", source="theano")
    np.testing.assert_allclose(model.predict(x), y, atol=1e-5)


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize(
    "written",
    [
        lambda text: json.dumps(text).encode(),
        lambda text: json.dumps({"model": text, "epochs": 3}).encode(),
        lambda text: json.dumps({"architecture": json.loads(text)}).encode(),
        lambda text: json.dumps(json.dumps(text)).encode(),
        lambda text: text.replace('"', '\\"').encode(),
        lambda text: b"\xef\xbb\xbf" + text.encode(),
        lambda text: text.encode("utf-16"),
        lambda text: text.encode("utf-16-le"),
        lambda text: ("\ufeff" + json.dumps(text)).encode("utf-16-be"),
        lambda text: json.dumps(json.loads(text)["config"]).encode(),
    ],
    ids=[
        "twice",
        "key-and-text",
        "key",
        "three-times",
        "escaped",
        "mark",
        "UTF-16",
        "UTF-16-without-mark",
        "twice-in-UTF-16",
        "config",
    ],
)
def test_forms_of_the_text(name, written, tmp_path):
    path = tmp_path / "arch.json"
    path.write_bytes(written(_text(name)))
    version = json.loads(_text(name))["keras_version"]
    assert _network(architecture_json(path), version) == _network(json.loads(_text(name)))


def test_a_whole_model_gives_its_architecture(tmp_path):
    text = json.loads(_text(CASES[1]))
    path = tmp_path / "model.bin"
    with h5py.File(path, "w") as file:
        file.attrs["model_config"] = json.dumps({key: text[key] for key in ("class_name", "config")})
        file.attrs["keras_version"], file.attrs["backend"] = text["keras_version"], text["backend"]
        file.create_group("model_weights").attrs["layer_names"] = np.array([], "S1")
    assert architecture_json(path) == text


def test_whole_models_of_keras_as_the_architecture_of_weights(tmp_path):
    folder = FOLDER / "field" / "multi_gpu_model"
    with np.load(folder / "io.npz") as io:
        x, y = (io[name] for name in sorted(io))
    model = kc.load_model(folder / "weights.h5", "numpy", arch=folder / "model.h5")
    np.testing.assert_allclose(model.predict(x), y, atol=1e-5)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        *((pickle.dumps(value, protocol), "pickle") for value in ({"a": 1}, "text", [1]) for protocol in range(5)),
        (b'"' * 3, "is not JSON"),
        (json.dumps("words").encode(), "is not JSON"),
        (b"[" * 300 + b"]" * 300, "nested more than 200 times"),
        (b'{"a":' * 100000, "is not JSON"),
        (b"[]", "is not the JSON of a model"),
        (b'[{"class_name": "Dense"}, 3]', "is not the JSON of a model"),
        (b"\xff\xfe\x00", "is not JSON"),
        (b"", "is not JSON"),
        (b" " * (64 * 2**20 + 1), "bytes"),
    ],
)
def test_what_is_no_architecture_is_refused(data, said, tmp_path):
    path = tmp_path / "arch.json"
    path.write_bytes(data)
    with pytest.raises(KconvertError, match=said) as refusal:
        architecture_json(path)
    assert refusal.value.where == str(path) and refusal.value.problem is Problem.UNREADABLE


def test_weights_alone_are_no_architecture():
    with pytest.raises(KconvertError, match="weights and no architecture"):
        architecture_json(FIELD / "weights.h5")


def test_a_long_text_of_operations_of_pickle_is_known_by_its_beginning(tmp_path):
    (tmp_path / "arch.json").write_bytes(b"N" * 2**25 + b".")
    before = time.process_time()
    with pytest.raises(KconvertError, match=r"is a pickle|too long a text"):
        architecture_json(tmp_path / "arch.json")
    (tmp_path / "arch.json").write_bytes(b"N" * 2**24 + b".")
    with pytest.raises(KconvertError, match="is a pickle"):
        architecture_json(tmp_path / "arch.json")
    assert time.process_time() - before < 2


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes")
def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "arch.json")
    with pytest.raises(KconvertError, match=r"arch.json: is not a regular file") as refused:
        architecture_json(tmp_path / "arch.json")
    assert refused.value.problem == Problem.UNREADABLE
