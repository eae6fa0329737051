"""Layers that single releases computed differently from Keras 2.3; one module for each generation."""
