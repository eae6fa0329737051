"""The forms that a report is written in: one module each with `render`, and one row here."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from os import PathLike
from pathlib import Path
from typing import TypeAlias

from ..._version import install
from ...errors import KconvertError, Problem
from ...formats.atomic import writable_path, write_text
from ..value import Report, Summary

FORMS = {".json": "json", ".xml": "junit", ".md": "markdown", ".html": "html", ".txt": "text"}

Render: TypeAlias = Callable[[Report | Summary], str]


def write_report(path: str | PathLike[str], done: Report | Summary) -> Path:
    """Writes a report in the form that the suffix of `path` names: .json, .xml (JUnit), .md, .html or .txt.

    path: of the file. One that exists is replaced, in one step.
    done: a report, or the summary of many files.

    Returns the path of the file. Raises KconvertError (USAGE) as `check_report` does.
    """
    target, render = _prepared(path)
    write_text(target, render(done))
    return target


def check_report(path: str | PathLike[str]) -> None:
    """Refuses a report that could not be written, before hours of running.

    Raises KconvertError (USAGE) where the suffix is unknown, what its form needs is not installed, or the directory is
    missing or not writable.
    """
    _prepared(path)


def _prepared(path: str | PathLike[str]) -> tuple[Path, Render]:
    suffix = Path(path).suffix
    if suffix not in FORMS:
        known = ", ".join(FORMS)
        raise KconvertError(
            f"no form of report has the suffix {suffix!r}", str(path), f"one of: {known}", Problem.USAGE
        )
    return writable_path(path), _form(suffix)


def _form(suffix: str) -> Render:
    try:
        return import_module(f".{FORMS[suffix]}", __package__).render
    except ModuleNotFoundError as error:
        what = f"reports in {suffix} need {error.name}, which is not installed"
        raise KconvertError(what, fix=install("report"), problem=Problem.USAGE) from error
