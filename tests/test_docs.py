"""The pages agree with the code: examples are run, written parts are up to date, and what pages name exists."""

import ast
import re
from functools import cache

import pytest

from docs import examples, generate, structure
from kconvert import cli

PAGES = [*examples.PAGES, examples.README]
GUIDES = [structure.PAGE, examples.ROOT / "CONTRIBUTING.md"]
NAMES = [str(path.relative_to(examples.ROOT)) for path in PAGES]


def text_of(path):
    return path.read_text(encoding="utf-8")


def test_the_support_page_is_what_the_code_makes():
    assert text_of(generate.PAGE) == generate.page(), "stale: make docs"


def test_the_page_on_example_scripts_is_what_the_results_say():
    assert text_of(generate.SCRIPTS) == generate.scripts_page(), "stale: make docs"


def test_the_page_on_names_is_what_the_cases_show():
    assert text_of(generate.NAMES) == generate.names_page(), "stale: make docs"


def test_the_table_and_the_drawing_of_the_rooms_are_what_the_code_makes():
    text = text_of(structure.PAGE)
    assert text == structure.page(text), "stale: python -m docs.structure --write"


def test_every_room_says_its_purpose():
    for line in structure.table().splitlines()[2:]:
        room, purpose = line.split("|")[1:3]
        assert purpose.strip(), f"{room} needs a docstring"


def needing(path):
    """The path of a page as a parameter, marked with the backends that its examples need."""
    marks = [pytest.mark.needs("theano", "tensorflow")] if path in examples.NEED_BOTH else []
    return pytest.param(path, marks=marks, id=str(path.relative_to(examples.ROOT)))


ANSWERS = {"source", "arch", "layers", "source_data_format", "source_release", "input_shape"}


def questions():
    """What every refusal says that an argument answers, or code of the user: the longest text in its first argument."""
    for path in sorted((examples.ROOT / "kconvert").rglob("*.py")):
        for call in ast.walk(ast.parse(text_of(path))):
            if isinstance(call, ast.Call) and getattr(call.func, "id", "") == "KconvertError":
                texts = [
                    [n.value for n in ast.walk(arg) if isinstance(getattr(n, "value", 0), str)] for arg in call.args
                ]
                inner = [n for n in ast.walk(call) if isinstance(n, ast.Call)]
                named = {n.args[0].value for n in inner if getattr(n.func, "id", "") == "argument"}
                code = any(getattr(n.func, "id", "") == "own_code" for n in inner)
                if (code or ANSWERS & named) and texts and texts[0]:
                    yield max(texts[0], key=len).strip(" ,:()")


def test_every_question_is_on_the_page_about_them():
    page = " ".join(text_of(examples.ROOT / "docs" / "when-the-file-does-not-tell.md").split())
    assert [question for question in questions() if question not in page] == []


@pytest.mark.parametrize("path", [needing(path) for path in PAGES])
def test_examples_print_what_the_page_shows(path):
    shown, printed, failures = examples.run(path)
    assert examples.settled(shown) == examples.settled(printed), "stale: make docs"
    assert failures == []


def test_a_wrong_example_is_seen(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    page = examples.Page("```console\n$ kconvert --version\nkconvert 9\n```\n```pycon\n>>> 1 + 1\n3\n```\n", tmp_path)
    assert examples.settled(page.run()) != examples.settled(page.text)
    assert len(page.failures) == 1


def test_an_example_that_fails_must_say_so(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    silent, said = (f"```console\n$ kconvert inspect missing.h5\n{more}```\n" for more in ("", "$ echo $?\n4\n"))
    for text, failures in ((silent, 1), (said, 0)):
        page = examples.Page(text, tmp_path)
        page.run()
        assert len(page.failures) == failures


def options(command):
    return {word for parameter in command.params for word in (*parameter.opts, *parameter.secondary_opts)}


KNOWN = set().union(*map(options, cli.main.commands.values()))
OTHERS = {
    "--install",
    "--keras-python",
    "--python",
    "--tf-keras-python",
    "--write",
    "--legacy",
    "--re-save",
    "--oracle",
    "--release",
    "--case",
    "--backend",
    "--checks",
    "--every",
    "--no-deps",
    "--target",
    "--help",
    "--version",
}
PYTEST = {"--kconvert-report"}


@pytest.mark.parametrize("path", PAGES, ids=NAMES)
def test_every_option_a_page_names_exists(path):
    named = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", text_of(path)))
    assert named <= KNOWN | OTHERS | PYTEST


@pytest.mark.parametrize("path", PAGES, ids=NAMES)
def test_links_lead_somewhere(path):
    for target, anchor in re.findall(r"\]\((?!https?:)([^)#]*)(?:#([^)]*))?\)", text_of(path)):
        linked = path.parent / target if target else path
        assert linked.exists(), target
        if anchor:
            heads = re.findall(r"^#+ (.*)$", text_of(linked), re.M)
            assert anchor in {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}, anchor


def test_commands_of_the_makefile_that_pages_name_exist():
    targets = set(re.findall(r"^([a-z-]+):", text_of(examples.ROOT / "Makefile"), re.M))
    for path in PAGES:
        named = set(re.findall(r"(?:^|`)make ([a-z-]+)", text_of(path), re.M))
        assert named <= targets, path


def places(path):
    """What a page names: each path, and each name with the module that holds it, as in `storage` in `a/b.py`."""
    text = re.sub(r"^```.*?^```", "", text_of(path), flags=re.M | re.S)
    named = re.findall(r"`([\w.]+)`\s+in\s+`([\w/.]+\.py)`", text)
    paths = re.findall(r"`((?:[\w.]+/)+(?:\w+\.\w+)?|\w+\.py)`", text)
    made = tuple(place for place in paths if place.startswith("build/"))  # by the Makefile, when its targets run
    return sorted({("", place) for place in paths if place not in made} | set(named))


def found(place):
    """The file or folder of a path, which begins at `kconvert/` or at the root."""
    place = place.replace("NAME", "numpy")
    return next((path for path in (examples.ROOT / "kconvert" / place, examples.ROOT / place) if path.exists()), None)


@cache
def definitions(path):
    """The names that a module defines: `storage`, `Backend`, `Backend.conv`."""
    names = set()
    for node in ast.parse(text_of(path)).body:
        names |= {*defined(node)}
        if isinstance(node, ast.ClassDef):
            names |= {f"{node.name}.{name}" for inner in node.body for name in defined(inner)}
    return names


def defined(node):
    """The names that one statement defines."""
    if isinstance(node, ast.ClassDef | ast.FunctionDef):
        return [node.name]
    targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
    return [target.id for target in targets if isinstance(target, ast.Name)]


@pytest.mark.parametrize(("name", "place"), [pair for page in GUIDES for pair in places(page)])
def test_every_place_that_a_guide_names_exists(name, place):
    path = found(place)
    assert path is not None
    assert not name or name in definitions(path)


def test_a_place_that_is_not_there_is_seen(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("`Op.apply` in `kernels/base.py`, `gone`\nin `kernels/base.py`, `kernels/gone/`", encoding="utf-8")
    assert places(page) == [
        ("", "kernels/base.py"),
        ("", "kernels/gone/"),
        ("Op.apply", "kernels/base.py"),
        ("gone", "kernels/base.py"),
    ]
    names = definitions(found("kernels/base.py"))
    assert "Op.apply" in names
    assert "gone" not in names
    assert found("kernels/gone/") is None
