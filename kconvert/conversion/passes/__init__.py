"""Passes: each takes a network and returns one that computes the same on its target."""
