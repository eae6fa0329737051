"""The rows of generations: which one wrote a file, and in which words an architecture is."""

import pytest

from kconvert.conventions.generations import release, words_of
from kconvert.conventions.words.table import KERAS1, KERAS2
from tests.conventions.words.items import arch, chain, conv, layer
from tests.fixtures import cases, identify


def test_generation_by_version_then_by_words():
    assert words_of({"keras_version": "1.2.2"}) is KERAS1
    assert words_of({"keras_version": "2.0.9"}) is KERAS2
    assert words_of({}, "1.0.8") is KERAS1
    assert words_of(chain(conv())) is KERAS1
    assert words_of(chain(layer("Conv2D", filters=2, kernel_size=3))) is KERAS2


@pytest.mark.parametrize("found", cases("1.2.2")[:6] + cases("2.3.1")[:6], ids=identify)
def test_generation_without_a_version(found):
    config = arch(found)
    del config["keras_version"]
    assert words_of(config) is (KERAS1 if found.release == "1.2.2" else KERAS2)


@pytest.mark.parametrize("stated", ["9" * 5000 + ".1", "\u00b2", "2..3", "2.-3", "2.3rc1", "", None])
def test_what_is_no_release(stated):
    """Python reads no number of 5,000 digits, and none from a superscript, though that is a digit."""
    assert release(stated) == ()
