"""Conversion: what the source is, the plan, and the files that come of it."""
