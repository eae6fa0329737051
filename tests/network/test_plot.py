"""plot_model: the graph of a model as Graphviz draws it."""

from __future__ import annotations

import re
import shutil

import pytest

import kconvert as kc
from kconvert import layers as L
from kconvert.errors import KconvertError


@pytest.fixture
def model():
    """A layer called twice, two inputs, and a name that must be escaped."""
    a, b = kc.Input((4,), name="a"), kc.Input((4,), name="b")
    shared = L.Dense(3, name="<shared> & {twice}")
    return kc.Model([a, b], L.Add(name="sum")([shared(a), shared(b)]))


def test_the_source_holds_every_layer_and_every_arrow(model, tmp_path):
    path = kc.plot_model(model, tmp_path / "model.dot", show_shapes=True, rankdir="LR")
    source = path.read_text(encoding="utf-8")
    assert "rankdir=LR" in source and "&lt;shared&gt; &amp; {twice}: Dense" in source
    assert sorted(re.findall(r"\d+ -> \d+", source)) == ["0 -> 2", "1 -> 2", "2 -> 3", "2 -> 3"]
    assert source.count("(None, 4)") == 4 and "[(None, 3), (None, 3)]" in source


def test_shapes_and_names_may_be_left_out(model, tmp_path):
    source = kc.plot_model(model, tmp_path / "model.dot", show_layer_names=False).read_text(encoding="utf-8")
    assert "None" not in source and "shared" not in source and "<b>Dense</b>" in source


def test_models_within_the_model_are_frames_around_their_layers(model, tmp_path):
    c = kc.Input((4,))
    outer = kc.Model(c, L.Dense(2)(kc.Sequential([L.Dense(3, input_shape=(3,))], name="in \\N")(model([c, c]))))
    plain = kc.plot_model(outer, tmp_path / "plain.dot").read_text(encoding="utf-8")
    assert "cluster" not in plain and re.findall(r"\d -> \d", plain) == ["0 -> 1", "0 -> 1", "1 -> 2", "2 -> 3"]
    source = kc.plot_model(outer, tmp_path / "nested.dot", expand_nested=True, dpi=50).read_text(encoding="utf-8")
    assert source.count("subgraph") == 2 and r'label="in \\N"' in source and "dpi=50" in source
    arrows = re.findall(r'"?([\d.]+)"? -> "?([\d.]+)"?', source)
    assert arrows[-4:] == [("0", "1.0"), ("0", "1.1"), ("1.3", "2.0"), ("2.1", "3")]


@pytest.mark.skipif(not shutil.which("dot"), reason="Graphviz is not installed")
@pytest.mark.parametrize(("ending", "begins"), [("png", b"\x89PNG"), ("svg", b"<?xml"), ("pdf", b"%PDF")])
def test_a_picture_is_drawn_in_the_format_of_its_ending(model, tmp_path, ending, begins):
    assert kc.plot_model(model, tmp_path / f"model.{ending}").read_bytes().startswith(begins)


def test_without_the_program_dot_one_sentence_says_what_to_install(model, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(KconvertError, match=r"dot is not installed; install Graphviz .* or write a \.dot file"):
        kc.plot_model(model, tmp_path / "model.png")


@pytest.mark.parametrize(
    ("name", "said"),
    [("model.bmpp", "not support .bmpp"), ("model", "without an ending"), ("no/model.dot", "cannot be")],
)
def test_what_cannot_be_drawn_is_refused(model, tmp_path, name, said):
    with pytest.raises(KconvertError, match=said):
        kc.plot_model(model, tmp_path / name)


def test_a_chain_without_an_input_shape_is_refused(tmp_path):
    with pytest.raises(KconvertError, match=r"give the first layer input_shape"):
        kc.plot_model(kc.Sequential([L.Dense(3)]), tmp_path / "model.dot")
