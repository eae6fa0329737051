"""The page of facts about Keras: its form, the citations in the code, and its tables against those in the code."""

import re
from dataclasses import fields
from functools import cache
from itertools import product
from pathlib import Path

import pytest

from kconvert.conventions.backends import BACKENDS, CHANNELS_FIRST, CHANNELS_LAST, BackendFacts
from kconvert.conventions.generations import GENERATIONS, KERAS1_NAMES, release
from kconvert.conventions.optimizers import STRUCTURES
from kconvert.conventions.roles import (
    GRU_GATES,
    LSTM_GATES,
    conv_kernel,
    depthwise_kernel,
    pointwise_kernel,
    transposed_conv_kernel,
    variance,
)
from kconvert.conventions.words import keras0_writing
from kconvert.conventions.words.keras1 import ONE_REGULARIZER, SINCE
from kconvert.conventions.words.keras2 import NAMED_SEQUENTIALS
from kconvert.conventions.words.rules import GONE, METHODS, RULES
from kconvert.conversion.passes.cudnn import SINCE as CUDNN_SINCE
from kconvert.conversion.passes.oddities.keras2 import FUSED_EPSILON
from kconvert.conversion.passes.releases import ODDITIES
from kconvert.formats.hdf5.writer import HEADER_LIMIT
from kconvert.layers.cells import STORED_LSTM_GATES

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "keras-facts.md").read_text(encoding="utf-8")
CITED = re.compile(r"keras-facts:\s+([a-z0-9-]+(?:,\s+[a-z0-9-]+)*)")
FACTS = dict(re.findall(r"^### (\S+)\n(.*?)(?=^##|\Z)", PAGE, re.M | re.S))


def cells(text):
    """The rows of the tables in a fact, without their headers."""
    rows = [
        tuple(cell.strip() for cell in line.strip("| \n").split(" | ")) for line in text.splitlines() if "|" in line
    ]
    heads = {i - 1 for i, row in enumerate(rows) if set(row) == {"---"}}
    return [row for i, row in enumerate(rows) if i not in heads and set(row) != {"---"}]


@cache
def table(slug):
    return [tuple(cell.replace("`", "") for cell in row) for row in cells(FACTS[slug])]


def words(text):
    """`text` in one line, with single spaces."""
    return " ".join(text.split())


# -------------------------------------------------------------------- form ----


def test_names_of_facts_are_unique_and_plain():
    heads = re.findall(r"^### (.*)$", PAGE, re.M)
    assert len(heads) == len(set(heads)) == len(FACTS)
    assert all(re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", head) for head in heads)


@pytest.mark.parametrize("slug", FACTS)
def test_every_fact_has_a_source_and_a_test(slug):
    parts = re.fullmatch(r"\n(.+)\n\n- Source: (.+)\n- Shown by: (.+?)\s*", FACTS[slug], re.S)
    assert parts, "a text, a line 'Source: ' and a line 'Shown by: '"
    assert words(parts[2]).endswith(".")
    shown = re.findall(r"`([^`]+)`", parts[3])
    assert words(parts[3]) == ", ".join(f"`{path}`" for path in shown)
    for path in shown:
        file, _, test = path.partition("::")
        assert (ROOT / file).exists(), path
        assert not test or f"def {test}(" in (ROOT / file).read_text(encoding="utf-8"), path


def test_what_code_cites_is_on_the_page():
    sources = [path for folder in ("kconvert", "tests", "benchmarks") for path in (ROOT / folder).rglob("*.py")]
    for path in sources:
        cited = [slug for found in CITED.findall(path.read_text(encoding="utf-8")) for slug in re.split(r",\s+", found)]
        assert set(cited) <= set(FACTS), path


# ------------------------------------------------------------------ tables ----


def test_every_fact_of_a_backend_has_its_row():
    rows = {row[0]: row[1:] for row in table("backend-facts")}
    assert list(rows) == [field.name for field in fields(BackendFacts) if field.name not in ("name", "title")]
    said = {True: "yes", False: "no", None: "any factors"}
    for field, (theano, tensorflow, _) in rows.items():
        for name, cell in (("theano", theano), ("tensorflow", tensorflow)):
            value = getattr(BACKENDS[name], field)
            assert callable(value) or cell.removesuffix(" only") == said.get(value, str(value)), (field, name)


def test_every_form_of_a_file_has_its_row():
    yes = {True: "yes", False: "no"}
    known = [(form.name, form.releases, yes[form.fused_gates], yes[not form.numbered]) for form in GENERATIONS.values()]
    assert table("generations") == known
    assert dict(table("form-by-release")) == {one: form.name for form in GENERATIONS.values() for one in form.versions}
    assert dict(table("weight-names")) == KERAS1_NAMES


@pytest.mark.parametrize(
    ("slug", "make", "rank", "column"),
    [
        ("conv1d-kernel-axes", conv_kernel, 1, 1),
        ("conv-kernel-axes", conv_kernel, 2, 2),
        ("conv-kernel-axes", conv_kernel, 3, 3),
        ("transposed-kernel-axes", transposed_conv_kernel, 2, 2),
        ("separable-kernel-axes", depthwise_kernel, 2, 2),
        ("separable-kernel-axes", pointwise_kernel, 2, 3),
    ],
)
def test_axes_of_stored_kernels(slug, make, rank, column):
    for form, data_format in product(GENERATIONS.values(), (CHANNELS_FIRST, CHANNELS_LAST)):
        last = release(form.releases.rpartition(" ")[2])
        rows = [row for row in table(slug) if data_format in row or "either" in row or slug.startswith("conv1d")]
        (axes,) = {row[column] for row in rows if spans(row[0], last)} or {None}
        assert axes in (None, make(rank).stored_axes(form.name, data_format)), (form.name, data_format)


def spans(releases, version):
    """Whether the release `version` is in the range 'FIRST - LAST'."""
    first, last = releases.split(" - ")
    return release(first) <= version <= release(last)


def test_what_each_form_divides_by_has_its_row():
    """The number of ops states the form: 0 the canonical variance, 1 a deviation, 2 a root of the variance."""
    said = [("variance", "sqrt(v + e)"), ("deviation", "s + e"), ("variance", "sqrt(v) + e")]
    values = variance(0.01).values
    known = [
        (form, *(cell for name in ("theano", "tensorflow") for cell in said[len(values.get((form, name), ()))]))
        for form in GENERATIONS
    ]
    assert table("running-std") == known


def test_slots_of_optimizers():
    known = [(name, ", ".join(one.scalars), ", ".join(one.slots)) for name, one in STRUCTURES.items()]
    assert table("optimizer-slots") == known


def test_words_of_keras_1():
    assert table("keras1-classes") == [(rule.old, rule.new) for rule in RULES if rule.old != rule.new]
    renamed = {(key.old, key.new) for rule in RULES for key in rule.keys if key.old != key.new}
    assert set(table("keras1-keys")) == renamed
    methods = [(method, key.old, key.new) for method, keys in METHODS.items() for key in keys]
    assert table("keras1-methods") == methods
    assert all(f"`{word}`" in FACTS["keras1-methods"] for word in GONE)


def test_values_of_keras_1():
    read = {key.old: key.read for rule in RULES for key in rule.keys}
    for key, old, new in table("keras1-values"):
        assert new.partition(":")[0] == str(read[key](old)).lower()


def test_words_of_keras_1_by_release():
    known = {(cls, key, since) for cls, keys in SINCE.items() for key, since in keys.items()}
    assert {(cls, key, release(since)) for cls, key, since in table("keras1-words-by-release")} == known
    demanded = {key for rule in RULES for key in rule.required}
    assert all(f"`{key}`" in FACTS["keras1-words-by-release"] for key in demanded)


def test_classes_of_keras_0():
    assert set(re.findall(r"`(\w+)`", FACTS["keras0-classes"].partition("- Source")[0])) == keras0_writing.CLASSES


def test_keys_that_keras_0_lacks():
    assert all(f"`{key}`" in FACTS["keras0-lacks"] for key in keras0_writing.LATER_KEYS)


@pytest.mark.parametrize(
    ("slug", "value"),
    [
        ("names-of-sequentials", NAMED_SEQUENTIALS),
        ("keras1-words-by-release", ONE_REGULARIZER),
        ("cudnn-only-on-tensorflow", CUDNN_SINCE),
        ("split-lists-of-names", HEADER_LIMIT),
        ("raised-epsilon", f"{FUSED_EPSILON * 1e5:.3f}e-5"),
        ("gate-order", f"`{' '.join(STORED_LSTM_GATES)}`"),
        ("gate-order", f"`{' '.join(LSTM_GATES)}`"),
        ("gate-order", f"`{' '.join(GRU_GATES)}`"),
    ],
)
def test_numbers_of_the_code_are_those_of_the_page(slug, value):
    said = ".".join(map(str, value)) if isinstance(value, tuple) else str(value)
    assert said in words(FACTS[slug])


@pytest.mark.parametrize("oddity", ODDITIES, ids=lambda oddity: f"{oddity.releases} {oddity.does}")
def test_every_oddity_has_its_fact(oddity):
    named = [oddity.releases.lower(), *(cls.__name__.lower() for cls in oddity.classes)]
    assert [slug for slug, text in FACTS.items() if all(word in words(text).lower() for word in named)]
