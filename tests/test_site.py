"""The site of the documentation, and the workflows that build and test the project."""

import re

import pytest
import yaml

import kconvert as kc
from docs import examples
from docs.website import check, pages
from release.__main__ import SUPPORTED
from tests.checkout import ROOT

DOCS = ROOT / "docs"
CI = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text(encoding="utf-8"))


def test_the_site_leads_to_every_page():
    named = re.findall(r": ([\w./-]+\.md)$", (ROOT / "mkdocs.yml").read_text(encoding="utf-8"), re.M)
    written = {path.relative_to(DOCS).as_posix() for path in examples.PAGES if path != examples.README}
    assert sorted(named) == sorted(written | {f"reference/{page}.md" for page in pages.REFERENCE})


def test_the_reference_describes_every_public_name_once():
    described = re.findall(r"^::: kconvert\.([\w.]+)$", "\n".join(pages.reference().values()), re.M)
    names = [path.rpartition(".")[2] for path in described]
    assert sorted(names) == sorted(set(kc.__all__) - {"__version__"})


@pytest.mark.parametrize(("home", "page"), [("models.model", "models"), ("models.training.losses", "training")])
def test_a_name_is_on_the_page_of_the_closest_room(home, page):
    assert pages.page_of(home) == page


@pytest.mark.parametrize(
    ("docstring", "markdown"),
    [
        ("Note: one line.", "Note: one line."),
        ("Reads.\n\npath: of it\nlimit: at\n    most", "Reads.\n\n- `path`: of it\n- `limit`: at\n    most"),
        ("Reads.\n\npath: of it\nRaises an error.", "Reads.\n\n- `path`: of it\n\nRaises an error."),
        ("Reads.\n\n>>> 1 + 1\n2", "Reads.\n\n```pycon\n>>> 1 + 1\n2\n```"),
        ("Reads.\n\nRaises KconvertError: never.", "Reads.\n\nRaises KconvertError: never."),
    ],
)
def test_docstrings_become_markdown(docstring, markdown):
    assert pages.docstring(docstring) == markdown


def test_links_to_what_the_site_lacks_lead_to_the_repository():
    text = "[a](conversion.md#x) [b](../CONTRIBUTING.md#y) [c](report.schema.json) [d](https://e.org/f) [g](#h)"
    at = f"{pages.REPOSITORY}/blob/HEAD"
    assert pages.outward(text, DOCS) == text.replace("../CONTRIBUTING", f"{at}/CONTRIBUTING").replace(
        "report.schema", f"{at}/docs/report.schema"
    )


def test_a_graph_is_drawn_with_each_box_below_those_that_point_to_it():
    svg = pages.with_drawings("```mermaid\nflowchart TD\n    a --> b\n    b --> c\n    a --> c\n```\n")
    height = {name: float(y) for y, name in re.findall(r'<text x="[\d.]+" y="([\d.]+)">(\w)</text>', svg)}
    assert height["a"] < height["b"] < height["c"]
    assert svg.count("<line ") == 3


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ('<a href="b.html#there">x</a><a id="here" href="#here">x</a><a href="https://e.org">x</a>', []),
        ('<a href="c.html">x</a>', ["a.html: c.html does not exist"]),
        ('<a href="b.html#gone">x</a>', ["a.html: b.html#gone has no such anchor"]),
        ('<script src="https://e.org/x.js"></script>', ["a.html: loads https://e.org/x.js"]),
        ('<img src="gone.png">', ["a.html: gone.png does not exist"]),
    ],
)
def test_what_is_wrong_with_a_site_is_found(tmp_path, body, words):
    (tmp_path / "a.html").write_text(body, encoding="utf-8")
    (tmp_path / "b.html").write_text('<h1 id="there">b</h1>', encoding="utf-8")
    assert check.problems(tmp_path) == words


@pytest.mark.parametrize("picture", sorted((DOCS / "pictures").iterdir()), ids=lambda path: path.name)
def test_pictures_are_small_and_load_nothing(picture):
    assert picture.stat().st_size < 60_000
    if picture.suffix == ".svg":
        addresses = re.findall(r"https?://[^\s\"<]+", picture.read_text(encoding="utf-8"))
        assert set(addresses) <= {"http://www.w3.org/2000/svg", "https://www.textualize.io"}


def test_the_workflow_runs_targets_that_exist_on_every_python():
    commands = [step["run"] for job in CI["jobs"].values() for step in job["steps"] if "run" in step]
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M))
    assert {word for command in commands for word in re.findall(r"make ([a-z-]+)", command)} <= targets
    assert tuple(CI["jobs"]["test"]["strategy"]["matrix"]["python"]) == SUPPORTED
