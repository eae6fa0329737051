"""What the inputs and outputs of a network are called in programs that are made from it."""

from __future__ import annotations

import re
from collections.abc import Iterable

from .network import Network

_OTHER = re.compile(r"[^A-Za-z0-9_]")


def input_names(network: Network) -> list[str]:
    """A name for each input, from that of its layer; only letters, digits and underscores, all different."""
    return _distinct(ref.layer for ref in network.input_refs)


def output_names(network: Network) -> list[str]:
    """The same for each output. None of them is the name of an input."""
    inputs = input_names(network)
    return _distinct((ref.key for ref in network.output_refs), inputs)


def _distinct(names: Iterable[str], taken: Iterable[str] = ()) -> list[str]:
    found: list[str] = []
    seen = {name.lower() for name in taken}
    for name in names:
        stem = candidate = _OTHER.sub("_", name).strip("_") or "x"
        stem = candidate = stem if stem[0].isalpha() else f"x_{stem}"
        number = 0
        while candidate.lower() in seen:
            number += 1
            candidate = f"{stem}_{number}"
        seen.add(candidate.lower())
        found.append(candidate)
    return found
