"""The tables of padding: where the backends pad equally, and what replaces it where they do not."""

from __future__ import annotations

from itertools import product

from kconvert.conventions.backends import BACKENDS
from kconvert.conventions.generations import Convention

from .examples import classes, example
from .markdown import table
from .outcomes import NONE, REFUSED, REWRITTEN, Outcome, outcome

WINDOWS = list(product(("valid", "same"), ("kernel_size", "pool_size"), (2, 3), (1, 2)))


def windows_table() -> str:
    """What replaces padding='same' if the two backends pad differently."""
    rows = []
    for cls in classes():
        found: dict[str, dict[str, None]] = {backend: {} for backend in BACKENDS}
        for (padding, window, k, stride), backend in product(WINDOWS, BACKENDS):
            one = example(cls, **{"padding": padding, window: k, "strides": stride})
            done = outcome(one, Convention("keras2", backend)) if one else Outcome(NONE)
            if done.word == REWRITTEN:
                found[backend][done.layers] = None
            elif done.word == REFUSED:
                found[backend][f"{REFUSED}: {done.why}"] = None
        if any(found.values()):
            rows.append([f"`{cls.__name__}`", *("<br>".join(ways) for ways in found.values())])
    return table(["class", *(f"from {BACKENDS[backend].title}" for backend in BACKENDS)], rows)


def paddings_table() -> str:
    """For which windows both backends pad equally."""
    rows = []
    for what, rule_of in (("convolution", "conv_padding"), ("pooling", "pool_padding")):
        for stride in (1, 2, 3):
            words = []
            for k in (2, 3, 4, 5):
                alike = [
                    n
                    for n in range(2 * k, 2 * k + 12)
                    if len({getattr(facts, rule_of)(n, k, stride) for facts in BACKENDS.values()}) == 1
                ]
                words.append("equal" if len(alike) == 12 else "different" if not alike else "depends on the size")
            rows.append([what, str(stride), *words])
    return table(["", "stride", *(f"window {k}" for k in (2, 3, 4, 5))], rows)
