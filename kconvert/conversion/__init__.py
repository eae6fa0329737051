"""Conversion: identifies the source, plans the conversion of each weight, and writes the result."""
