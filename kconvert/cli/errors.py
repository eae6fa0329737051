"""Errors of the command line: a sentence and an exit code for each."""

from __future__ import annotations

import click

from ..errors import KconvertError, Problem, printable

INTERRUPTED, CLOSED_PIPE, BUG = 130, 141, 70


def described(error: Exception) -> tuple[str, int]:
    """What an error says in one sentence, and its exit code."""
    if isinstance(error, KconvertError):
        return str(error), error.problem
    if isinstance(error, click.ClickException):
        return " ".join(error.format_message().split()), error.exit_code
    if isinstance(error, RecursionError):
        return "the architecture is nested too deeply", Problem.UNREADABLE
    if isinstance(error, MemoryError):
        return "out of memory", BUG
    message = f"{type(error).__name__}: {error}".splitlines()[0]
    return f"a bug in kconvert, please report it ({message}); KCONVERT_DEBUG=1 shows where", BUG


def complain(what: object, code: int) -> int:
    """Prints an error; returns its exit code."""
    click.echo(f"kconvert: {printable(str(what))}", err=True)
    return code
