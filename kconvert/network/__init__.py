"""A graph of layers as data."""
