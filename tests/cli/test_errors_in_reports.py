"""A run that was asked for reports and ends with an error writes the error into them."""

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest
from jsonschema import Draft202012Validator

from kconvert.cli import errors
from tests.cli.commands import EQUAL, HAZARD, ROOT, UNREADABLE, UNSUPPORTED, UNVERIFIED, USAGE, refused, run

FORMS = (".json", ".xml", ".md", ".html", ".txt")
SCHEMA = Draft202012Validator(json.loads((ROOT / "docs" / "report.schema.json").read_text(encoding="utf-8")))


def reports_in(folder):
    """The options that ask for a report of every form, and their files."""
    paths = [folder / f"report{form}" for form in FORMS]
    return [word for path in paths for word in ("--report", path)], paths


@pytest.fixture
def failing(bare, model):
    """Commands that end with an error, by their exit code."""
    hazard = HAZARD / "model.h5"
    return {
        UNSUPPORTED: (hazard, "--to", "tensorflow", "--no-repair", "-o", model.with_name("a.h5")),
        UNREADABLE: (model.with_name("gone.h5"), "--to", "tensorflow"),
        UNVERIFIED: (model, "--to", "tensorflow", "--require-backends"),
        USAGE: (hazard, "--to", "theano", "--from", "tensorflow", "-o", model.with_name("b.h5")),
    }


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (UNSUPPORTED, "the first element"),
        (UNREADABLE, "there is no such file"),
        (UNVERIFIED, "is written but not verified"),
        (USAGE, "was saved with theano"),
    ],
)
def test_every_form_of_report_has_the_error(failing, code, words, tmp_path):
    options, paths = reports_in(tmp_path)
    result = run(*failing[code], *options)
    assert result.exit_code == code, result.output
    for path in paths:
        assert words in " ".join(path.read_text(encoding="utf-8").split()), path
    (suite,) = ElementTree.parse(tmp_path / "report.xml").getroot()
    assert suite.get("errors") == "1" and float(suite.get("time")) >= 0
    done = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    SCHEMA.validate(done)
    assert done["files"][0]["code"] == code and done["files"][0]["seconds"] > 0 and not done["equal"]


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("verify", ["b"]),
        ("plan", []),
        ("inspect", []),
        ("diff", ["b"]),
        ("report", []),
        ("batch", ["--out", "out", "--to", "theano"]),
        ("compare", []),
    ],
)
def test_json_is_the_error(command, words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = run(command, "gone", *words, "--json")
    assert result.exit_code
    done = json.loads(result.stdout)
    SCHEMA.validate(done)
    (entry,) = done["files"]
    assert entry["name"].startswith("gone") and entry["code"] == result.exit_code
    assert entry["error"] == result.stderr.removeprefix("kconvert: ").strip()


def test_an_error_before_the_run_is_written_too(model, tmp_path):
    refused(USAGE, "no.such", model, "--custom", "no.such", "--report", tmp_path / "a.md")
    assert "no.such" in (tmp_path / "a.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("words", [["--arch", "{}"], ["--arch={}"], ["--inputs", "{}"], ["-o{}"], ["-o", "{}"]])
def test_no_error_replaces_a_file_that_is_only_read(model, tmp_path, words):
    (tmp_path / "arch.json").write_text("not JSON")
    named = [word.format(tmp_path / "arch.json") for word in words]
    result = run(model.with_name("gone.h5"), "--to", "tensorflow", *named, "--report", tmp_path / "arch.json")
    assert result.exit_code
    assert (tmp_path / "arch.json").read_text() == "not JSON"


def test_a_bug_is_in_the_report_too(model, tmp_path, monkeypatch):
    monkeypatch.setattr("kconvert.conversion.known_plans.plan_conversion", lambda *given: [][0])
    refused(errors.BUG, "a bug in kconvert", model, "--to", "tensorflow", "--report", tmp_path / "a.txt")
    assert "a bug in kconvert" in Path(tmp_path / "a.txt").read_text(encoding="utf-8")


def test_a_conversion_without_verification_is_no_proof(bare, model, tmp_path):
    options, paths = reports_in(tmp_path)
    assert run(model, "--to", "tensorflow", "--no-verify", *options).exit_code == EQUAL
    for path in paths:
        text = path.read_text(encoding="utf-8")
        assert "CONVERTED, not verified" in text or '"converted"' in text, path
    assert json.loads((tmp_path / "report.json").read_text())["files"][0]["state"] == "converted"


def test_the_self_test_has_no_report(bare, model, tmp_path):
    refused(
        USAGE, "--self-test writes no --report", "verify", model, model, "--self-test", "--report", tmp_path / "a.md"
    )
