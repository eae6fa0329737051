"""HTML as text: what it says, that nothing comes from outside, and that names are nothing but names."""

import base64
import hashlib
import re
import sys
from dataclasses import replace
from html import unescape

import pytest

from kconvert import KconvertError
from kconvert._version import install
from kconvert.errors import Problem
from kconvert.verification.report import writing
from kconvert.verification.report.html import CAUSES, render
from kconvert.verification.tolerance import Tolerance
from kconvert.verification.value import Entry, Summary
from tests.verification.report.reports import (
    CAUSE,
    DIFFERS,
    EQUAL,
    MANY,
    NOTHING,
    PLAN,
    RUDE_ONES,
    RUDELY,
    SHAPES,
    report,
)

SAMPLES = pytest.mark.parametrize("done", [EQUAL, DIFFERS, NOTHING, SHAPES, MANY, RUDELY, RUDE_ONES])


def text_of(done):
    """What a reader sees, tags apart."""
    body = render(done).partition("<body>")[2].partition("<script>")[0]
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", body)).split())


def test_the_verdict_the_cause_and_its_remedy_come_first():
    start = text_of(DIFFERS)[:300]
    assert start.startswith("kconvert verification DIFFERS in.h5 → to out.h5")
    assert "layer conv_2 Conv2D what is wrong kernel is reversed along hw weights" in start
    assert "to repair it flip hw of hwio (kernel)" in start


@pytest.mark.parametrize(
    ("done", "words"),
    [
        (EQUAL, "compute the same on both sides, with NumPy emulating TensorFlow."),
        (replace(DIFFERS, causes=[]), "conv_2 (Conv2D) is the first layer that differs: error 2, allowed 0.00036."),
        (SHAPES, "dense (Dense) is the first layer that differs: shapes differ: (2, 3) and (2, 4)."),
        (NOTHING, "No output was compared, so nothing is proved."),
        (replace(EQUAL, tolerance=Tolerance(rtol=1)), "The tolerance was LOOSENED to 1e-05 + 1 x scale"),
    ],
)
def test_what_the_head_says(done, words):
    assert words in text_of(done)[:300]


def test_a_page_shows_all_there_is():
    text = text_of(DIFFERS)
    for words in (
        "keras1/theano",
        "NumPy, emulating TensorFlow",
        "models/in.h5",
        "transpose oihw->hwio >> flip hw of hwio",
        "conv_0_W 4x1x3x3",
        "python 3.11.9",
        "4 samples (random, seed 0)",
        "axis 1 (10) downwards, axis 2 (8) to the right",
        "7 of 8 weights are identical to those of the converted source",
        "the same top class for 81.88 %",
    ):
        assert words in text, words


def test_layers_without_any_error_have_no_plots():
    exact = replace(EQUAL, layers=[replace(layer, max_error=0.0) for layer in EQUAL.layers])
    assert "Where the errors are" in text_of(EQUAL) and "Where the errors are" not in text_of(exact)


def test_many_causes_are_folded():
    text = text_of(replace(DIFFERS, causes=[replace(CAUSE, name=f"cause_{i}") for i in range(CAUSES + 2)]))
    assert text.index(f"cause_{CAUSES - 1}") < text.index("2 more causes") < text.index(f"cause_{CAUSES}")


def test_an_op_that_nobody_registered_is_shown_as_it_is():
    step = {**PLAN["weights"][0], "ops": [{"op": "unknown"}]}
    assert "{'op': 'unknown'}" in text_of(replace(EQUAL, plan={**PLAN, "weights": [step]}))


def test_a_summary_leads_to_every_file():
    page = render(MANY)
    assert [f'href="#file-{i}"' in page and f'id="file-{i}"' in page for i in range(3)] == [True] * 3
    assert "ERROR: broken.h5: the file is unreadable" in text_of(MANY)


# -------------------------------------------------------- nothing but the page ----


@SAMPLES
def test_nothing_comes_from_outside_or_from_the_file(done):
    page = render(done)
    tags = re.findall(r"<[a-zA-Z][^>]*>", page)
    assert not [tag for tag in tags if re.match(r"<(img|link|iframe|object|embed|base)", tag)]
    assert not [tag for tag in tags if re.search(r'\s(src|on\w+|style|action)=|href="(?!#)', tag)]
    assert page.count("<script") == page.count("<style") == 1
    assert "://" not in page


@SAMPLES
def test_the_policy_allows_the_one_style_and_the_one_script(done):
    page = render(done)
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page)[1]
    assert policy.startswith("default-src 'none'; ") and "unsafe" not in policy
    for tag, source in (("style", "style-src"), ("script", "script-src")):
        text = re.search(rf"<{tag}>(.*?)</{tag}>", page, re.S)[1]
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"{source} 'sha256-{digest}'" in policy


@pytest.mark.parametrize("done", [RUDELY, RUDE_ONES])
def test_names_are_text(done):
    page = render(done)
    assert "<img" not in page and "{{ 7 * 7 }}" in page
    assert "&lt;img src=x onerror=alert(1)&gt;" in page


def test_five_hundred_layers_fit():
    assert len(render(report(500, wrong_from=300))) < 500_000


def test_only_what_differs_is_unfolded_and_not_hundreds():
    assert len(re.findall(r"<details [^>]*open>", render(MANY))) == 1
    assert len(re.findall(r"<details [^>]*open>", render(Summary([Entry("a.h5", DIFFERS)] * 50)))) == 20


# ------------------------------------------------------------ what may be missing ----


@pytest.mark.parametrize(("suffix", "library"), [(".html", "jinja2"), (".xml", "junitparser")])
def test_a_missing_library_is_named_before_anything_runs(suffix, library, tmp_path, monkeypatch):
    for name in [name for name in sys.modules if name.partition(".")[0] == library]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, library, None)
    for name in ("kconvert.drawing.page", f"kconvert.verification.report.{writing.FORMS[suffix]}"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    with pytest.raises(KconvertError) as refusal:
        writing.check_report(tmp_path / f"report{suffix}")
    assert str(refusal.value) == f"reports in {suffix} need {library}, which is not installed; {install('report')}"
    assert refusal.value.problem is Problem.USAGE


def test_a_file_alone_without_a_report_has_no_table():
    failed = render(Summary([Entry("a.h5", error="a.h5: there is no such file", code=4)]))
    converted = render(Summary([Entry("a.h5 -> b.h5")]))
    assert 'class="verdict bad"' in failed and "ERROR: a.h5: there is no such file" in failed
    assert 'class="verdict warn"' in converted and "CONVERTED, not verified" in converted
    assert "<table" not in failed + converted
