"""JSON is what the schema says, for real reports and for any at all."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from jsonschema import Draft202012Validator, ValidationError

from kconvert.verification.report.json import render
from kconvert.verification.value import SCHEMA, Entry, Summary
from tests.verification.report.reports import DIFFERS, EQUAL, MANY, NOTHING, anything

TEXT = (Path(__file__).parents[3] / "docs" / "report.schema.json").read_text(encoding="utf-8")
VALIDATOR = Draft202012Validator(json.loads(TEXT))


def checked(done):
    value = json.loads(render(done))
    VALIDATOR.validate(value)
    return value


def test_the_schema_is_one_and_has_the_version_of_the_reports():
    Draft202012Validator.check_schema(VALIDATOR.schema)
    assert VALIDATOR.schema["$id"] == f"urn:kconvert:report:{SCHEMA}"
    assert VALIDATOR.schema["$defs"]["schema"]["const"] == SCHEMA


def test_real_reports_follow_the_schema(real):
    good, bad = map(checked, real)
    assert good["equal"] and not bad["equal"]
    assert bad["first_divergence"] == "conv2d_2"
    many = checked(Summary([Entry(name, report) for name, report in zip("ab", real, strict=True)]))
    assert [file["state"] for file in many["files"]] == ["equal", "differs"]
    assert many["files"][1]["report"] == bad


@settings(deadline=None)
@given(done=anything)
def test_any_report_follows_the_schema(done):
    assert checked(done)["equal"] is done.equal


@pytest.mark.parametrize("done", [EQUAL, DIFFERS, NOTHING, MANY], ids=["equal", "differs", "nothing", "many"])
def test_what_is_missing_or_unknown_is_seen(done):
    """The schema itself can fail."""
    value = checked(done)
    for key in value:
        with pytest.raises(ValidationError):
            VALIDATOR.validate({name: item for name, item in value.items() if name != key})
    with pytest.raises(ValidationError):
        VALIDATOR.validate({**value, "unknown": 1})


def test_the_code_of_a_pair_without_a_report():
    assert [file["code"] for file in checked(MANY)["files"]] == [0, 0, 4]
