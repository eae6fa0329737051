"""Fuzzing: files that were changed at random, given to every way that reads a file.

    python -m fuzz [--count 10000] [--seed 0] [--jobs 2] [--only SEED]

A mutant is made from a fixture by its seed alone. Each must be read, or refused with a `KconvertError` that names the
file, within 10 seconds and 2 GB; what is refused leaves no file behind.
"""
