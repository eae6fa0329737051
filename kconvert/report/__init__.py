"""Reports: one `Report` value, and the forms it is shown in."""

from .value import Comparison, Report, Side, Tolerance, compare

__all__ = ["Comparison", "Report", "Side", "Tolerance", "compare"]
