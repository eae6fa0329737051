"""Reports: one `Report` value, and the forms it is shown in."""

from .value import DEFAULT_TOLERANCE, Comparison, Report, Side, Tolerance, compare

__all__ = ["DEFAULT_TOLERANCE", "Comparison", "Report", "Side", "Tolerance", "compare"]
