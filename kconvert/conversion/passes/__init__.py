"""Passes: each takes a network and gives a network that says the same for its target."""
