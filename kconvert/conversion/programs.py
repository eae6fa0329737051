"""Planning a program: the network of a file for the backend that the program is made with."""

from __future__ import annotations

from dataclasses import replace

from ..errors import KconvertError
from ..formats.checkpoint import Checkpoint
from .planning import Plan, plan_conversion
from .source import Source
from .target import SAME, Target


def plan_program(checkpoint: Checkpoint, source: Source, target: Target) -> Plan:
    """The conversion to the network of a program.

    A program has no optimizer and no configuration, so layers that Keras 2 does not have stay unchanged. Raises
    KconvertError as `plan_conversion` does.
    """
    checkpoint = replace(checkpoint, optimizer=())
    try:
        return plan_conversion(checkpoint, source, target)
    except KconvertError:
        kept = replace(target, generation=SAME, restore=False)
        try:
            return plan_conversion(checkpoint, source, kept)
        except KconvertError:
            pass
        raise
