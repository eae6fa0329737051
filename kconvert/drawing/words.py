"""Formats numbers in the same way for every form of output."""

from __future__ import annotations

from collections.abc import Sequence


def number(value: float) -> str:
    """Two significant digits.

    >>> number(4.75e-7), number(3.24), number(0.0)
    ('4.8e-07', '3.2', '0')
    """
    return "0" if value == 0 else f"{value:.2g}"


def at_least(value: float) -> str:
    """Two significant digits, rounded up, so that the text is not less than `value`.

    >>> at_least(4.71e-7), at_least(3.2), at_least(0.0999), at_least(0.0)
    ('4.8e-07', '3.2', '0.1', '0')
    """
    if not 0 < value < float("inf"):
        return number(value)
    text = f"{value:.1e}"
    if float(text) < value:
        digits, _, exponent = text.partition("e")
        text = f"{float(digits) + 0.1:.1f}e{exponent}"
    return f"{float(text):.2g}"


def plural(n: int, noun: str) -> str:
    """
    >>> plural(1, "layer"), plural(1200, "layer")
    ('1 layer', '1,200 layers')
    """
    return f"{n:,} {noun}{'' if n == 1 else 's'}"


def sizes(shape: Sequence[int]) -> str:
    """The sizes of an array; a scalar is 1.

    >>> sizes((4, 10, 8)), sizes(())
    ('4x10x8', '1')
    """
    return "x".join(map(str, shape)) or "1"


def percent(fraction: float) -> str:
    """
    >>> percent(1), percent(0.9996), percent(0.25)
    ('100 %', '99.96 %', '25 %')
    """
    return f"{100 * fraction:.4g} %"
