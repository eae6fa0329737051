"""Help, mistyped words and completion."""

import json
import os
import re
import shutil
import subprocess
import sys

import click
import pytest
from click.testing import CliRunner

from kconvert import cli
from kconvert.verification.tolerance import DEFAULT_TOLERANCE
from tests.cli.commands import EQUAL, ROOT, USAGE, refused, run

COMMANDS = sorted(name for name, command in cli.main.commands.items() if not command.hidden)
WIDTHS = (50, 80, 120, 200)


def help_of(*words, width=80):
    result = CliRunner().invoke(cli.main, [*words, "--help"], terminal_width=width)
    assert result.exit_code == EQUAL
    return result.output


def sections(text):
    return re.findall(r"^([A-Z][a-z ]+):$", text, re.MULTILINE)


def test_commands_come_first_and_options_in_groups():
    assert sections(help_of()) == ["Commands", "Conversion", "Source", "Verification", "Reports", "Other options"]
    assert sections(help_of("verify")) == ["Source", "Result", "Verification", "Reports", "Other options"]
    assert sections(help_of("diff")) == ["Source", "Result", "Reports", "Other options"]


@pytest.mark.parametrize("command", [[], *([name] for name in COMMANDS)])
def test_every_command_explains_every_option(command):
    text = help_of(*command)
    for parameter in cli.main.commands[command[0] if command else "convert"].params:
        if isinstance(parameter, click.Option):
            assert parameter.help and all(f" {word}" in text for word in parameter.opts), parameter.name


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("command", [[], *([name] for name in COMMANDS)])
def test_help_fits(command, width):
    assert max(map(len, help_of(*command, width=width).splitlines())) <= max(width, 77)  # exit codes are not folded


def test_defaults_are_shown_and_are_those_of_the_library():
    text = " ".join(help_of().split())
    assert "How many inputs. [default: 4" in text and "[default: repair]" in text
    defaults = {one.name: one.default for one in cli.main.commands["verify"].params}
    assert (defaults["atol"], defaults["rtol"]) == (DEFAULT_TOLERANCE.atol, DEFAULT_TOLERANCE.rtol)


def test_summaries_of_commands_are_whole():
    assert "..." not in help_of().split("Conversion:")[0].split("Commands:")[1]


@pytest.mark.parametrize(("word", "command"), [("verfy", "verify"), ("inspekt", "inspect"), ("backend", "backends")])
def test_a_mistyped_command_is_named(word, command, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    refused(USAGE, f"did you mean {command}?", word, "a.h5")
    (tmp_path / word).write_text("no model")
    assert "did you mean" not in run(word, "--to", "theano").stderr


def test_a_mistyped_option_is_named():
    refused(USAGE, "--data-format", "a.h5", "--data-fromat", "keep")


def test_backends_as_json(bare):
    found = json.loads(run("backends", "--json").output)
    assert found["numpy"]["usable"] and not found["theano"]["usable"]
    assert found["theano"]["missing"] and found["theano"]["fix"]


# --------------------------------------------------------------- completion ----


def completed(shell, *words):
    """What a shell is told about the last of the words."""
    environment = {
        **os.environ,
        "_KCONVERT_COMPLETE": f"{shell}_complete",
        "COMP_WORDS": " ".join(["kconvert", *words]),
        "COMP_CWORD": str(len(words)),
    }
    command = [sys.executable, "-m", "kconvert"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    return done.stdout


def test_files_and_commands_complete_the_first_word():
    assert completed("bash", "ver").splitlines() == ["file,ver", "plain,verify"]


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash")
def test_bash_completes(tmp_path):
    kconvert = tmp_path / "kconvert"
    kconvert.write_text(f'#!/bin/sh\nexec {sys.executable} -m kconvert "$@"\n')
    kconvert.chmod(0o755)
    script = r"""
        eval "$(_KCONVERT_COMPLETE=bash_source kconvert)"
        complete() { COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMPREPLY=(); _kconvert_completion kconvert; }
        complete kconvert insp 2> /dev/null; echo "${COMPREPLY[*]}"
        complete kconvert model.h5 --to ""; echo "${COMPREPLY[*]}"
        complete kconvert verify a b --self; echo "${COMPREPLY[*]}"
        complete kconvert a --custom gone.py --report gone/a.md --data; echo "${COMPREPLY[*]}"
    """
    path = f"{tmp_path}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(["bash", "-c", script], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["inspect", "theano tensorflow", "--self-test", "--data-format"], done.stderr


# ------------------------------------------------------------ code of users ----

CODE = """
import kconvert as kc
from neighbour import FACTOR

@kc.register_function("code_of_a_file")
def scaled(K, x):
    return FACTOR * x
"""


def test_code_of_a_user_is_a_file(tmp_path):
    from kconvert.layers.registry import FUNCTIONS, custom_modules, load_module

    (tmp_path / "code.py").write_text(CODE)
    (tmp_path / "neighbour.py").write_text("FACTOR = 2.0")
    command = cli.main.commands["inspect"]
    try:
        with command.make_context("inspect", ["gone.h5", "--custom", str(tmp_path / "code.py")]):
            assert FUNCTIONS["code_of_a_file"].function(None, 3.0) == 6.0
        assert str(tmp_path / "code.py") in custom_modules()  # so a worker loads it by this name
        load_module(str(tmp_path / "code.py"))
    finally:
        FUNCTIONS.pop("code_of_a_file", None)
        sys.path.remove(str(tmp_path))


def test_code_that_cannot_be_loaded_is_refused(tmp_path):
    (tmp_path / "bad.py").write_text("1 / 0")
    for name, words in ((tmp_path / "bad.py", "ZeroDivisionError"), (tmp_path / "gone.py", "there is no such file")):
        refused(USAGE, words, "inspect", "a.h5", "--custom", name)
