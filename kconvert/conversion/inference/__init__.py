"""Infers the layers of weights that have no architecture."""
