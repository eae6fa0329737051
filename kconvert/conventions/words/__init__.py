"""Translates the names and configurations of every Keras generation to those of Keras 2 and back, JSON to JSON."""
