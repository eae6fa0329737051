"""What is printed: names from files are shown, and never obeyed."""

import pytest

from kconvert.drawing import terminal

NAMES = ["::error::x", "##[error]x", "::stop-commands::t", "conv1"]


def printed(capsys):
    table = terminal.table("layer")
    for name in NAMES:
        table.add_row(terminal.text(name))
    terminal.show(table)
    return [line.strip() for line in capsys.readouterr().out.splitlines()[1:]]


def test_names_are_no_commands_to_a_runner_of_github_actions(capsys, monkeypatch):
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    lines = printed(capsys)
    assert [line.replace("\u200b", "") for line in lines] == NAMES
    assert not any(line.startswith(("::", "##[")) for line in lines)


def test_elsewhere_names_are_shown_as_they_are(capsys, monkeypatch):
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)
    assert printed(capsys) == NAMES


@pytest.mark.parametrize("line", ["  ::error::x", "\t::error::x", "a\n::error::x\nb"])
def test_blanks_before_a_command(line):
    assert "\u200b::error::x" in terminal.without_commands(line)
    assert terminal.plain_text(terminal.text("::error::x")).startswith("\u200b")
