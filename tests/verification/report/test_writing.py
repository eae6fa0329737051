"""Writing: the form by the suffix, at once and whole, refused in time; every form takes every report."""

import io
import os
from dataclasses import replace

import pytest
from hypothesis import given, settings
from rich.console import Console

from kconvert import KconvertError
from kconvert.errors import Problem
from kconvert.verification.report import terminal, writing
from kconvert.verification.report.writing import FORMS, check_report, write_report
from kconvert.verification.value import Entry, Summary
from tests.verification.report.reports import DIFFERS, EQUAL, MANY, NOTHING, RUDE, RUDE_ONES, RUDELY, SHAPES, anything

SAMPLES = {
    "equal": EQUAL,
    "differs": DIFFERS,
    "nothing": NOTHING,
    "shapes": SHAPES,
    "rude": RUDELY,
    "many": MANY,
    "rude ones": RUDE_ONES,
}
suffixes = pytest.mark.parametrize("suffix", FORMS)


def render(suffix, done):
    return writing._form(suffix)(done)


def usage(path, words):
    for refuse in (check_report, lambda path: write_report(path, EQUAL)):
        with pytest.raises(KconvertError, match=words) as refusal:
            refuse(path)
        assert refusal.value.problem is Problem.USAGE
        assert "\n" not in str(refusal.value)


@suffixes
def test_the_suffix_is_the_form(suffix, tmp_path):
    path = tmp_path / f"report{suffix}"
    check_report(path)
    assert not path.exists()
    assert write_report(path, DIFFERS) == path
    assert path.read_text(encoding="utf-8") == render(suffix, DIFFERS)
    write_report(path, EQUAL)
    assert path.read_text(encoding="utf-8") == render(suffix, EQUAL), "an older report is replaced"
    assert os.listdir(tmp_path) == [path.name]


@suffixes
@pytest.mark.parametrize("name", SAMPLES)
def test_every_form_shows_every_report(suffix, name):
    text = render(suffix, SAMPLES[name])
    assert text.endswith("\n") and "\x1b" not in text
    text.encode("utf-8")


@suffixes
@settings(deadline=None, max_examples=40)
@given(done=anything)
def test_every_form_takes_any_report(suffix, done):
    render(suffix, done).encode("utf-8")


@suffixes
@pytest.mark.parametrize("name", ["differs", "nothing", "shapes", "many"])
def test_no_form_is_green_where_nothing_is_proved(suffix, name):
    signs = {".json": '"equal": false', ".xml": "<failure", ".md": "\N{CROSS MARK}", ".html": 'class="verdict bad"'}
    signs[".txt"] = "NOT PROVED" if name == "nothing" else "DIFFERS"
    assert signs[suffix] in render(suffix, SAMPLES[name])
    assert signs[suffix] not in render(suffix, EQUAL)


@suffixes
def test_numpy_in_place_of_a_backend_is_said_with_the_verdict_in_every_form(suffix):
    assert "EQUAL with NumPy emulating TensorFlow" in " ".join(render(suffix, EQUAL).split())
    both = replace(EQUAL, target=replace(EQUAL.target, emulates=None))
    assert "emulating" not in render(suffix, replace(both, notes=[]))
    many = " ".join(render(suffix, Summary([Entry("a.h5", EQUAL), Entry("b.h5", both)])).split())
    assert "1 with NumPy emulating TensorFlow" in many or suffix in (".xml", ".json")


GREEN = {".md": ("\N{WHITE HEAVY CHECK MARK}",), ".html": ('class="verdict good"',)}


@pytest.mark.parametrize("suffix", GREEN)
def test_only_what_is_proved_without_limits_is_green(suffix):
    proved = replace(EQUAL, target=replace(EQUAL.target, emulates=None))
    for many in (False, True):
        limited, green = (Summary([Entry("a.h5", one)]) if many else one for one in (EQUAL, proved))
        assert not any(sign in render(suffix, limited) for sign in GREEN[suffix])
        assert all(sign in render(suffix, green) for sign in GREEN[suffix])
        assert suffix == ".md" or "state limited" in render(suffix, limited)
    both = render(suffix, Summary([Entry("a.h5", EQUAL), Entry("b.h5", proved)]))
    assert {".md": "## \N{LARGE YELLOW CIRCLE} kconvert", ".html": '<header class="verdict warn">'}[suffix] in both


def test_only_what_is_proved_without_limits_is_green_in_the_terminal():
    proved = replace(EQUAL, target=replace(EQUAL.target, emulates=None))
    for done in (EQUAL, Summary([Entry("a.h5", EQUAL)])):
        assert terminal_styles(done).isdisjoint({"green"})
    for done in (proved, Summary([Entry("a.h5", proved)])):
        assert "green" in terminal_styles(done)


def terminal_styles(done):
    """The styles of the texts that are drawn."""
    console = Console(width=120, color_system="truecolor", force_terminal=True, file=io.StringIO())
    return {
        str(part.style) for line in console.render_lines(terminal.drawn(done)) for part in line if part.text.strip()
    }


def test_unknown_suffixes_are_refused_with_those_that_are_known(tmp_path):
    usage(tmp_path / "report.pdf", f"no form of report has the suffix '.pdf'; one of: {', '.join(FORMS)}")
    usage(tmp_path / "report", "has the suffix ''")


def test_places_where_nothing_can_be_written_are_refused(tmp_path):
    usage(tmp_path / "missing" / "report.md", "there is no directory")
    (tmp_path / "folder.md").mkdir()
    usage(tmp_path / "folder.md", "is not a regular file")
    usage(tmp_path / ("x" * 300 + ".md"), "cannot be written")


@suffixes
def test_a_failure_leaves_the_older_report(suffix, tmp_path):
    path = tmp_path / f"report{suffix}"
    write_report(path, EQUAL)
    before = path.read_bytes()
    with pytest.raises(AttributeError):
        write_report(path, object())
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == [path.name]


def test_names_from_files_are_spelled_out():
    assert RUDE.isprintable() is False
    for suffix in FORMS.keys() - {".json"}:
        assert r"\x1b[2J\n\ud800" in render(suffix, RUDELY).replace("&#91;", "[").replace("&#92;", "\\"), suffix
