"""JSON from files: only values that JSON has, and only so deep."""

import datetime
import json

import pytest

from kconvert.conventions.words.values import MAX_CONTAINERS, MAX_DEPTH, checked, parse_json

REFUSED = {
    "half a character": (["\ud800"], "has half of a character"),
    "half a character in a key": ({"\udfff": 1}, "has half of a character"),
    "a date": ({"built": datetime.date(2016, 1, 1)}, "of the type date, which JSON does not have"),
    "bytes": ([b"x"], "of the type bytes"),
    "a set": ([{1}], "of the type set"),
    "a key that is a number": ({1: "x"}, "the key 1 is not a string"),
    "a huge integer": ({"units": -(10**4000)}, "an integer has more than 64 bits"),
}


@pytest.mark.parametrize(("value", "said"), REFUSED.values(), ids=REFUSED)
def test_what_json_does_not_have(value, said):
    with pytest.raises(ValueError, match=said):
        checked(value)


@pytest.mark.parametrize("opening", ["[", '{"a":'])
@pytest.mark.parametrize("depth", [MAX_DEPTH + 1, 600, 10**5])
def test_deep_values(opening, depth):
    text = opening * depth + "1" + {"[": "]", '{"a":': "}"}[opening] * depth
    with pytest.raises(ValueError, match="nested more than 200 times"):
        parse_json(text)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_more_lists_than_the_memory_holds(encoding):
    text = "[" + "[]," * MAX_CONTAINERS + "{}]"
    for given in (text, text.encode(encoding)):
        with pytest.raises(ValueError, match="more than 1,000,000 lists and objects"):
            parse_json(given)


def test_values_that_json_has():
    value = {"a": [1, 2.5, None, True, "größe"], "b": {}}
    assert parse_json(json.dumps(value)) == value
    deep = "[" * MAX_DEPTH + "]" * MAX_DEPTH
    assert json.dumps(parse_json(deep)) == deep
