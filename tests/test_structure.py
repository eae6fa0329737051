"""The structure of the package: imports only go down, there are no circles, and one module imports each library."""

import ast
import inspect
import re
import subprocess
import sys
from dataclasses import fields

import pytest

import kconvert as kc
from docs.structure import OUTSIDE, ROOMS, ROOT, allowed, arrows_up, circles, graph, imports, room, sources
from kconvert.conventions.generations import Generation

DOORS = {
    "h5py": ("formats.hdf5",),
    "click": ("cli",),
    "yaml": ("conventions.words.yaml",),
    "theano": ("backend.theano_", "verification.runners.foreign."),
    "tensorflow": ("backend.tensorflow_", "verification.runners.foreign."),
    "tf2onnx": ("export.writers",),
    "onnx": ("export.writers",),
    "onnxruntime": ("verification.runners.foreign.",),
    "ai_edge_litert": ("verification.runners.foreign.",),
    "jinja2": ("drawing.page",),
    "junitparser": ("verification.report.junit",),
    "pytest": ("pytest_plugin",),
    "graphviz": ("network.plot",),
    "fsspec": ("batches.places",),
    "distributed": ("batches.cluster",),
}
EAGER = {
    "backend": "its `__init__` is where backends are looked up",
    "keras": "its modules are importable once the package is imported",
    "keras1": "its modules are importable once the package is imported",
    "kernels": "an op of a stored plan is found by its id, once its module is imported",
    "layers": "the class of a layer is found by its name, once its module is imported",
}
GENERATION = re.compile(r"keras\d")
COMPARING = ("startswith", "endswith", "removeprefix", "match", "fullmatch", "search", "fromkeys")
NO_ANSWERS = {field.name for field in fields(Generation) if field.type != "bool"}
HEAVY = ("theano", "tensorflow", "keras")
MODULES = sources()
INSIDE = [name for name in MODULES if room(name) not in OUTSIDE]


def test_every_entry_at_the_top_is_a_room_of_the_table():
    names = {path.name.removesuffix(".py") for path in (ROOT / "kconvert").iterdir()} - {"__pycache__", "py.typed"}
    assert names - set(OUTSIDE) == set(ROOMS), "give it a row in docs/structure.py, or move it into a room"


def test_no_room_of_the_table_stands_on_itself():
    assert not [name for name in ROOMS if name in allowed(name)]


def test_imports_only_go_to_the_rooms_that_a_room_stands_on():
    assert arrows_up(graph()) == []


def test_no_modules_import_each_other():
    assert circles(graph()) == []


@pytest.mark.parametrize("name", sorted(name for name in ROOMS if f"kconvert.{name}" in MODULES))
def test_rooms_export_lazily_or_nothing(name):
    """The head of a room's `__init__` imports none of its modules."""
    path = MODULES[f"kconvert.{name}"]
    head = ast.parse(path.read_text(encoding="utf-8")).body if path.name == "__init__.py" else []
    eager = [node.module for node in head if isinstance(node, ast.ImportFrom) and node.level == 1]
    assert not eager or name in EAGER


def test_no_module_has_the_name_of_a_public_function():
    """`from kconvert.room import name` must not mean two things."""
    functions = {name for name in kc.__all__ if inspect.isfunction(getattr(kc, name))}
    assert functions & {name.rpartition(".")[2] for name in INSIDE} == set()


@pytest.mark.parametrize("library", DOORS)
def test_each_foreign_library_has_one_door(library):
    used = {name for name in INSIDE for full in imports(name, MODULES[name]) if full.split(".")[0] == library}
    doors = tuple(f"kconvert.{door}" for door in DOORS[library])
    outside = {name for name in used if not name.startswith(doors)}
    assert not outside, f"import {library} in {' '.join(DOORS[library])} only"


def test_dataclasses_are_made_by_lazy_dataclasses():
    """Each class of the standard library's `dataclass` makes every command start later."""
    standard = {"dataclasses", "dataclasses.dataclass"}
    users = {name for name in INSIDE if standard & set(imports(name, MODULES[name]))}
    assert users == {"kconvert.lazy_dataclasses"}, "from kconvert.lazy_dataclasses import dataclass"


def generations_compared(code):
    """The lines of `code` that ask which generation something is, by its name or by a field that stands for it."""
    return sorted({node.lineno for node in ast.walk(ast.parse(code)) for one in asked(node) if stands_for_one(one)})


def asked(node):
    """What a node compares with something. A search for a pattern compares too, and so does a table by generation."""
    if isinstance(node, ast.Compare):
        yield from (part for side in (node.left, *node.comparators) for part in elements(side))
    elif isinstance(node, ast.Call) and getattr(node.func, "attr", "") in COMPARING:
        yield from (part for argument in node.args for part in elements(argument))
    elif isinstance(node, ast.MatchValue):
        yield node.value
    elif isinstance(node, ast.Dict):
        yield from (key for key in node.keys if key)


def elements(node):
    """A node, and what is inside it where it is a tuple, a list or a set."""
    return [node, *getattr(node, "elts", ())]


def stands_for_one(node):
    """Whether it is the name of a generation, its row or words, or a field of the row that is no answer by itself."""
    if isinstance(node, ast.Constant):
        return isinstance(node.value, str) and bool(GENERATION.match(node.value))
    if isinstance(node, ast.Name):
        return bool(re.fullmatch(r"KERAS\d|form|generation|generation_name", node.id))
    row = getattr(node, "value", None)
    table = getattr(row, "value", None) if isinstance(row, ast.Subscript) else None
    names = [getattr(one, "attr", getattr(one, "id", "")) for one in (row, table)]
    return getattr(node, "attr", "") in NO_ANSWERS and ("generation" in names or "GENERATIONS" in names)


@pytest.mark.parametrize("name", [name for name in INSIDE if room(name) != "conventions"])
def test_only_the_table_of_generations_tells_one_from_another(name):
    code = MODULES[name].read_text(encoding="utf-8")
    assert generations_compared(code) == [], "make it a field of Generation in conventions/generations.py"


@pytest.mark.parametrize(
    "code",
    [
        'form == "keras2"',
        'x if "keras1.0" != form else y',
        'form in ("keras0", "keras1")',
        'form not in {"keras0"}',
        'not form.startswith("keras1")',
        're.match("keras1", form)',
        '{"keras0": x, "keras1": y}[form]',
        'dict.fromkeys(("keras0", "keras1"), x).get(form)',
        'f.metadata.get("only", form) == form',
        "self.only != generation",
        'match form:\n  case "keras2":\n    pass',
        'match form:\n  case "keras1" | "keras2":\n    pass',
        "generation.words is KERAS2",
        "goal.generation.weight_names is None",
        "GENERATIONS[form].releases == other",
        "goal.generation.name == origin.generation.name",
    ],
)
def test_a_comparison_of_generations_is_seen(code):
    assert generations_compared(code)


@pytest.mark.parametrize("code", ['Convention("keras2", backend)', "goal.generation.numbered", 'package == "keras"'])
def test_other_uses_of_a_generation_are_none_of_its_business(code):
    assert not generations_compared(code)


IMPORTS = {
    "import a.b": {"a.b"},
    "from .base import x": {"kconvert.kernels.base.x"},
    "if TYPE_CHECKING:\n  from . import y": {"kconvert.kernels.y"},
    "def f():\n  from .. import errors": {"kconvert.errors"},
    'import_module("c")': {"c"},
    'import_module(f"d.{x}")': {"d."},
    'import_module(".e", z)': {"kconvert.kernels.e"},
    'import_module(".e", __package__)': {"kconvert.kernels.e"},
    'import_module(".e", __name__)': {"kconvert.kernels.e"},
    'importlib.import_module(".models.model", "kconvert")': {"kconvert.models.model"},
    'import_module(".models.model", package="kconvert")': {"kconvert.models.model"},
    'import_module(name="kconvert.models")': {"kconvert.models"},
    'import_module("..models.model", __package__)': {"kconvert.models.model"},
    'import_module("...models.model", __package__)': {""},
    'CODE = "from kconvert.g.h import main; main()"': {"kconvert.g.h.main"},
    'exec("import sys; import kconvert.g as g, kconvert.h")': {"kconvert.g", "kconvert.h"},
    'exec("if x:\\n  from kconvert.g import (a as b,\\n c)")': {"kconvert.g.a", "kconvert.g.c"},
    'run([python, "-c", "from kconvert import g"])': {"kconvert.g"},
    'run([python, "-m", "kconvert.cli", "inspect"])': {"kconvert.cli"},
    'COMMAND = ("python", "-m", "kconvert")': {"kconvert"},
    'COMMAND = ("python", "-m", "pytest")': set(),
    'def f():\n  """Example:\n  import kconvert.g\n  """': set(),
    'x: int\n"""import kconvert.g"""': set(),
    'def f(x: "kconvert.g.H") -> "H": ...': set(),
    'fix = "write: import kconvert.g"': set(),
}


@pytest.mark.parametrize("code", IMPORTS)
def test_the_reader_of_imports_sees_every_kind(tmp_path, code):
    module = tmp_path / "axes.py"
    module.write_text(code, encoding="utf-8")
    assert set(imports("kconvert.kernels.axes", module)) == IMPORTS[code]


def loaded_after(code):
    """The frameworks that a new interpreter has imported after it ran `code`."""
    report = f"import sys\n{code}\nprint(*[name for name in {HEAVY} if name in sys.modules])"
    run = subprocess.run([sys.executable, "-c", report], cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    return run.stdout.split()


def test_importing_kconvert_loads_no_framework():
    assert loaded_after("import kconvert") == []


def test_public_names_do_not_depend_on_the_order_of_imports():
    """A submodule with the name of a public function must not replace the function when it is imported."""
    code = "import kconvert as kc, kconvert.conversion\nfor name in kc.__all__ * 2: assert getattr(kc, name)"
    calls = "assert all(callable(getattr(kc, name)) for name in ('convert', 'plan', 'load_model', 'convert'))"
    assert loaded_after(f"{code}\n{calls}") == []


def test_only_the_backends_and_programs_load_a_framework():
    """What is exported is a program of TensorFlow: its two modules are imported when one is made."""
    programs = ("kconvert.export.program", "kconvert.export.writers")
    framework = ("kconvert.backend.theano_", "kconvert.backend.tensorflow_", *programs)
    light = [name for name in INSIDE if not name.startswith(framework)]
    assert loaded_after(f"import {', '.join(light)}") == []
