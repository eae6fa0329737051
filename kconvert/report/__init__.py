"""Reports: one `Report` value, and the forms it is shown in."""

from .compare import Comparison, Details, compare, details
from .forms import FORMS, check, write
from .tolerance import DEFAULT_TOLERANCE, Tolerance, tolerance
from .value import ARCHITECTURE, PRECISION, WEIGHTS, Cause, Entry, Report, Side, Summary

__all__ = [
    "ARCHITECTURE",
    "DEFAULT_TOLERANCE",
    "FORMS",
    "PRECISION",
    "WEIGHTS",
    "Cause",
    "Comparison",
    "Details",
    "Entry",
    "Report",
    "Side",
    "Summary",
    "Tolerance",
    "check",
    "compare",
    "details",
    "tolerance",
    "write",
]
