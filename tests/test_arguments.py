"""Messages of the library name its arguments; those of the command line name the same ones as options."""

import ast
import inspect
import re

import pytest
from click.testing import CliRunner

import kconvert as kc
from kconvert import cli
from kconvert.arguments import argument, named_by, own_code, raised_limit
from kconvert.cli.naming import Options, option
from kconvert.scripts.running import Run
from kconvert.scripts.shortening import Limits
from tests.checkout import ROOT
from tests.fixtures import FOLDER as FIXTURES

PACKAGE = ROOT / "kconvert"
OUTSIDE = {
    *(PACKAGE / "cli").rglob("*.py"),
    PACKAGE / "pytest_plugin.py",  # pytest has options of its own
    PACKAGE / "scripts" / "comparing.py",  # starts the command line
}
LIBRARY = sorted({*PACKAGE.rglob("*.py")} - OUTSIDE)
OPTIONS = {
    word
    for command in cli.main.commands.values()
    for parameter in command.params
    for word in (*parameter.opts, *parameter.secondary_opts)
    if word.startswith("-")
}
PUBLIC = (kc.convert, kc.verify, kc.inspect, kc.diff, kc.batch, kc.export_model, kc.load_model, kc.load_weights)
STATED = {name for call in (*PUBLIC, kc.Running, Run, Limits) for name in inspect.signature(call).parameters}

LENET = FIXTURES / "1.2.2-theano" / "lenet_th"


DESCRIBED = (
    *PUBLIC,
    kc.plan,
    kc.Running,
    kc.Report,
    kc.Tolerance,
    kc.KconvertError,
    kc.write_report,
    kc.limited,
    kc.plot_model,
)


@pytest.mark.parametrize("call", DESCRIBED, ids=lambda call: call.__name__)
def test_every_parameter_is_described(call):
    described = inspect.getdoc(call)
    assert [name for name in inspect.signature(call).parameters if not re.search(rf"\b{name}\b", described)] == []


def strings(tree):
    """The strings of a module that are no docstrings."""
    nodes = [node for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)]
    documentation = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    return [node.value for node in nodes if id(node) not in documentation]


def test_no_message_of_the_library_names_an_option():
    words = re.compile(r"(?<![\w-])--?[a-z][\w-]*")
    found = [
        f"{path.relative_to(ROOT)}: {text}"
        for path in LIBRARY
        for text in strings(ast.parse(path.read_text(encoding="utf-8")))
        if OPTIONS.intersection(words.findall(text))
    ]
    assert found == []


def named():
    """The arguments that messages name."""
    for path in LIBRARY:
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(call, ast.Call) and getattr(call.func, "id", "") == "argument":
                yield from (one.value for one in call.args[:1] if isinstance(one, ast.Constant))


def test_what_a_message_names_is_an_argument_and_an_option():
    names = set(named())
    assert names <= set(STATED)
    assert {option(name) for name in names} <= set(OPTIONS)


@pytest.mark.parametrize(
    ("name", "values", "in_python", "on_the_command_line"),
    [
        ("arch", (), "arch=", "--arch"),
        ("source", ("theano",), "source='theano'", "--from theano"),
        ("target", ("theano", "tensorflow"), "target='theano' or 'tensorflow'", "--to theano or tensorflow"),
        ("force", (True,), "force=True", "--force"),
        ("repair", (False,), "repair=False", "--no-repair"),
        ("jobs", (1,), "jobs=1", "--jobs 1"),
        ("layers", (["a=Dense"],), "layers=['a=Dense']", "--layer a=Dense"),
        ("input_shape", ((8, 9), {"a": (8, 9)}), "input_shape=(8, 9) or {'a': (8, 9)}", "--input-shape 8,9 or a=8,9"),
    ],
)
def test_an_argument_in_both_namings(name, values, in_python, on_the_command_line):
    assert argument(name, *values) == in_python
    with named_by(Options()):
        assert argument(name, *values) == on_the_command_line
    assert argument(name, *values) == in_python


def test_code_and_limits_in_both_namings():
    call = "kconvert.register_function('f')"
    assert "custom_objects={'f': ...}" in own_code("function", "f", call)
    assert raised_limit("calls", 7) == "kconvert.limited(calls=7)"
    with named_by(Options()):
        assert own_code("function", "f", call) == f"register the function with {call}, in a module passed with --custom"
        assert raised_limit("calls", 7) == "--limit calls=7"


def test_one_error_in_both_namings(tmp_path):
    def library():
        with pytest.raises(kc.KconvertError) as refusal:
            kc.convert(LENET / "weights.h5", tmp_path / "out.keras", target="tensorflow")
        return str(refusal.value)

    words = [str(LENET / "weights.h5"), "-o", str(tmp_path / "out.keras")]
    before = library()
    result = CliRunner().invoke(cli.main, words)
    assert before.endswith("wrote with arch='FILE.json'") and library() == before
    assert result.stderr.endswith("wrote with --arch FILE.json\n")


def test_a_worker_of_a_batch_names_what_its_parent_does(tmp_path):
    words = [str(LENET / "weights.h5"), "--to", "tensorflow", "--data-format", "channels_last", "--jobs", "2"]
    result = CliRunner().invoke(cli.main, ["batch", *words, "--out", str(tmp_path), "--from", "theano"])
    assert "--arch" in result.output and "arch=" not in result.output
