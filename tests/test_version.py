"""The name of the distribution is stated in one place, and no text advises to install another project, kconvert."""

import re
import runpy

import pytest

from kconvert import __version__
from kconvert._version import DISTRIBUTION
from tests.checkout import ROOT, tracked

# `pip install kconvert`, `'kconvert[all]'`, `kconvert==0.1.0`: each installs the project of that name on PyPI.
OTHER_PROJECT = re.compile(r"pip install( -\S+)* ['\"]?kconvert\b|(?<![\w-])kconvert(\[[a-z{]|==)")
CODE = (".py", ".toml", ".yml", ".yaml", ".in", ".cfg", "Makefile")


@pytest.fixture(scope="module")
def texts():
    """The tracked text files, except the fixtures and this file, which contains the advice that it searches for."""
    data, this = ROOT / "tests" / "fixtures", ROOT / "tests" / "test_version.py"
    found = [path for path in tracked() if data not in (ROOT / path).parents and ROOT / path != this]
    return {str(path): (ROOT / path).read_text(encoding="utf-8", errors="replace") for path in found}


def test_no_advice_installs_the_other_project(texts):
    wrong = [f"{path}: {found[0]}" for path, text in texts.items() for found in OTHER_PROJECT.finditer(text)]
    assert wrong == []


@pytest.mark.parametrize(
    "words",
    [
        "pip install kconvert",
        "pip install -U kconvert",
        "pip install 'kconvert[all]'",
        "`kconvert[plot]`",
        "f\"'kconvert[{name}]'\"",
        "kconvert==0.1.0",
    ],
)
def test_every_form_of_that_advice_is_found(words):
    assert OTHER_PROJECT.search(words)


@pytest.mark.parametrize("words", ["pip install 'keras-kconvert[all]'", "pip install .", "found.kconvert == version"])
def test_other_words_are_not_taken_for_it(words):
    assert not OTHER_PROJECT.search(words)


def test_the_name_stands_in_one_place_of_the_code(texts):
    assert [path for path, text in texts.items() if path.endswith(CODE) and DISTRIBUTION in text] == [
        "kconvert/_version.py"
    ]


def test_setup_takes_name_and_version_from_there(monkeypatch):
    given = {}
    monkeypatch.setattr("setuptools.setup", lambda **options: given.update(options))
    monkeypatch.chdir(ROOT)
    runpy.run_path("setup.py")
    assert (given["name"], given["version"]) == (DISTRIBUTION, __version__)
