"""The name of the distribution is stated in one place, and no text advises to install another project, kconvert."""

import re
import runpy

import pytest
import yaml

from kconvert import __version__
from kconvert._version import DISTRIBUTION, REPOSITORY
from release.__main__ import SUPPORTED
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


ADDRESS = re.compile(r"https://github\.com/[\w-]+/kconvert\b")


def test_the_address_of_the_repository_is_the_same_everywhere(texts):
    assert {address for text in texts.values() for address in ADDRESS.findall(text)} == {REPOSITORY}


@pytest.fixture
def metadata(monkeypatch):
    """What setup.py passes to setuptools."""
    given = {}
    monkeypatch.setattr("setuptools.setup", lambda **options: given.update(options))
    monkeypatch.chdir(ROOT)
    runpy.run_path("setup.py")
    return given


def test_setup_takes_name_and_version_from_there(metadata):
    assert (metadata["name"], metadata["version"]) == (DISTRIBUTION, __version__)


def test_the_citation_names_this_version():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert (citation["version"], citation["repository-code"]) == (__version__, REPOSITORY)


def test_links_of_the_readme_work_on_the_page_of_the_package_index(metadata):
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    relative = re.findall(r"\]\((?!https?:|#)([^)]*)\)", readme)
    assert relative
    page = metadata["long_description"]
    assert re.findall(r"\]\((?!https?:|#)([^)]*)\)", page) == []
    assert all(f"/HEAD/{path})" in page for path in relative)


def test_the_supported_versions_of_python_are_those_of_the_release_check(metadata):
    tagged = [words.rpartition(" ")[2] for words in metadata["classifiers"] if re.search(r":: 3\.\d+$", words)]
    assert tuple(tagged) == SUPPORTED
    last = int(SUPPORTED[-1].partition(".")[2])
    assert metadata["python_requires"] == f">={SUPPORTED[0]},<3.{last + 1}"
