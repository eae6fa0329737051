"""Versions that work together, for each Python: constraints of pip, which the Makefile passes to it."""
