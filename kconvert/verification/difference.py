"""diff: two weight files held against each other without running them, whatever their conventions."""

from __future__ import annotations

from typing import Any

from ..report.difference import Difference, Odd
from .matching import FilePath, match


def diff(source_path: FilePath, target_path: FilePath, **files: Any) -> Difference:
    """Compares two weight files modulo convention: is it the same model, and which arrays differ?

    files: the options of `match`. Raises KconvertError where the two cannot be of one model.
    """
    found = match(source_path, target_path, **files)
    return Difference(
        files=((found.source, str(found.made.source)), (found.target, str(found.goal))),
        weights=found.arrays,
        odd=[Odd(name, off) for name, off in found.odd.items()],
        layers=[
            ("/".join(path), finding.words, finding.remedy)
            for path, findings in found.findings.items()
            for finding in findings
        ],
    )
