"""Activations that have the same name in two packages, but compute different functions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

HERE: Mapping[str, str] = {"hard_sigmoid": "min(max(0.2 x + 0.5, 0), 1)"}
"""The functions of Keras 0.2 - 2.3 and tf_keras (keras-facts: hard-sigmoid)."""

ELSEWHERE: Mapping[tuple[str, str], Mapping[str, str]] = {("keras", "3"): {"hard_sigmoid": "relu6(x + 3) / 6"}}
"""The functions of other packages, by package and major release."""


def other_activations(package: str, release: str) -> Iterator[tuple[str, str]]:
    """(name, how it differs) for each activation that a release of a package computes differently.

    >>> dict(other_activations("keras", "3.11.2"))["hard_sigmoid"]
    'hard_sigmoid is relu6(x + 3) / 6 there, and min(max(0.2 x + 0.5, 0), 1) in Keras 2'
    """
    for name, formula in ELSEWHERE.get((package, release.partition(".")[0]), {}).items():
        yield name, f"{name} is {formula} there, and {HERE[name]} in Keras 2"
