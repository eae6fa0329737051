"""Weights without an architecture: which layers they belong to."""
