"""The weight-layout algebra: pure, invertible rearrangements of arrays (NumPy only)."""

from .axes import Flip, Grow, Transpose
from .base import Chain, EachOp, GateOp, Op, Shape
from .gates import Fuse, Gates, Split
from .rows import Block, Rows, plain

__all__ = [
    "Block",
    "Chain",
    "EachOp",
    "Flip",
    "Fuse",
    "GateOp",
    "Gates",
    "Grow",
    "Op",
    "Rows",
    "Shape",
    "Split",
    "Transpose",
    "plain",
]
