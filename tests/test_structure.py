"""The walls of the house: imports go down the floors, and each foreign library has one door."""

import ast
import subprocess
import sys
from importlib.util import resolve_name
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "kconvert"

FLOORS = [
    "errors kernels safe_yaml targets",
    "conventions checkpoint renames spellings",
    "backend",
    "layers",
    "config config0 nested building running model activations summary plotting training hdf5 binding steps"
    " optimizer saving",
    "rewrite modernize cudnn layouts relayout hazards repair releases inference readings conversion loading"
    " inspection inputs",
    "runners",
    "verification report",
    "cli conformance pytest_plugin",
    "__main__",
]
FLOOR = {room: number for number, rooms in enumerate(FLOORS) for room in rooms.split()}

DOORS = {
    "h5py": ("hdf5",),
    "click": ("cli",),
    "yaml": ("safe_yaml",),
    "theano": ("backend.theano_", "runners.foreign."),
    "tensorflow": ("backend.tensorflow_",),
    "jinja2": ("report.forms.html",),
    "junitparser": ("report.forms.junit",),
    "pytest": ("pytest_plugin",),
    "graphviz": ("plotting",),
}
HEAVY = ("theano", "tensorflow", "keras")


def module_name(path):
    """`kernels.axes` for kconvert/kernels/axes.py, `kernels` for its package, '' for kconvert itself."""
    return ".".join(path.relative_to(PACKAGE).with_suffix("").parts).removesuffix("__init__").rstrip(".")


MODULES = {module_name(path): path for path in sorted(PACKAGE.rglob("*.py"))}
INSIDE = [name for name in MODULES if name]


def literal(node):
    """The text of a string, or the known beginning of an f-string."""
    if isinstance(node, ast.JoinedStr) and node.values:
        node = node.values[0]
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def imports(name, source):
    """Full names of everything that module `name` of kconvert imports, at its head or within a function."""
    full = f"kconvert.{name}" if name else "kconvert"
    package = full if MODULES[name].name == "__init__.py" else full.rpartition(".")[0]
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = resolve_name("." * node.level + (node.module or ""), package)
            yield from (f"{base}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Call) and node.args:
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if called in ("import_module", "__import__") and literal(node.args[0]):
                target = literal(node.args[0])
                yield resolve_name(target, package) if target.startswith(".") else target


def imported_by(name):
    return set(imports(name, MODULES[name].read_text(encoding="utf-8")))


def room(name):
    return name.split(".")[0]


@pytest.mark.parametrize("name", INSIDE)
def test_every_module_stands_on_a_floor(name):
    assert room(name) in FLOOR, f"give {room(name)} a floor in FLOORS"


@pytest.mark.parametrize("name", INSIDE)
def test_imports_only_go_down_the_floors(name):
    inside = {full.removeprefix("kconvert.") for full in imported_by(name) if full.startswith("kconvert.")}
    higher = {other for other in inside - {"__version__"} if FLOOR[room(other)] > FLOOR[room(name)]}
    assert not higher, f"kconvert.{name} is on floor {FLOOR[room(name)]}"


@pytest.mark.parametrize("library", DOORS)
def test_each_foreign_library_has_one_door(library):
    used = {name for name in MODULES for full in imported_by(name) if room(full) == library}
    outside = {name for name in used if not name.startswith(DOORS[library])}
    assert not outside, f"import {library} in {' '.join(DOORS[library])} only"


def test_the_reader_of_imports_sees_every_kind():
    lines = ["import a.b", "from .base import x", "def f():", "  from .. import errors"]
    source = "\n".join([*lines, '  import_module("c")', '  import_module(f"d.{x}")'])
    seen = {"a.b", "kconvert.kernels.base.x", "kconvert.errors", "c", "d."}
    assert set(imports("kernels.axes", source)) == seen


def loaded_after(code):
    """Which heavy frameworks a fresh interpreter holds after `code`."""
    report = f"import sys\n{code}\nprint(*[name for name in {HEAVY} if name in sys.modules])"
    run = subprocess.run([sys.executable, "-c", report], cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    return run.stdout.split()


def test_importing_kconvert_loads_no_framework():
    assert loaded_after("import kconvert") == []


def test_public_names_are_the_same_however_often_and_whenever_asked_for():
    """A submodule of the same name must not take the place of the function once it is imported."""
    code = "import kconvert as kc, kconvert.conversion\nfor name in kc.__all__ * 2: assert getattr(kc, name)"
    calls = "assert all(callable(getattr(kc, name)) for name in ('convert', 'plan', 'load_model', 'convert'))"
    assert loaded_after(f"{code}\n{calls}") == []


def test_only_the_backends_load_a_framework():
    light = [f"kconvert.{name}" for name in INSIDE if not name.startswith(("backend.theano_", "backend.tensorflow_"))]
    assert loaded_after(f"import {', '.join(light)}") == []
